"""Icons, emoji and round flags: the SVG sets of the npm package `@iconify/json`, drawn at training size.

A set states its licence (SPDX) in its own file; it is carried along with every picture. Names of icons become
captions. Emoji are joined to their CLDR names and tags (npm `emojibase-data`, MIT) by code point.

What is never drawn here, because a bundled task tests on it: the style twemoji; the held-out emoji in the test
styles and in their other editions; people in a skin tone; rectangular flags.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.training.pictures import SIZE, Picture

COLOURED = (
    "streamline-ultimate-color", "streamline-plump-color", "streamline-freehand-color", "streamline-kameleon-color",
    "streamline-stickies-color", "streamline-color", "streamline-flex-color", "streamline-sharp-color",
    "streamline-cyber-color", "fluent-color", "icon-park", "glyphs-poly", "marketeq", "meteocons",
    "flat-color-icons", "flat-ui", "streamline-emojis",
)  # fmt: skip
TEST_STYLES = ("noto", "fluent-emoji-flat", "emojione")
OTHER_EDITIONS = ("noto-v1", "fluent-emoji", "emojione-v1", "emojione-monotone")
FREE_STYLES = ("openmoji", "fxemoji", "fluent-emoji-high-contrast")
# Words in an icon's name that speak of its style or its place in the set, not of what it shows.
STYLE_WORDS = frozenset({
    "flat", "duo", "fill", "filled", "outline", "bold", "thin", "light", "solid", "line", "one", "two", "three", "four",
    "five", "six", "seven", "eight", "nine", "alt", "variant", "16", "20", "24", "28", "32", "48", "24px", "rectangle",
})  # fmt: skip
TONES = re.compile(r"1f3f[b-f]")
REGIONAL = re.compile(r"^1f1e[6-9a-f]|^1f1f|1f3f4|^1f38c$|^1f3c1$|^1f6a9$|^1f3f3")
BATCH = 64


class Drawing(NamedTuple):
    """One SVG still to be drawn."""

    svg: str
    captions: tuple[str, ...]
    licence: str
    origin: str


def icons(raw: Path) -> Iterator[Picture]:
    """Coloured icons with their names."""
    return _draw(_named(raw, COLOURED))


def emoji(raw: Path, *, held_out: frozenset[str]) -> Iterator[Picture]:
    """Emoji with CLDR names and tags, less what the bundled tasks test on (see the module's head)."""
    names = emoji_names(raw)
    return _draw(
        drawing
        for style in (*TEST_STYLES, *OTHER_EDITIONS, *FREE_STYLES)
        for drawing in _emoji_set(raw, style, names, frozenset() if style in FREE_STYLES else held_out)
    )


def flags(raw: Path) -> Iterator[Picture]:
    """Round flags with the names of countries."""
    names = {
        re.sub(r"[^a-z]", "", _letters(code)): captions[0].removeprefix("flag: ")
        for code, captions in emoji_names(raw).items()
        if REGIONAL.match(code) and captions[0].startswith("flag: ")
    }
    found = _read_set(raw, "circle-flags")
    licence = found["info"]["license"]["spdx"]
    return _draw(
        Drawing(svg, (names[icon], f"flag of {names[icon]}"), licence, f"circle-flags:{icon}")
        for icon, svg in _bodies(found)
        if icon in names
    )


def emoji_names(raw: Path) -> dict[str, tuple[str, ...]]:
    """Code points (lower case, joined by `-`, without the variation selector) -> CLDR name, then tags."""
    path = next(raw.glob("emojibase-data*/package/en/data.json"))
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {_code(row["hexcode"]): (row["label"], *row.get("tags", ())) for row in rows}


def _letters(code: str) -> str:
    points = [int(point, 16) - 0x1F1E6 for point in code.split("-")]
    return "".join(chr(ord("a") + point) if 0 <= point < 26 else "?" for point in points)


def _joined(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _code(text: str) -> str:
    return "-".join(part for part in text.lower().split("-") if part != "fe0f")


def _emoji_set(raw: Path, style: str, names: dict[str, tuple[str, ...]], held_out: frozenset[str]) -> Iterator[Drawing]:
    found = _read_set(raw, style)
    by_icon = {icon: _code(code) for code, icon in found.get("chars", {}).items()}
    by_label = {_joined(row[0]): code for code, row in names.items()}  # some sets give no code points
    roles = style not in FREE_STYLES
    for icon, svg in _bodies(found):
        code = by_icon.get(icon) or by_label.get(_joined(icon))
        person = code is not None and "200d" in code.split("-")
        if code not in names or code in held_out or TONES.search(code) or REGIONAL.match(code) or (roles and person):
            continue
        label, *tags = names[code]
        captions = (label.lower(), f"{label}: {', '.join(tags[:4])}".lower()) if tags else (label.lower(),)
        yield Drawing(svg, captions, found["info"]["license"]["spdx"], f"{style}:{icon}")


def _named(raw: Path, sets: Iterable[str]) -> Iterator[Drawing]:
    for name in sets:
        found = _read_set(raw, name)
        for icon, svg in _bodies(found):
            caption = caption_of(icon)
            if caption:
                yield Drawing(svg, (caption,), found["info"]["license"]["spdx"], f"{name}:{icon}")


def caption_of(icon: str) -> str:
    """`pickup-truck-2-flat` -> `pickup truck`; empty where nothing is left."""
    words = [re.sub(r"\d+$", "", word) for word in icon.split("--")[0].split("-")]
    while words and (words[-1] in STYLE_WORDS or len(words[-1]) < 2):
        words.pop()
    return " ".join(word for word in words if word)


def _read_set(raw: Path, name: str) -> dict[str, Any]:
    path = next(raw.glob(f"iconify-json*/package/json/{name}.json"))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _bodies(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for icon, entry in found["icons"].items():
        if entry.get("hidden"):
            continue
        left, top = entry.get("left", 0), entry.get("top", 0)
        width = entry.get("width", found.get("width", 16))
        height = entry.get("height", found.get("height", 16))
        box = f'viewBox="{left} {top} {width} {height}"'
        namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        yield icon, f'<svg {namespaces} {box} width="{width}" height="{height}">{entry["body"]}</svg>'


def _draw(drawings: Iterable[Drawing], *, processes: int = 2) -> Iterator[Picture]:
    """Draw in a few processes, in order; what cannot be drawn, or comes out empty, is left out."""
    # "spawn" would import torch again in each process for nothing; no thread is running here when it forks.
    with get_context("fork").Pool(processes) as pool:
        for drawing, pixels in pool.imap(partial(_rasterise, size=SIZE), drawings, chunksize=BATCH):
            if pixels is not None:
                yield Picture(pixels, drawing.captions, drawing.licence, drawing.origin)


def _rasterise(drawing: Drawing, size: int) -> tuple[Drawing, npt.NDArray[np.uint8] | None]:
    from io import BytesIO

    import resvg_py
    from PIL import Image

    try:
        data = resvg_py.svg_to_bytes(svg_string=drawing.svg, width=2 * size, height=2 * size)
        picture = Image.open(BytesIO(bytes(data))).convert("RGBA")
    except (ValueError, RuntimeError, OSError):
        return drawing._replace(svg=""), None
    picture = fit(picture, size)
    pixels = np.asarray(picture).transpose(2, 0, 1).copy()
    return drawing._replace(svg=""), pixels if pixels[3].max() > 64 else None


def fit(picture: Any, size: int) -> Any:
    """A Pillow picture, shrunk to fit a transparent square of `size`, in the middle."""
    from PIL import Image

    scale = size / max(picture.size)
    sides = [max(1, round(side * scale)) for side in picture.size]
    small = picture.resize(sides, Image.Resampling.BOX if scale < 0.6 else Image.Resampling.BICUBIC)
    out = Image.new("RGBA", (size, size), (255, 255, 255, 0))
    out.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return out
