"""Training pictures on disk: a uint8 array and a table of captions for each source.

A source is a function `raw folder -> iterator of Picture`; `prepare` writes what it gives as `NAME.npy`
(uint8 [n, channels, size, size]; four channels where the drawing has a transparent ground) and `NAME.parquet`
(captions, licence, origin). Arrays are read memory-mapped, so that a step touches only the pictures it needs.

`python -m bench.training.pictures --raw DIR --out DIR` runs every source, then throws out what resembles a test
picture (see `duplicates`) and writes the counts to `sources.json`.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from bench.training.duplicates import HeldOut

Pixels = npt.NDArray[np.uint8]
SIZE = 64


@dataclass(frozen=True)
class Picture:
    """One picture and what is known about it; the first caption is its name, the others say the same otherwise."""

    pixels: Pixels
    """[channels, size, size]; channels 3, or 4 with the opacity last."""
    captions: tuple[str, ...]
    licence: str
    origin: str
    """Package-wide unique: set and icon, path, or row."""


Source = Callable[[Path], Iterator[Picture]]


@dataclass(frozen=True)
class Pictures:
    """One source, opened for reading."""

    name: str
    pixels: Pixels
    captions: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.captions)


def write(pictures: Iterator[Picture], out: Path, name: str, *, held_out: HeldOut) -> dict[str, object]:
    """Write one source without what resembles a test picture; returns its counts by licence."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept: list[Picture] = []
    dropped: list[Picture] = []
    for picture in pictures:
        (dropped if held_out.near(picture.pixels) else kept).append(picture)
    if not kept:
        raise BenchError(f"source {name!r} gave no picture; is its package unpacked in the raw folder?")
    np.save(out / f"{name}.npy", np.stack([picture.pixels for picture in kept]))
    columns = {key: [getattr(picture, key) for picture in kept] for key in ("captions", "licence", "origin")}
    pq.write_table(pa.table(columns), out / f"{name}.parquet")
    licences, counts = np.unique(columns["licence"], return_counts=True)
    by_licence = {str(licence): int(count) for licence, count in zip(licences, counts, strict=True)}
    return {"pictures": len(kept), "dropped_as_duplicates": len(dropped), "licences": by_licence}


def read(folder: Path, name: str) -> Pictures:
    """Open one source; the pixels stay on disk until they are asked for."""
    import pyarrow.parquet as pq

    try:
        pixels = np.load(folder / f"{name}.npy", mmap_mode="r")
        captions = pq.read_table(folder / f"{name}.parquet", columns=["captions"]).column("captions").to_pylist()
    except FileNotFoundError as error:
        raise BenchError(f"no source {name!r} in {folder}; make it by `python -m bench.training.pictures`.") from error
    return Pictures(name=name, pixels=pixels, captions=[tuple(row) for row in captions])


def sources(held_out_emoji: frozenset[str]) -> dict[str, Source]:
    """Every source by name. Emoji whose code points are given are left out of the sets that the tests draw on."""
    from bench.training.sources import clipart, photographs, rendered, sketches, vectors

    return {
        "icons": vectors.icons,
        "emoji": partial(vectors.emoji, held_out=held_out_emoji),
        "flags": vectors.flags,
        "clipart": clipart.clipart,
        "sketches": sketches.sketches,
        "glyphs": rendered.glyphs,
        "scenes": rendered.scenes,
        "photographs": photographs.cifar10,
        "groceries": photographs.groceries,
        "garments": photographs.garments,
    }


def main() -> None:
    """Command line: prepare all sources, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--raw", type=Path, required=True, help="folder that bench.training.fetch filled")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, help="folder of test pictures (parquet files with image bytes)")
    parser.add_argument("--held-out-emoji", type=Path, help="text file, one code point and name a line")
    parser.add_argument("--only", nargs="*", default=[])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = args.held_out_emoji.read_text(encoding="utf-8").splitlines() if args.held_out_emoji else []
    held_out = HeldOut.from_parquet(args.held_out) if args.held_out else HeldOut.empty()
    for name, source in sources(frozenset(line.split("\t")[0] for line in lines)).items():
        if not args.only or name in args.only:
            counts = write(source(args.raw), args.out, name, held_out=held_out)
            _record(args.out / "sources.json", name, counts)
            print(name, json.dumps(counts), flush=True)


def _record(path: Path, name: str, counts: dict[str, object]) -> None:
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**known, name: counts}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
