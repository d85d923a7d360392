"""Open Clip Art (Debian `openclipart-png` and `openclipart-svg`): public domain drawings with titles and keywords.

The pictures are taken from the PNG package, the words from the RDF in the SVG of the same path. Drawings not marked
public domain are left out, as are flags and the tenth of the paths that the bundled task tests on (`is_test`).
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.training.pictures import SIZE, Picture
from bench.training.sources.vectors import fit

FLAGS = "signs_and_symbols/flags/"  # rectangular flags of countries are a bundled task's
TITLE = re.compile(r"<dc:title>([^<]+)</dc:title>")
KEYWORD = re.compile(r"<rdf:li>([^<]+)</rdf:li>")
DESCRIPTION = re.compile(r"<dc:description>([^<]+)</dc:description>")


def is_test(path: str) -> bool:
    """Whether a path below the PNG tree, `food/fruit/apple.png`, belongs to the tenth kept for testing."""
    return int(hashlib.md5(path.encode(), usedforsecurity=False).hexdigest(), 16) % 10 == 0


def clipart(raw: Path) -> Iterator[Picture]:
    """Every public-domain drawing outside the test tenth, with title, keywords and description."""
    from PIL import Image

    pngs = next(raw.glob("openclipart-png*/usr/share/openclipart/png"))
    svgs = next(raw.glob("openclipart-svg*/usr/share/openclipart/svg"))
    for path in sorted(pngs.rglob("*.png")):
        name = path.relative_to(pngs)
        drawing = svgs / name.with_suffix(".svg")
        if is_test(name.as_posix()) or FLAGS in name.as_posix() or not drawing.exists():
            continue
        words = drawing.read_text(encoding="utf-8", errors="replace")
        captions = captions_of(words)
        if not captions or ("PublicDomain" not in words and "publicdomain" not in words):
            continue
        try:
            picture = Image.open(path).convert("RGBA")
        except (OSError, Image.DecompressionBombError):  # broken, or absurdly large
            continue
        pixels = np.asarray(fit(picture, SIZE)).transpose(2, 0, 1).copy()
        yield Picture(pixels, captions, "public domain", f"openclipart:{name.as_posix()}")


def captions_of(svg: str) -> tuple[str, ...]:
    """Title, then the keywords, then the description of an SVG's RDF; empty where there is no title."""
    title = TITLE.search(svg)
    keywords = [word.strip().lower() for word in KEYWORD.findall(svg) if word.strip()]
    description = DESCRIPTION.search(svg)
    named = _clean(title.group(1)) if title else ""
    found = [named, ", ".join(dict.fromkeys(keywords))[:120], _clean(description.group(1)) if description else ""]
    return tuple(dict.fromkeys(text for text in found if len(text) > 2)) if len(named) > 2 else ()


def _clean(text: str) -> str:
    return re.sub(r"[\W_]*\d*$", "", re.sub(r"[\s_]+", " ", text.strip().lower()))[:120]
