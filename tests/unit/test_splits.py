"""A resumed run takes a finished cell again only while all that its rows come from is the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench.evaluation.knn import NearestNeighbours
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.splits import Splits
from bench.task import ClassName, Records, Task
from tests.toys import ToyEncoder, toy_task

KEYS = ("red", "green", "blue") * 4
EVALUATIONS = (ZeroShot(), NearestNeighbours(k=1))


def given(change: Callable[[str, Records], Records] = lambda split, records: records, **facts: object) -> Task:
    """Two splits of the same pictures; `change` is done to what the reader of a split returns."""
    load = toy_task(keys=KEYS).load
    splits = {"train": len(KEYS), "test": len(KEYS)}
    return toy_task(keys=KEYS, load=lambda split: change(split, load(split)), splits=splits, **facts)


def relabelled(which: str) -> Callable[[str, Records], Records]:
    """The same pictures, whose fingerprint is the same, with red and green swapped in one split."""
    swapped = {"red": "green", "green": "red", "blue": "blue"}

    def change(split: str, records: Records) -> Records:
        return replace(records, keys=[swapped[str(one)] for one in records.keys]) if split == which else records

    return change


def grouped(split: str, records: Records) -> Records:
    return replace(records, attributes=pd.DataFrame({"side": ["left", "right"] * 6}))


def values(task: Task, folder: RunFolder | None) -> pd.DataFrame:
    return run_cells(ToyEncoder(), [task], EVALUATIONS, folder=folder).drop(columns="seconds", errors="ignore")


def resumed(place: Path) -> RunFolder:
    folder = RunFolder(place, {"run": "r"}, resumed=True)
    folder.keep_journal("same")
    return folder


@pytest.mark.parametrize(
    "later",
    [
        given(relabelled("test")),
        given(relabelled("train")),
        given(templates=("a green thing, no {}.",)),
        given(
            classes=tuple(ClassName(key, (name,)) for key, name in zip(KEYS, ("green", "red", "blue"), strict=False))
        ),
        given(metric="mean_per_class"),
        given(grouped, group="side"),
    ],
    ids=["labels", "training labels", "templates", "names", "metric", "attributes"],
)
def test_what_has_changed_is_computed_anew(later: Task, tmp_path: Path) -> None:
    before = values(given(), resumed(tmp_path))
    after = values(later, resumed(tmp_path))
    pd.testing.assert_frame_equal(after, values(later, None))
    assert not after.equals(before)


def test_what_is_the_same_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = values(given(grouped), resumed(tmp_path))
    monkeypatch.setattr(ZeroShot, "__call__", None)
    monkeypatch.setattr(NearestNeighbours, "__call__", None)
    pd.testing.assert_frame_equal(values(given(grouped), resumed(tmp_path)), before)


def test_a_split_is_loaded_once_and_named_when_asked_for() -> None:
    loaded: list[str] = []

    def note(split: str, records: Records) -> Records:
        loaded.append(split)
        return records

    task = given(note)
    splits = Splits([task], Settings(limit=5).drawn)
    assert len(splits.load(task, "test")) == len(splits.load(task, "test")) == 5
    splits.forget()
    splits.load(task, "train")
    assert list(splits.read([task])) == ["toys", "toys test", "toys train"]
    assert sorted(loaded) == ["test", "train"]
    assert splits.fingerprints(["elsewhere test"]) == {"elsewhere test": ""}
