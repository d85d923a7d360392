"""A sweep on a real Slurm of one node, some jobs killed: failed rows, a rerun of what is missing, the same end."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bench import results

ROOT = Path(__file__).parents[2]
STARTER = ROOT.parent / "shared" / "bin" / "slurm-up"
KILLS = 5
SWEEP = ["model=bundled", "model.precision=float32,bfloat16", "limit=60", "report=none",
         "task=clipart,digits,emoji_noto,flags,fruit_fine,scene_count"]  # fmt: skip
CODE = "import sys; from bench.app import main; sys.argv[0] = 'bench'; main()"

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


def sweep(place: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    place.mkdir(exist_ok=True)
    given = [*words, *SWEEP, f"resume={place / 'sweep'}", f"store.folder={place / 'store'}"]
    return subprocess.Popen([sys.executable, "-c", CODE, *given], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


def on_slurm(*words: str) -> list[str]:
    return ["cluster=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.max_num_timeout=0", *words]


def workers() -> list[int]:
    """Processes that compute a job."""
    found = subprocess.run(["pgrep", "-f", "submitit.core._submit"], capture_output=True, text=True, check=False)
    return [int(one) for one in found.stdout.split()]


def test_killed_jobs_are_rows_and_a_rerun_does_only_them(tmp_path: Path, environment: dict[str, str]) -> None:
    plain = sweep(tmp_path / "plain", environment, "-m")
    process = sweep(tmp_path / "slurm", environment, *on_slurm())
    chance, killed = random.Random(0), set()
    while len(killed) < KILLS and process.poll() is None:
        time.sleep(chance.uniform(1, 12))
        if fresh := [one for one in workers() if one not in killed]:
            victim = chance.choice(fresh)
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
    said, _ = process.communicate()
    assert process.returncode == 1, said
    assert len(killed) == KILLS
    place = tmp_path / "slurm" / "sweep"
    found = results.merge(results.run_folders(place))
    failed = found[found["status"] == "failed"]
    assert set(failed["task"]) <= set(found["task"])
    assert len(results.run_folders(place)) == 12
    assert 1 <= len(failed) <= KILLS  # a job may have been killed after its last cell
    assert failed["reason"].str.contains("ended without a word").all(), failed["reason"].tolist()
    again = sweep(tmp_path / "slurm", environment, *on_slurm())
    said, _ = again.communicate()
    assert again.returncode == 0, said
    assert int(re.search(r"(\d+) of 12 jobs are finished", said)[1]) == 12 - failed["run"].nunique()  # type: ignore[index]
    said, _ = plain.communicate()
    assert plain.returncode == 0, said
    for number in range(12):
        mine, theirs = place / str(number), tmp_path / "plain" / "sweep" / str(number)
        pd.testing.assert_frame_equal(results.read(mine), results.read(theirs), check_exact=True)
        for file in (theirs / "predictions").iterdir():
            assert (mine / "predictions" / file.name).read_bytes() == file.read_bytes()
    words = [sys.executable, "-c", "from reports.cli import main; main()", str(place)]
    subprocess.run(words, env=environment, check=True, capture_output=True)
    merged = results.read(place)
    assert merged["task"].nunique() == 6
    assert len(merged) == sum(len(results.read(place / str(number))) for number in range(12))
