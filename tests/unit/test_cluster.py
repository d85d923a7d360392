"""Sweeps: what is launched, and what becomes of jobs that died."""

from __future__ import annotations

import os
import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import results
from bench.cluster import Sweep, check_installed
from bench.cluster.jobs import Job
from bench.errors import BenchError
from bench.run_folder import RunFolder, alone, note
from tests.end_to_end.test_app import bench
from tests.unit.test_jobs import context, done, job, row

TASKS = ("clipart", "digits", "flags")


class Inner:
    """A launcher that runs no process; `act` says what happens to each job."""

    def __init__(self, place: Path, act: Any) -> None:
        self.hydra_context, self.config, self.act = context(), job(place).sweep, act
        self.launched: list[list[str]] = []

    def launch(self, words: list[list[str]], first: int) -> list[Any]:
        self.launched.append([one[-1].split("=")[1] for one in words])
        return [SimpleNamespace(_return_value=self.act(one)) for one in words]


class SlurmLauncher(Inner):
    """Its name is what tells it."""


def swept(place: Path, act: Any, launcher: type[Inner] = Inner) -> tuple[Inner, list[int]]:
    inner, told = launcher(place, act), []  # type: ignore[var-annotated]
    for task in TASKS:
        job(place, task=task)
    Sweep(inner, told.append).launch([[f"task={task}", "limit=5"] for task in TASKS], 0)
    return inner, told


def ran(place: Path, words: list[str], **facts: Any) -> None:
    number, task = int(words[-1].split("=")[1]), words[0].split("=")[1]
    done(job(place, number, task), row(task, **facts))


def test_only_what_is_missing_is_launched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner, told = swept(tmp_path, lambda words: ran(tmp_path, words))
    assert (inner.launched, told) == ([["0", "1", "2"]], [0, 0, 0])
    done(job(tmp_path, 1, "digits"), row("digits", status="failed", reason="x", value=float("nan")))
    inner, told = swept(tmp_path, lambda words: ran(tmp_path, words))
    assert (inner.launched, told) == ([["1"]], [0, 0, 0])
    assert "2 of 3 jobs are finished, 1 to do" in capsys.readouterr().out
    inner, told = swept(tmp_path, lambda words: ran(tmp_path, words))
    assert inner.launched == []


def test_a_refused_submit_leaves_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of slurm where there is none, and of a job that another process is at."""
    swept(tmp_path, lambda words: ran(tmp_path, words))
    one = job(tmp_path, 1, "digits")
    done(one, row("digits", status="failed", reason="x", value=float("nan")))
    with alone(one.folder), pytest.raises(BenchError, match="being written by another process"):
        swept(tmp_path, lambda words: ran(tmp_path, words))
    assert one.rows() is not None
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(BenchError, match="sbatch and squeue"):
        swept(tmp_path, lambda words: ran(tmp_path, words), SlurmLauncher)
    assert one.rows() is not None


def test_a_smaller_sweep_in_the_folder_of_a_larger_one_is_merged_without_its_other_jobs(tmp_path: Path) -> None:
    from reports.folder import read_all

    swept(tmp_path, lambda words: ran(tmp_path, words))
    inner = Inner(tmp_path, lambda words: ran(tmp_path, words))
    Sweep(inner, lambda status: None).launch([[f"task={task}", "limit=5"] for task in TASKS[:2]], 0)
    assert [one.path.name for one in read_all([tmp_path])] == ["0", "1"]


def test_after_a_killed_process_those_that_had_not_begun_are_launched_again(tmp_path: Path) -> None:
    def act(words: list[str]) -> None:
        if words[0] == "task=digits":
            done(job(tmp_path, 1, "digits"), whole=False)
            raise BrokenProcessPool
        ran(tmp_path, words)

    inner, told = swept(tmp_path, act)
    assert inner.launched == [["0", "1", "2"], ["2"]]
    assert told == [0, 1, 0]
    assert "a process of the sweep was killed" in job(tmp_path, 1).rows()["reason"][0]  # type: ignore[index]


def test_what_a_job_raises_is_its_reason_and_handed_to_hydra(tmp_path: Path) -> None:
    error = RuntimeError("a bug of ours")

    def act(words: list[str]) -> Exception | None:
        if words[0] == "task=digits":
            return error
        ran(tmp_path, words)
        return None

    inner = Inner(tmp_path, act)
    for task in TASKS:
        job(tmp_path, task=task)
    returns = Sweep(inner, lambda status: None).launch([[f"task={task}", "limit=5"] for task in TASKS], 0)
    assert [one._return_value for one in returns] == [None, error, None]
    assert job(tmp_path, 1).rows()["reason"][0].startswith("RuntimeError: a bug of ours.")  # type: ignore[index]


def test_a_refused_job_keeps_its_own_reason(tmp_path: Path) -> None:
    one = job(tmp_path)
    note(one.folder, {"refused": "No table at nowhere.csv."})
    one.settle("")
    assert one.rows() is None
    assert one.failed()
    one.clear()
    assert one.facts() == {}


def test_a_job_whose_cells_cannot_be_listed_does_not_end_the_sweep(tmp_path: Path) -> None:
    one = Job(0, ("task=nonsense",), context(), job(tmp_path).sweep)
    one.settle("")
    assert "cells cannot be listed" in one.facts()["refused"]


def test_an_end_of_before_does_not_count(tmp_path: Path) -> None:
    """Of a job that is launched again and killed at its second cell."""
    one = job(tmp_path)
    done(one, row("clipart", status="failed", reason="x", value=float("nan")))
    one.clear()
    RunFolder(one.folder, resumed=True).save_rows(results.frame([row("digits")]))
    assert not one.finished()
    one.settle("")
    assert set(one.rows()["task"]) == {"digits", "clipart"}  # type: ignore[index]


def test_a_launcher_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BenchError, match=r"cluster=slurm needs a launcher: pip install 'zeroshot-bench\[slurm\]'"):
        check_installed("slurm")
    check_installed("something_else")


DEADLY = """
import os, signal
from pathlib import Path
from dataclasses import replace
import tasks

def load(split):
    if Path("armed").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return flags.load(split)

flags = tasks.select("flags")[0]
DEADLY = replace(flags, name="deadly", load=load)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_processes_of_this_machine_one_of_which_is_killed(tmp_path: Path) -> None:
    """cluster=joblib, then the same line again when what was deadly is gone."""
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "deadly.py").write_text(DEADLY)
    (tmp_path / "armed").touch()
    words = ["cluster=joblib", "task=clipart,deadly,digits", f"task.path={tmp_path / 'own'}", "limit=10",
             "report=none", f"resume={tmp_path / 'sweep'}"]  # fmt: skip
    first = bench(*words, cwd=tmp_path)
    assert first.returncode == 1, first.stderr
    found = results.merge(results.run_folders(tmp_path / "sweep"))
    assert dict(zip(found["task"], found["status"], strict=False))["deadly"] == "failed"
    assert len(results.run_folders(tmp_path / "sweep")) == 3
    os.remove(tmp_path / "armed")
    second = bench(*words, cwd=tmp_path)
    assert second.returncode == 0, second.stderr + second.stdout
    assert "jobs are finished" in second.stdout
    found = results.merge(results.run_folders(tmp_path / "sweep"))
    assert set(found.loc[found["headline"], "task"]) == {"clipart", "deadly", "digits"}
    assert (found["status"] == "ok").all()
