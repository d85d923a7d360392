"""Statistics of the port `imagecorruptions` 1.1.2 on photographs of the bundled pack -> reference.csv.

    python -m tests.golden.corruption.make_reference --peer-python /path/to/python

The port needs an environment of its own, in which all of it still runs: Python 3.10 with numpy 1.23.5,
scikit-image 0.19.3, scipy 1.10.1, opencv-python-headless 4.7.0.72, numba, setuptools < 80, imagecorruptions 1.1.2.
Takes about ten minutes, nearly all of them for glass blur.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PICTURES, RUNS, SIDE = 4, 10, 224


def photographs() -> np.ndarray:
    """uint8 [4, 224, 224, 3]: four photographs of the pack, enlarged."""
    from PIL import Image

    import tasks

    found = tasks.select("fruit_fine")[0].samples().images
    chosen = [found[i * len(found) // PICTURES] for i in range(PICTURES)]
    return np.stack([np.asarray(one.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in chosen])


PEER = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import numpy as np
from imagecorruptions import corrupt, get_corruption_names
from statistics_of_pictures import NAMES, statistics, summary
pictures = np.load(sys.argv[2])
print("corruption,severity,statistic,mean,error")
for name in get_corruption_names("all"):
    for severity in range(1, 6):
        np.random.seed(severity)
        settings = {"corruption_name": name, "severity": severity}
        runs = [[statistics(one, corrupt(one, **settings)) for _ in range(int(sys.argv[3]))] for one in pictures]
        for which, mean, error in zip(NAMES, *summary(runs)):
            print(f"{name},{severity},{which},{mean:.5f},{error:.5f}", flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/pictures.npy", photographs())
        (Path(folder) / "statistics_of_pictures.py").write_text((HERE / "statistics.py").read_text())
        found = subprocess.run(
            [given.peer_python, "-c", PEER, folder, f"{folder}/pictures.npy", str(RUNS)],
            stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
    (HERE / "reference.csv").write_text(found.stdout)
    print(f"{HERE / 'reference.csv'}: {len(found.stdout.splitlines()) - 1} values", file=sys.stderr)


if __name__ == "__main__":
    main()
