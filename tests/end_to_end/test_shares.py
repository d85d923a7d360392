"""One large set over two processes by `shard=I/N`: the same rows as of one process, and no picture encoded twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from bench import results
from bench.store import SHARD
from tests.toys import save_small_clip

ROOT = Path(__file__).parents[2]
COUNT = SHARD + 500
CODE = "import sys; from bench.app import main; sys.argv[0] = 'bench'; main()"
LARGE = f"""
import os
from pathlib import Path

import numpy as np
from PIL import Image

from bench.task import Pictures, Records, Task
from tasks.text import named

CLASSES = ("dark", "grey", "light")


def read(i):
    with open(os.environ["READ"], "a") as file:
        file.write(f"{{i}}\\n")
    return Image.fromarray(np.random.default_rng(i).integers(0, 85, (8, 8, 3), dtype=np.uint8) + np.uint8(85 * (i % 3)))


def load(split):
    count = {COUNT}
    return Records(Pictures(count, read), [CLASSES[i % 3] for i in range(count)], [str(i) for i in range(count)], "1")


LARGE = Task(name="large", family="mine", load=load, classes=named(list(CLASSES)), templates=("a {{}} picture.",),
             splits={{"test": {COUNT}}}, licence="none", reference="none")
"""


def start(place: Path, name: str, *words: str, store: str = "store") -> subprocess.Popen[str]:
    """`bench` into the folder `name/run`; which pictures it read is in `name.read`."""
    given = [f"model.path={place / 'small.safetensors'}", "task=large", f"task.path={place / 'large.py'}",
             "report=none", f"store.folder={place / store}", f"resume={place / name / 'run'}", *words]  # fmt: skip
    own = {**os.environ, "PYTHONPATH": str(ROOT), "READ": str(place / f"{name}.read")}
    return subprocess.Popen([sys.executable, "-c", CODE, *given], env=own, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)  # fmt: skip


def said(process: subprocess.Popen[str]) -> str:
    """What a run that succeeded has printed."""
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    return text


def read(place: Path, *names: str) -> Counter[str]:
    """How often each picture was read in these runs."""
    return Counter(line for name in names for line in (place / f"{name}.read").read_text().split())


@pytest.mark.slow
def test_two_shares_at_once_and_their_merge(tmp_path: Path) -> None:
    save_small_clip(tmp_path / "small.safetensors")
    (tmp_path / "large.py").write_text(LARGE)
    both = [start(tmp_path, f"share{i}", f"shard={i}/2") for i in range(2)]
    for text in map(said, both):
        assert "FAILED" not in text
    shown = 16  # on the page: eight at random, eight mistakes; of a share that found the others' vectors too
    reads = read(tmp_path, "share0", "share1")
    assert set(reads) == {str(i) for i in range(COUNT)}
    assert reads.total() <= COUNT + 2 * shown
    assert len(read(tmp_path, "share0")) >= SHARD
    assert len(read(tmp_path, "share1")) >= COUNT - SHARD

    said(start(tmp_path, "merged"))
    assert read(tmp_path, "merged").total() <= shown
    said(start(tmp_path, "undivided", store="another"))
    assert set(read(tmp_path, "undivided")) == {str(i) for i in range(COUNT)}
    merged, undivided = (tmp_path / name / "run" for name in ("merged", "undivided"))
    pd.testing.assert_frame_equal(results.read(merged), results.read(undivided), check_exact=True)
    (predictions,) = (undivided / "predictions").iterdir()
    assert (merged / "predictions" / predictions.name).read_bytes() == predictions.read_bytes()
