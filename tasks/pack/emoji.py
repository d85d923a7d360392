"""Pack sets of emoji: the same 300 things in four hands, and professions by gender and skin tone.

The pictures are drawings by Google (Noto), Twitter (Twemoji), Microsoft (Fluent, flat) and EmojiOne 2, as carried
by the Iconify collection; code points, names, genders and tones are those of Unicode CLDR, as carried by emojibase.
A style shift is measured on the same classes; the role pictures differ in nothing but what their attributes say.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from bench.errors import BenchError
from tasks.pack.raw import members, package
from tasks.pack.rows import Row, on_white, webp, without_repeats

SIDE, ROLE_SIDE = 80, 72
LICENCES = {"noto": "Apache-2.0", "twemoji": "CC-BY-4.0", "fluent-emoji-flat": "MIT", "emojione": "CC-BY-4.0"}
SHORT = {"fluent-emoji-flat": "fluent"}
ROLE_STYLES = ("noto", "twemoji", "fluent-emoji-flat")
"""EmojiOne 2 is older than most role emoji."""
TONES = ("none", "light", "medium-light", "medium", "medium-dark", "dark")
GENDERS = ("person", "man", "woman")
PROFESSIONS = (
    "health worker", "student", "teacher", "judge", "farmer", "cook", "mechanic", "factory worker", "office worker",
    "scientist", "technologist", "singer", "artist", "pilot", "astronaut", "firefighter", "police officer", "detective",
    "guard", "construction worker",
)  # fmt: skip
NOT_THE_SAME = {("emojione", "1f997")}
"""EmojiOne 2 has a cricket too: the game, not the insect."""
NAMES = Path(__file__).with_name("emoji_names.txt")


class Role(NamedTuple):
    """One picture of a profession: `code` is its emoji sequence."""

    profession: str
    gender: str
    tone: str
    code: str


@dataclass(frozen=True)
class Style:
    """One drawing style: an Iconify icon set."""

    name: str
    icons: Mapping[str, Any]
    codes: Mapping[str, str]
    """Emoji sequence (lower-case hex, without variation selectors) -> icon; empty if the set does not say."""
    size: tuple[float, float]

    def svg(self, icon: str) -> str:
        """The icon as a document of its own."""
        entry = self.icons[icon]
        width, height = entry.get("width", self.size[0]), entry.get("height", self.size[1])
        box = f"{entry.get('left', 0)} {entry.get('top', 0)} {width} {height}"
        return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="{box}">{entry["body"]}</svg>')  # fmt: skip


def emoji(raw: Path) -> list[Row]:
    """The 300 emoji of `emoji_names.txt` in every style; attribute `style`."""
    styles = _styles(raw)
    rows = []
    for code, name in names().items():
        for style in styles.values():
            if (style.name, code) in NOT_THE_SAME:
                continue
            icon = _icon(style, code, name, styles)
            short = SHORT.get(style.name, style.name)
            rows.append(Row(_render(style.svg(icon), SIDE), f"{short}-{code}", name, style.name, LICENCES[style.name],
                            caption=name, attributes={"style": short}))  # fmt: skip
    return without_repeats(rows)


def roles(raw: Path) -> list[Row]:
    """Professions x genders x skin tones x styles; attributes `gender`, `tone`, `style`."""
    styles = _styles(raw)
    rows = []
    for role in _roles(raw):
        for style in (styles[name] for name in ROLE_STYLES):
            if role.code not in style.codes:
                continue
            short = SHORT.get(style.name, style.name)
            attributes = {"gender": role.gender, "tone": role.tone, "style": short}
            data = _render(style.svg(style.codes[role.code]), ROLE_SIDE)
            rows.append(Row(data, f"{short}-{role.code}", role.profession, style.name, LICENCES[style.name],
                            caption=_caption(role), attributes=attributes))  # fmt: skip
    return without_repeats(rows)


def names() -> dict[str, str]:
    """Code point (hex) -> name of the 300 emoji."""
    return dict(line.split("\t") for line in NAMES.read_text(encoding="utf-8").splitlines())


def _caption(role: Role) -> str:
    who = role.profession if role.gender == "person" else f"{role.gender} {role.profession}"
    return who if role.tone == "none" else f"{who} with {role.tone} skin tone"


def _styles(raw: Path) -> dict[str, Style]:
    files = {f"package/json/{name}.json": name for name in LICENCES}
    found = {}
    for path, data in members(package(raw, "iconify-json"), lambda name: name in files):
        content = json.loads(data)
        name, licence = files[path], content["info"]["license"]["spdx"]
        if licence != LICENCES[name]:
            raise BenchError(
                f"Icon set {name!r} is under {licence} in this version; it was {LICENCES[name]}. Check it first."
            )
        codes = {_plain(code): icon for code, icon in content.get("chars", {}).items() if icon in content["icons"]}
        plain_aliases = {alias: content["icons"][entry["parent"]] for alias, entry in content["aliases"].items()
                         if set(entry) == {"parent"} and entry["parent"] in content["icons"]}  # fmt: skip
        found[name] = Style(name, {**plain_aliases, **content["icons"]}, codes, (content["width"], content["height"]))
    return {name: found[name] for name in LICENCES}


def _icon(style: Style, code: str, name: str, styles: Mapping[str, Style]) -> str:
    """The icon by code point, or, for a set that does not know code points, by the names the other sets use."""
    if code in style.codes:
        return style.codes[code]
    guesses = [other.codes.get(code, "") for other in styles.values()]
    guesses.append(re.sub(r"[^a-z0-9]+", "-", name.lower().replace("'", "")).strip("-"))
    for guess in guesses:
        if guess in style.icons:
            return guess
    raise BenchError(f"Icon set {style.name!r} has no emoji {code} ({name}).")


def _roles(raw: Path) -> Iterator[Role]:
    (_, data), *_ = members(package(raw, "emojibase-data"), lambda name: name == "package/en/data.json")
    for entry in json.loads(data):
        for gender in GENDERS:
            profession = entry["label"].removeprefix("" if gender == "person" else f"{gender} ")
            if profession in PROFESSIONS and entry["label"] == (
                profession if gender == "person" else f"{gender} {profession}"
            ):
                yield Role(profession, gender, "none", _plain(entry["hexcode"]))
                for skin in entry.get("skins", []):
                    yield Role(profession, gender, TONES[skin["tone"]], _plain(skin["hexcode"]))


def _plain(code: str) -> str:
    return code.lower().replace("-fe0f", "")


def _render(svg: str, side: int) -> bytes:
    """Rendered four times too large and reduced: smoother than the renderer's own edges."""
    import resvg_py

    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side * 4, height=side * 4))
    picture = on_white(Image.open(io.BytesIO(data)))
    return webp(picture.reduce(4))
