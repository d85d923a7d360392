"""Runs of different models that share a name are told apart; runs of one model are not."""

from pathlib import Path

import pandas as pd

from reports.folder import Cell, Run, told_apart


def run_of(identity: str, name: str = "model") -> Run:
    rows = pd.DataFrame({"run": [identity], "model": [name], "value": [0.5]})
    provenance = {"model": {"name": name, "identity": identity}}
    return Run(Path(identity), rows, provenance, (Cell(Path("x"), {"model": name, "task": "t"}),))


def test_two_weights_of_one_name_are_two_models() -> None:
    runs = told_apart([run_of("aaaaaaaa"), run_of("bbbbbbbb"), run_of("cccccccc", "other")])
    assert [run.models for run in runs] == [["model (aaaaaa)"], ["model (bbbbbb)"], ["other"]]
    assert [run.cells[0]["model"] for run in runs] == ["model (aaaaaa)", "model (bbbbbb)", "other"]
    assert runs[0].provenance["model"]["name"] == "model (aaaaaa)"


def test_one_model_in_two_runs_keeps_its_name() -> None:
    assert [run.models for run in told_apart([run_of("aaaaaaaa"), run_of("aaaaaaaa")])] == [["model"], ["model"]]
