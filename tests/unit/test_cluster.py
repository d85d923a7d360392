"""Jobs of a sweep: which are missing, what one owes that died."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from bench import results
from bench.cluster import Sweep, check_installed, slurm
from bench.cluster.jobs import Job
from bench.errors import BenchError
from bench.evaluation.rows import describe
from bench.overrides import composed
from bench.run_folder import RunFolder, note
from tests.end_to_end.test_app import bench

TASKS = ("clipart", "digits", "flags")


def row(task: str, **facts: Any) -> dict[str, Any]:
    import tasks

    ok = {"chance": 0.1, "group": "all", "metric": "top1", "headline": True, "value": 0.5, "n": 9, "status": "ok"}
    return {**describe("m", tasks.select(task)[0], "zero_shot", "r"), **ok, **facts}


def context() -> Any:
    def load(sweep: Any, words: list[str]) -> Any:
        return composed([one for one in words if not one.startswith("hydra")])

    return SimpleNamespace(config_loader=SimpleNamespace(load_sweep_config=load))


def job(place: Path, number: int = 0, task: str = "clipart") -> Job:
    from bench.overrides import prepare

    sweep = OmegaConf.create({"hydra": {"sweep": {"dir": str(place)}}, "resume": str(place)})
    prepare([f"task={task}"])  # makes the option known, as the command line does
    return Job(number, (f"task={task}", "limit=5"), context(), sweep)


def done(one: Job, *rows: dict[str, Any], whole: bool = True) -> None:
    """Leave what a process leaves behind."""
    place = RunFolder(one.folder, {"run": "r"})
    place.save_rows(results.frame(rows))
    if whole:
        place.provenance["seconds"] = 1.0
        place.save_provenance()
    (one.folder / ".hydra").mkdir(exist_ok=True)
    OmegaConf.save(OmegaConf.create(list(one.words)), one.folder / ".hydra" / "overrides.yaml")
    (one.folder / "config.yaml").touch()


def test_finished_is_whole_and_good_and_of_the_same_words(tmp_path: Path) -> None:
    one = job(tmp_path)
    assert not one.finished()
    done(one, row("clipart"))
    assert one.finished()
    other = Job(0, ("task=digits", "limit=5"), one.context, one.sweep)
    assert not other.finished()
    done(one, row("clipart", status="failed", reason="x", value=float("nan")))
    assert not one.finished()
    done(one, row("clipart"), whole=False)
    assert not one.finished()
    done(one, row("clipart"))
    known = json.loads((one.folder / "provenance.json").read_text())
    known["versions"]["torch"] = "1.0"
    (one.folder / "provenance.json").write_text(json.dumps(known))
    assert not one.finished()


def test_its_words_name_its_folder_whatever_number_the_launcher_gives(tmp_path: Path) -> None:
    one = Job(7, ("task=clipart", "resume=elsewhere"), context(), job(tmp_path).sweep)
    assert one.words == ["task=clipart", f'resume="{tmp_path}"', "hydra.sweep.subdir=7"]
    assert one.folder == tmp_path / "7"


@pytest.mark.parametrize("begun", [False, True])
def test_a_job_that_died_owes_a_row_for_each_cell(tmp_path: Path, begun: bool) -> None:
    one = job(tmp_path)
    if begun:
        done(one, whole=False)
    one.settle("")
    table = one.rows()
    assert table is not None
    assert table[["task", "evaluation", "status"]].to_numpy().tolist() == [["clipart", "zero_shot", "failed"]]
    assert "ended without a word: killed, out of memory" in table["reason"][0]
    assert f"resume={tmp_path}" in table["reason"][0]


def test_what_a_job_found_before_it_died_is_kept(tmp_path: Path) -> None:
    one = job(tmp_path)
    good = row("digits")
    done(one, good, whole=False)
    one.settle("a process of the sweep was killed")
    table = one.rows()
    assert table is not None
    assert dict(zip(table["task"], table["status"], strict=True)) == {"digits": "ok", "clipart": "failed"}
    done(one, good)
    one.settle("")
    assert len(one.rows()) == 1  # type: ignore[arg-type]


class Inner:
    """A launcher that runs no process; `act` says what happens to each job."""

    def __init__(self, place: Path, act: Any) -> None:
        self.hydra_context, self.config, self.act = context(), job(place).sweep, act
        self.launched: list[list[str]] = []

    def launch(self, words: list[list[str]], first: int) -> list[Any]:
        self.launched.append([one[-1].split("=")[1] for one in words])
        return [SimpleNamespace(_return_value=self.act(one)) for one in words]


def swept(place: Path, act: Any) -> tuple[Inner, list[int]]:
    inner, told = Inner(place, act), []  # type: ignore[var-annotated]
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
        slurm.run(None, [])


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
