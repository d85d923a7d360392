"""The published files of ImageNet-C and CIFAR-C (Hendrycks and Dietterich 2019): one corruption and severity a split.

Splits are called `fog@3`; `test` holds the fifteen corruptions that count at all five severities, with attributes
`corruption`, `severity` and `picture` (the same for all versions of one picture).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError, reading
from bench.task import Pictures, Records, digest
from tasks.sources.content import from_array
from tasks.sources.folder import pictures_by_class, records_of_files
from tasks.sources.matching import numbered
from tasks.sources.places import not_at_hand
from tasks.text import classes

if TYPE_CHECKING:
    import pandas as pd

COUNTED = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow",
    "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip
HELD_OUT = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
SEVERITIES = (1, 2, 3, 4, 5)
SPLITS = tuple(f"{name}@{severity}" for name in (*COUNTED, *HELD_OUT) for severity in SEVERITIES)
Read = Callable[[Path, str], Records]


def cifar_c(folder: str, named: str) -> Read:
    """`<folder>/fog.npy`: uint8 [5 n, 32, 32, 3], severity after severity; `labels.npy` [5 n].

    Labels count the names of CIFAR, which are in alphabetical order; our class list `named` has the same names.
    """

    def one(root: Path, split: str) -> Records:
        corruption, severity = _parts(split)
        base = root / folder
        pictures, labels = _array(base / f"{corruption}.npy"), _array(base / "labels.npy")
        count, rest = divmod(len(pictures), len(SEVERITIES))
        if rest or pictures.dtype != np.uint8 or pictures.shape[1:] != (32, 32, 3) or labels.shape != (len(pictures),):
            raise BenchError(
                f"{base}/{corruption}.npy is not in the layout of CIFAR-C: {pictures.dtype} {pictures.shape} with "
                f"labels {labels.shape}; expected uint8 [5 n, 32, 32, 3] and 5 n labels. Fetch it again."
            )
        names = sorted(one.key for one in classes(named))
        part = slice((severity - 1) * count, severity * count)
        with reading(base / "labels.npy", f"labels from 0 to {len(names) - 1}"):
            keys = [numbered(names, int(label)) for label in labels[part]]
        ids = [f"{split}/{i:05d}" for i in range(count)]
        fingerprint = digest("array", str(pictures[part].shape), pictures[part].tobytes())
        return Records(from_array(pictures[part]), keys, ids, fingerprint)

    return _with_whole(one)


def imagenet_c(folder: str) -> Read:
    """`<folder>/fog/3/<class>/<name>.JPEG`, or with the folder of the archive between (`<folder>/weather/fog/3/...`).

    The files are 224 x 224 already. A model whose preprocessing resizes the shorter side to 224 sees them untouched.
    """

    def one(root: Path, split: str) -> Records:
        corruption, severity = _parts(split)
        base = root / folder
        found = [base / corruption, *sorted(base.glob(f"*/{corruption}"))]
        places = [place / str(severity) for place in found if (place / str(severity)).is_dir()]
        if not places:
            raise not_at_hand(f"{folder}, split {split}", [base / corruption / str(severity)])
        files = pictures_by_class(places[0])
        records = records_of_files(files, [file.relative_to(places[0]).parts[0] for file in files], root=places[0])
        return Records(records.images, records.keys, [f"{split}/{one}" for one in records.ids], records.fingerprint)

    return _with_whole(one)


def _with_whole(one: Read) -> Read:
    """Adds the split `test`: all that count for mCE, and attributes that say what was done to each picture."""

    def read(root: Path, split: str) -> Records:
        names = [name for name in SPLITS if _parts(name)[0] in COUNTED] if split == "test" else [split]
        parts = [one(root, name) for name in names]
        import pandas as pd

        attributes = pd.concat([_attributes(name, part) for name, part in zip(names, parts, strict=True)])
        if split != "test":
            return Records(parts[0].images, parts[0].keys, parts[0].ids, parts[0].fingerprint, attributes)
        starts = np.cumsum([0, *(len(part.images) for part in parts)])

        def picture(i: int):  # type: ignore[no-untyped-def]
            which = int(np.searchsorted(starts, i, side="right")) - 1
            return parts[which].images[i - int(starts[which])]

        return Records(
            Pictures(int(starts[-1]), picture),
            [str(key) for part in parts for key in part.keys],
            [one_id for part in parts for one_id in part.ids],
            digest(*(part.fingerprint for part in parts)),
            attributes,
        )

    return read


def _attributes(split: str, records: Records) -> pd.DataFrame:
    import pandas as pd

    corruption, severity = _parts(split)
    pictures = [one.removeprefix(f"{split}/") for one in records.ids]
    return pd.DataFrame({"corruption": corruption, "severity": severity, "picture": pictures})


def _parts(split: str) -> tuple[str, int]:
    name, _, severity = split.partition("@")
    return name, int(severity)


def _array(path: Path) -> np.ndarray:
    if not path.is_file():
        raise not_at_hand(path.parent.name, [path])
    with reading(path, "an array"):
        found = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if not found.ndim:
            raise ValueError("it holds one number")
        return found
