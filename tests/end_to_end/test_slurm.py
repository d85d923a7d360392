"""A sweep of 2 models x 6 tasks on a real Slurm of one node, where one job fails and others are killed.

Each of them is a failed row, a rerun does only these, and the merged report is bit for bit an undisturbed sweep's.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from bench import results
from tests.fixtures import layouts
from tests.toys import save_small_clip

ROOT = Path(__file__).parents[2]
STARTER = ROOT.parent / "shared" / "bin" / "slurm-up"
KILLS = 5
JOBS = 12
FAILING = 11
TASKS = ("clipart", "digits", "emoji_noto", "flags", "fruit_fine", "frail")
ON_SLURM = ("cluster=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.max_num_timeout=0",
            "cluster.array_size=6")  # fmt: skip
CODE = "import sys; from bench.app import main; sys.argv[0] = 'bench'; main()"
FRAIL = """
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from bench.errors import BenchError
from bench.task import Task
from tasks.sources import from_folder
from tasks.text import named

HERE = Path(__file__).parent
photos = from_folder(HERE / "photos")


def load(split):
    if HydraConfig.get().runtime.output_dir == (HERE / "broken").read_text():
        raise BenchError("The disk of this node is broken.")
    return photos(split)


FRAIL = Task(name="frail", family="mine", load=load, classes=named(["ant", "bee", "dog"]),
             templates=("a photo of a {}.",), splits={"test": None}, licence="mine", reference="my camera")
"""
"""A task whose pictures cannot be read by the job whose folder the file `broken` names."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STARTER.exists(), reason=f"needs {STARTER}, which starts a Slurm"),
    pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can start a Slurm"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    own = {**os.environ, "SLURM_HOME": str(tmp_path_factory.mktemp("slurm")), "PYTHONPATH": str(ROOT)}
    said = subprocess.run(["bash", str(STARTER)], env=own, capture_output=True, text=True, check=True).stdout
    found = re.search(r"SLURM_CONF=(\S+)", said)
    assert found, said
    yield {**own, "SLURM_CONF": found[1]}
    subprocess.run(["bash", str(STARTER), "stop"], env=own, check=False, capture_output=True)


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second model and the sixth task."""
    place = tmp_path_factory.mktemp("things")
    save_small_clip(place / "small.safetensors")
    layouts.folders(place / "own", ["ant", "bee", "dog"], path="photos", splits=("test",))
    (place / "own" / "frail.py").write_text(FRAIL)
    (place / "own" / "broken").touch()
    return place


def sweep(place: Path, things: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    place.mkdir(exist_ok=True)
    given = [*words, f"model.path=null,{things / 'small.safetensors'}", f"task={','.join(TASKS)}",
             f"task.path={things / 'own' / 'frail.py'}", "limit=60", "report=none", f"store.folder={place / 'store'}",
             f"resume={place / 'sweep'}"]  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", CODE, *given], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


def workers(place: Path) -> list[int]:
    """Processes that compute a job of the sweep there, but for the one that fails by itself."""
    found = subprocess.run(["pgrep", "-f", f"submitit.core._submit {place}"], capture_output=True, text=True,
                           check=False)  # fmt: skip
    return [int(one) for one in found.stdout.split() if place_of(int(one)) not in (None, FAILING // 2)]


def place_of(process: int) -> int | None:
    """Which job of its array it computes; None if it has ended. Of the two arrays one has every other job."""
    try:
        words = Path(f"/proc/{process}/environ").read_text().split("\0")
    except OSError:
        return None
    return next((int(one.partition("=")[2]) for one in words if one.startswith("SLURM_ARRAY_TASK_ID=")), None)


def kill_some(process: subprocess.Popen[str], place: Path) -> int:
    """While the sweep runs, at random points of the jobs' lives, which the first that ends shows; how many were."""
    chance, killed, life = random.Random(0), 0, 0.0
    began: dict[int, float] = {}
    due: dict[int, float] = {}
    while killed < KILLS and process.poll() is None:
        time.sleep(0.2)
        now, there = time.monotonic(), workers(place)
        for one in there:
            if one not in began and life and killed + len(due) < KILLS:
                due[one] = now + chance.uniform(0, 0.8) * life
            began.setdefault(one, now)
        life = life or max((now - began[one] for one in began if one not in there), default=0.0)
        for one in [one for one, when in due.items() if when <= now]:
            del due[one]  # one that has ended by itself makes room for another
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
                killed += 1
    return killed


def check_same(place: Path, undisturbed: Path, environment: dict[str, str]) -> None:
    """Rows and predictions of every job, and the merged report's table, bit for bit."""
    for number in range(JOBS):
        mine, theirs = place / str(number), undisturbed / str(number)
        pd.testing.assert_frame_equal(results.read(mine), results.read(theirs), check_exact=True)
        for file in (theirs / "predictions").iterdir():
            assert (mine / "predictions" / file.name).read_bytes() == file.read_bytes()
    expected = results.merge(results.run_folders(undisturbed))
    words = [sys.executable, "-c", "from reports.cli import main; main()", str(place)]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    merged = results.read(place)
    assert (place / "report.html").exists()
    headline = merged[merged["headline"]]
    assert len(headline) == JOBS
    assert headline.groupby("model")["task"].agg(set).tolist() == [set(TASKS)] * 2
    pd.testing.assert_frame_equal(merged, expected, check_exact=True)


def test_what_failed_or_was_killed_is_a_row_and_a_rerun_does_only_that(
    tmp_path: Path, things: Path, environment: dict[str, str]
) -> None:
    place, plain = tmp_path / "slurm" / "sweep", tmp_path / "plain" / "sweep"
    (things / "own" / "broken").write_text(str(place / str(FAILING)))
    undisturbed = sweep(plain.parent, things, environment, "-m")
    first = sweep(place.parent, things, environment, *ON_SLURM)
    killed = kill_some(first, place)
    said, _ = first.communicate()
    assert (first.returncode, killed) == (1, KILLS), said
    assert len(results.run_folders(place)) == JOBS
    found = results.merge(results.run_folders(place))
    failed = found[found["status"] == "failed"]
    own = failed["run"] == f"sweep/{FAILING}"
    assert failed.loc[own, ["task", "reason"]].to_numpy().tolist() == [["frail", "The disk of this node is broken."]]
    assert 1 <= (~own).sum() <= KILLS  # a job may have been killed after its last cell
    assert failed.loc[~own, "reason"].str.contains("ended without a word").all(), failed["reason"].tolist()

    (things / "own" / "broken").write_text("")
    again = sweep(place.parent, things, environment, *ON_SLURM)
    said, _ = again.communicate()
    assert again.returncode == 0, said
    missing = failed["run"].nunique()
    assert f"{JOBS - missing} of {JOBS} jobs are finished, {missing} to do" in said
    assert f"{missing} jobs submitted as Slurm's" in said
    said, _ = undisturbed.communicate()
    assert undisturbed.returncode == 0, said
    check_same(place, plain, environment)
