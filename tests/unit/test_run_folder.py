"""A run folder used again: what a former or a killed run left in it is not this one's."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from bench import results
from bench.app import _decisive
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import run_cells
from bench.run_folder import RunFolder
from reports import folder as reports_folder
from tests.toys import ToyEncoder, toy_card, toy_task


def run(place: Path, *names: str, resumed: bool = False) -> RunFolder:
    kept = RunFolder(place, {"run": "r", "model": toy_card().as_dict()}, resumed=resumed)
    kept.keep_journal("who")
    run_cells(ToyEncoder(), [toy_task(name) for name in names], [ZeroShot()], folder=kept)
    return kept


def shown(place: Path) -> list[str]:
    return sorted(one["task"] for one in reports_folder.read(place).cells)


def test_a_run_that_begins_anew_clears_the_folder(tmp_path: Path) -> None:
    run(tmp_path, "one", "two")
    (tmp_path / "predictions" / "mine.txt").touch()
    run(tmp_path, "one")
    assert shown(tmp_path) == ["one"]
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["one.parquet"]


def test_a_folder_that_is_no_runs_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "mine.txt").touch()
    RunFolder(tmp_path)
    assert (tmp_path / "samples" / "mine.txt").exists()


def test_a_run_that_goes_on_with_other_tasks_shows_these(tmp_path: Path) -> None:
    run(tmp_path, "one", "two")
    run(tmp_path, "two", "three", resumed=True)
    assert shown(tmp_path) == ["three", "two"]


def test_what_a_killed_process_was_writing_is_nobodys(tmp_path: Path) -> None:
    run(tmp_path, "one")
    half = tmp_path / "predictions" / ".tmp-half.parquet"
    half.write_bytes(b"PAR1")
    assert shown(tmp_path) == ["one"]
    run(tmp_path, "one", resumed=True)
    assert not half.exists()


def test_the_facts_of_a_task_are_written_before_its_cell_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, "one", "two")
    assert list(run(tmp_path, "one", "two", resumed=True).provenance["tasks"]) == ["one", "two"]


@pytest.mark.parametrize(
    "damage", [{"tasks": None}, {"tasks": [1]}, {"stages": []}, {"stages": {"one zero_shot": "x"}}]
)
def test_a_damaged_provenance_is_gone_over(tmp_path: Path, damage: dict[str, object]) -> None:
    run(tmp_path, "one")
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    run(tmp_path, "one", "two", resumed=True)
    assert (results.read(tmp_path)["status"] == "ok").all()


def test_rows_are_whole_whoever_else_writes_them(tmp_path: Path) -> None:
    table = run_cells(ToyEncoder(), [toy_task()], [ZeroShot()])
    raised: list[Exception] = []

    def save() -> None:
        try:
            for _ in range(20):
                results.save(table, tmp_path)
                pd.testing.assert_frame_equal(results.read(tmp_path), table)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=save) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert raised == []


def test_files_that_an_audit_reads_decide_the_rows(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    files = [tmp_path / "ref.csv", tmp_path / "v.npz", tmp_path / "run" / "rows.parquet"]
    audit = {"references": [str(files[0]), str(tmp_path / "run")], "training_vectors": str(files[1]), "none": ""}
    config = OmegaConf.create({"audit": audit, "evaluation": {"k": 3}, "output": "x"})
    seen = {_decisive(config)}
    for path in files:
        path.write_text("before")
        seen.add(_decisive(config))
        path.write_text("behind")
        seen.add(_decisive(config))
    assert len(seen) == 7
    assert _decisive(config) in seen
