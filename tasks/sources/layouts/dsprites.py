"""dSprites (Matthey et al. 2017): 737,280 white shapes on black, 64 x 64, in one `.npz` of 3 GB when unpacked.

It is streamed, and every 97th picture is kept: 7,601 that run through all shapes, sizes, angles and places. VTAB
draws its own sample at random.
"""

from __future__ import annotations

import io
import operator
import zipfile
from pathlib import Path

import numpy as np

from bench.errors import reading
from bench.task import Records
from bench.unpacking import check_unpacked, entry_bytes
from tasks.sources.layouts.arrays import records_of_array
from tasks.sources.matching import numbered

FILE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
STEP, SIDE = 97, 64
SHAPES = ("square", "ellipse", "heart")


def shape(root: Path, split: str) -> Records:
    """`dsprites/<FILE>`: `imgs` of 0 and 1, `latents_classes` with the shape in column 1."""
    path = root / "dsprites" / FILE
    with reading(path, "dSprites"):
        with zipfile.ZipFile(path) as packed:
            check_unpacked(path.stat().st_size, packed.getinfo("latents_classes.npy").file_size)
            latents = np.lib.format.read_array(
                io.BytesIO(entry_bytes(packed, "latents_classes.npy")), allow_pickle=False
            )
            pictures = _every(packed, "imgs.npy", STEP)
        keys = [numbered(SHAPES, operator.index(number)) for number in latents[::STEP, 1]]
        return records_of_array(pictures * np.uint8(255), keys, split)


def _every(packed: zipfile.ZipFile, name: str, step: int) -> np.ndarray:
    """Every `step`-th picture of a uint8 array [image, height, width] in an archive, without holding the others."""
    with packed.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        (count, height, width), by_column, kind = read(file)
        if by_column or kind != np.uint8:
            raise ValueError(f"{name} is of kind {kind}, not bytes in row order")
        if (height, width) != (SIDE, SIDE):
            raise ValueError(f"{name} holds pictures of {height} x {width}, not {SIDE} x {SIDE}")
        size, kept = height * width, []
        for start in range(0, count, step):
            block = file.read(size * min(step, count - start))
            kept.append(np.frombuffer(block, np.uint8, size).reshape(height, width))
    return np.stack(kept)
