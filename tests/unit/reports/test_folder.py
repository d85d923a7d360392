"""Runs of different models that share a name are told apart; runs of one model are not."""

from pathlib import Path

import pandas as pd

from reports.folder import Cell, Run, groups, told_apart
from tests.unit.reports.made import Maker, Toy


def run_of(identity: str, name: str = "model", **card: str) -> Run:
    rows = pd.DataFrame({"run": [identity], "model": [name], "value": [0.5]})
    provenance = {"model": {"name": name, "identity": identity, **card}}
    return Run(Path(identity), rows, provenance, (Cell(Path("x"), {"model": name, "task": "t"}),))


def test_two_weights_of_one_name_are_two_models() -> None:
    runs = told_apart([run_of("aaaaaaaa"), run_of("bbbbbbbb"), run_of("cccccccc", "other")])
    assert [run.models for run in runs] == [["model (aaaaaa)"], ["model (bbbbbb)"], ["other"]]
    assert [run.cells[0]["model"] for run in runs] == ["model (aaaaaa)", "model (bbbbbb)", "other"]
    assert runs[0].provenance["model"]["name"] == "model (aaaaaa)"


def test_what_differs_is_the_mark_where_it_is_short() -> None:
    runs = told_apart([run_of("aaaaaaaa", precision="float32"), run_of("bbbbbbbb", precision="bfloat16")])
    assert [run.models for run in runs] == [["model (float32)"], ["model (bfloat16)"]]
    same = told_apart([run_of("aaaaaaaa", precision="float32"), run_of("bbbbbbbb", precision="float32")])
    assert [run.models for run in same] == [["model (aaaaaa)"], ["model (bbbbbb)"]]


def test_folders_have_the_shortest_names_that_tell_them_apart(tmp_path: Path) -> None:
    for name in ("a/run", "b/run"):
        Maker(tmp_path / name).save(Toy("x"))
    assert [name for name, _ in groups([tmp_path / "a/run", tmp_path / "b/run"])] == ["a/run", "b/run"]
    assert [name for name, _ in groups([tmp_path / "a", tmp_path / "b"])] == ["a", "b"]


def test_one_model_in_two_runs_keeps_its_name() -> None:
    assert [run.models for run in told_apart([run_of("aaaaaaaa"), run_of("aaaaaaaa")])] == [["model"], ["model"]]
