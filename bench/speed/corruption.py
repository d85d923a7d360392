"""The corruptions of ImageNet-C against the port `imagecorruptions`, one by one, on the same pictures.

    python -m bench.speed.corruption --peer-python /path/to/python [--threads 1] [--pictures FILE.npy]

The port runs in an interpreter of its own, since it needs old versions (Python 3.10, numpy 1.23.5, scikit-image
0.19.3, scipy 1.10.1, OpenCV 4, imagecorruptions 1.1.2). Both run in fresh processes, twice and in turn (ours, port,
port, ours), array to array, with another seed each time; of each severity the fastest call of a process counts, and of
two processes the mean. Each first frees 16 MB at once, as any process that runs a model has: glibc then keeps small
arrays on its heap instead of asking the system for each. `--threads 0` leaves OpenCV and BLAS to their defaults.
Pictures: uint8 [n, 224, 224, 3]; waves with some grain unless given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WORKER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import cv2, numpy as np
side, file, threads, names = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].split(",")
if threads:
    cv2.setNumThreads(threads)
pictures = np.load(file)
np.ones(1 << 24, np.uint8)
if side == "ours":
    from bench.audit.corruption import corrupt
    call = lambda image, name, severity, seed: corrupt(image, name, severity, seed=seed)
else:
    from imagecorruptions import corrupt
    def call(image, name, severity, seed):
        np.random.seed(seed)
        return corrupt(image, corruption_name=name, severity=severity)
for name in names:
    best = []
    for severity in range(1, 6):
        began, times = time.perf_counter(), []
        while len(times) < 3 or (len(times) < 60 and time.perf_counter() - began < 0.15):
            image = pictures[len(times) % len(pictures)]
            start = time.perf_counter()
            call(image, name, severity, len(times))
            times.append(time.perf_counter() - start)
        best.append(min(times))
    print(json.dumps([name, best]), flush=True)
"""


def scenes(count: int = 4, side: int = 224) -> np.ndarray:
    """uint8 [n, side, side, 3]: waves of several lengths and some grain."""
    random = np.random.default_rng(0)
    places = np.mgrid[:side, :side] / side
    found = []
    for _ in range(count):
        waves = random.normal(size=(12, 3)) / np.arange(1, 13)[:, None]
        angles, phases = random.uniform(0, 6.3, (2, 12))
        turned = np.cos(angles)[:, None, None] * places[0] + np.sin(angles)[:, None, None] * places[1]
        field = np.sin(turned * np.arange(1, 13)[:, None, None] * 6.3 + phases[:, None, None])
        found.append(128 + 60 * np.einsum("wyx,wc->yxc", field, waves) + random.normal(0, 8, (side, side, 3)))
    return np.stack(found).clip(0, 255).astype(np.uint8)


def timed(python: str, side: str, file: str, threads: int, names: list[str]) -> dict[str, np.ndarray]:
    """Seconds [5] of each corruption in a fresh process."""
    environment = os.environ | (
        {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)} if threads else {}
    )
    command = [python, "-c", WORKER, side, file, str(threads), ",".join(names)]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)  # noqa: S603
    rows = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("[")]
    return {name: np.array(times) for name, times in rows}


def geometric(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def main() -> None:
    from bench.audit.corruption import CORRUPTIONS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, help="interpreter that has imagecorruptions")
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV and BLAS; 0: as they like")
    parser.add_argument("--pictures", help="a .npy file; synthetic scenes if not given")
    parser.add_argument("--only", nargs="*", default=list(CORRUPTIONS), help="these corruptions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = given.pictures or str(Path(folder) / "pictures.npy")
        if not given.pictures:
            np.save(file, scenes())
        runs: dict[str, list[dict[str, np.ndarray]]] = {"ours": [], "port": []}
        for side in ("ours", "port", "port", "ours"):
            python = sys.executable if side == "ours" else given.peer_python
            runs[side].append(timed(python, side, file, given.threads, given.only))
    print(f"{'milliseconds, mean over severities':36s}{'ours':>9s}{'port':>9s}{'times':>9s}{'least':>9s}")
    overall = []
    for name in given.only:
        ours, port = (np.mean([run[name] for run in runs[side]], axis=0) for side in ("ours", "port"))
        ratios = port / ours
        overall.append(geometric(ratios))
        print(f"{name:36s}{1e3 * ours.mean():9.2f}{1e3 * port.mean():9.2f}{overall[-1]:9.1f}{ratios.min():9.1f}")
    print(f"{'geometric mean':36s}{'':18s}{geometric(np.array(overall)):9.1f}")


if __name__ == "__main__":
    main()
