"""A job of a sweep: whether it is finished, and what one owes that died."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from bench import results
from bench.cluster.jobs import Job
from bench.evaluation.rows import describe
from bench.overrides import composed
from bench.run_folder import RunFolder
from bench.store import WAITING


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


@pytest.mark.parametrize(("reason", "finished"), [("No groups here.", True), (f"Share 0 of 4 {WAITING}.", False)])
def test_what_is_skipped_for_good_is_finished(reason: str, finished: bool, tmp_path: Path) -> None:
    one = job(tmp_path)
    skipped = row("clipart", status="skipped", reason=reason, value=float("nan"), metric="x")
    done(one, row("clipart"), skipped)
    assert one.finished() == finished


def test_a_job_that_died_after_its_cells_has_failed(tmp_path: Path) -> None:
    one = job(tmp_path)
    done(one, row("clipart"), whole=False)
    assert one.failed()
    one.settle("")
    table = one.rows()
    assert table is not None
    assert table[["evaluation", "status"]].to_numpy().tolist() == [["zero_shot", "ok"], ["audit_or_report", "failed"]]
    assert not one.finished()


@pytest.mark.parametrize("folder", [False, True])
def test_weights_that_were_replaced_are_noticed(folder: bool, tmp_path: Path) -> None:
    one, weights = job(tmp_path), tmp_path / "ck" / "model.safetensors"
    weights.parent.mkdir()
    weights.touch()
    done(one, row("clipart"))
    place = weights.parent if folder else weights
    OmegaConf.save(OmegaConf.create({"model": {"path": str(place)}}), one.folder / "config.yaml")
    assert one.finished()
    later = weights.stat().st_mtime + 60
    os.utime(weights, (later, later))
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
