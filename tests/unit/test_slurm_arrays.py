"""What Slurm is handed, how it is waited for, and what it says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from bench.cluster import slurm
from bench.cluster.jobs import Job
from bench.errors import BenchError
from bench.overrides import composed
from tests.unit.test_jobs import context, done, job, row


@pytest.mark.parametrize(
    ("code", "out", "error", "left"),
    [(0, "R\nPD\nCD\nF\n", "", ["R", "PD"]), (0, "", "", []),
     (1, "", "slurm_load_jobs error: Invalid job id specified", []), (1, "", "Socket timed out", None)],
)  # fmt: skip
def test_what_the_queue_says(
    code: int, out: str, error: str, left: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = subprocess.CompletedProcess([], code, out, error)
    monkeypatch.setattr(slurm.subprocess, "run", lambda *words, **how: answer)
    assert slurm.queued(["12", "13"]) == left


def test_without_slurm_it_says_where_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="sbatch and squeue"):
        slurm.check_there()


MOST = 1001
"""Slurm's MaxArraySize where nobody has set another."""


class Executor:
    """Takes arrays as a Slurm does, up to MOST jobs each and `room` arrays in all."""

    room = 99
    made: Executor

    def __init__(self, **settings: Any) -> None:
        Executor.made, self.parameters, self.arrays = self, {}, []  # type: ignore[assignment, var-annotated]

    def update_parameters(self, **parameters: Any) -> None:
        self.parameters |= parameters

    def map_array(self, launcher: Any, *columns: list[Any]) -> list[Any]:
        numbers = columns[2]
        if len(numbers) > MOST or len(self.arrays) == self.room:
            raise RuntimeError("sbatch: error: Batch job submission failed: Invalid job array specification")
        self.arrays.append((numbers, self.parameters["slurm_array_parallelism"]))
        assert [f"hydra.sweep.subdir={number}" for number in numbers] == [words[-1] for words in columns[0]]
        name = 70 + len(self.arrays)
        nowhere = SimpleNamespace(result_pickle=Path("nowhere"))
        return [SimpleNamespace(job_id=f"{name}_{i}", paths=nowhere) for i in range(len(numbers))]


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> type[Executor]:
    submitit = pytest.importorskip("submitit")
    monkeypatch.setattr(submitit, "AutoExecutor", Executor)
    monkeypatch.setattr("shutil.which", lambda name: name)
    return Executor


def large(place: Path, *words: str, jobs: int = 4500) -> tuple[Any, list[Job]]:
    """Hydra's launcher and the jobs of a large sweep."""
    config = composed(["cluster=slurm", *words])
    params = {"submitit_folder": str(place), "max_num_timeout": 3, "array_parallelism": 64, "timeout_min": 240}
    sweep = OmegaConf.create({"hydra": {"sweep": {"dir": str(place)}}, "resume": str(place)})
    return SimpleNamespace(params=params, config=config), [Job(i, ("limit=5",), context(), sweep) for i in range(jobs)]


def test_a_large_sweep_is_several_arrays(
    tmp_path: Path, executor: type[Executor], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(slurm, "wait", waited.append)
    assert slurm.run(*large(tmp_path)) == {}
    arrays = executor.made.arrays
    assert [len(numbers) for numbers, _ in arrays] == [900] * 5
    assert sorted(number for numbers, _ in arrays for number in numbers) == list(range(4500))
    assert sum(together for _, together in arrays) <= 64
    assert waited == [["71", "72", "73", "74", "75"]]
    assert "4500 jobs submitted as Slurm's 71, 72, 73, 74, 75;" in capsys.readouterr().out


@pytest.mark.parametrize(("size", "sizes", "together"), [("7", [7, 7, 6], 21), ("20", [20], 64), ("1", [1] * 20, 3)])
def test_the_size_of_an_array_is_a_setting(
    tmp_path: Path, executor: type[Executor], size: str, sizes: list[int], together: int
) -> None:
    found = slurm.submit(*large(tmp_path, f"cluster.array_size={size}", jobs=20))
    assert sorted(found) == list(range(20))
    assert [(len(numbers), most) for numbers, most in executor.made.arrays] == [(one, together) for one in sizes]


def test_why_slurm_refuses_and_what_it_took_before(
    tmp_path: Path, executor: type[Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BenchError, match=r"Invalid job array specification.*cluster\.array_size=\S+ and the like \S+$"):
        slurm.submit(*large(tmp_path, "cluster.array_size=5000"))
    monkeypatch.setattr(executor, "room", 2)
    with pytest.raises(BenchError, match="1800 others were submitted before and go on; `scancel 71 72` ends them"):
        slurm.submit(*large(tmp_path))
    for size in ("0", "many", "null"):
        with pytest.raises(BenchError, match="is no number of jobs; write 1 or more"):
            slurm.submit(*large(tmp_path, f"cluster.array_size={size}", jobs=3))


def test_the_size_of_an_array_is_no_part_of_a_job(tmp_path: Path) -> None:
    one = Job(0, ("task=clipart", "cluster.array_size=7"), context(), job(tmp_path).sweep)
    assert one.words[0] == "task=clipart"
    assert not any("array_size" in word for word in one.words)
    done(one, row("clipart"))
    assert Job(0, ("task=clipart", "cluster.array_size=9"), one.context, one.sweep).finished()
