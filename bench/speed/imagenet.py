"""One penalty at the size of ImageNet: 1.28 million x 768 features, 1,000 classes, from a memory-mapped file.

    python -m bench.speed.imagenet --share 0.02           a part of classes and rows, and what the whole would take
    python -m bench.speed.imagenet --passes 2             all rows, stopped after so many passes: shows the memory

The file is synthetic (`bench.speed.contenders`, in parts), float16, 2 GB whole; it is deleted at the end. A part has
as many rows a class as the whole, so that it is about as hard, and the same penalty. Preparation takes time in
proportion to the rows, a pass to rows times classes; the number of passes is that of the part, so the extrapolation
assumes that more classes need no more passes. Memory of the whole: the rotated copy in float32 (4.0 GB) and blocks; the
file's pages are the system's to drop.

Measured whole (2026-11, one thread of a Xeon with AVX-512, beside other work): 46 passes to a gap of 5e-8 of the
objective, 2,201 processor seconds, 6.5 GB at the peak with the file's pages. A part of 0.1 had foretold 2,100 seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.speed.probe import peak

ROWS, DIM, CLASSES = 1_281_167, 768, 1000
PART = 20_000


def write(path: Path, rows: int, classes: int, *, apart: float = 0.2, seed: int = 0) -> np.ndarray:
    """Features [rows, DIM] as float16 on disk, in parts; their labels."""
    random = np.random.default_rng(seed)
    sizes = (np.arange(1, DIM + 1) ** -0.8).astype(np.float32)
    centres = np.float32(apart) * random.standard_normal((classes, DIM), dtype=np.float32)
    shift = random.standard_normal(DIM, dtype=np.float32) * 0.1
    labels = random.integers(0, classes, rows)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, DIM))
    for start in range(0, rows, PART):
        own = labels[start : start + PART]
        part = (random.standard_normal((len(own), DIM), dtype=np.float32) + centres[own]) * sizes + shift
        file[start : start + PART] = 10 * part
    file.flush()
    return labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the classes and the rows")
    parser.add_argument("--passes", type=int, default=2000, help="at most; a fit that was stopped says so")
    parser.add_argument("--penalty", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    classes = round(CLASSES * given.share)
    rows = round(ROWS * classes / CLASSES)
    with tempfile.TemporaryDirectory() as folder:
        labels = write(Path(folder) / "features.npy", rows, classes)
        print(json.dumps(measure(Path(folder) / "features.npy", labels, classes, given)), flush=True)


def measure(path: Path, labels: np.ndarray, classes: int, given: argparse.Namespace) -> dict[str, object]:
    """Seconds of preparation and of a pass, here and for all rows; whether it converged; memory at its peak."""
    from bench.evaluation.probing import told
    from bench.logistic import LogisticPath

    features = np.load(path, mmap_mode="r")
    began, processor = time.perf_counter(), time.process_time()
    solver = LogisticPath(features, labels, classes, passes=given.passes, report=told("imagenet"))
    ready, prepared = time.perf_counter() - began, time.process_time() - processor
    fit = solver.solve([given.penalty])[0]
    spent, worked = time.perf_counter() - began - ready, time.process_time() - processor - prepared
    share = classes / CLASSES
    return {
        "rows": len(labels), "classes": classes, "preparation s": round(ready, 1), "passes": solver.used,
        "wall s a pass": round(spent / solver.used, 2), "processor s": round(prepared + worked, 1),
        "converged": fit.converged, "gap": fit.gap / fit.objective,
        "whole, extrapolated, min": round((ready / share + spent / share**2) / 60, 1),
        "whole, extrapolated, processor min": round((prepared / share + worked / share**2) / 60, 1),
        "peak MiB": round(peak()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
