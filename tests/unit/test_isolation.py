"""Whatever a task, a model, an evaluation or an audit does, its own rows say it and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.assemble import make
from bench.audit import AuditCell, Session
from bench.audit.corruption.conditions import conditions
from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.store import Store
from bench.task import Pictures, Records
from tests.toys import ToyEncoder, toy_task

GOOD = ("red", "green", "blue")


def leave(split: str) -> Records:
    raise SystemExit(0)


def states(table: pd.DataFrame) -> dict[str, str]:
    rows = table[table["headline"]].set_index("task")
    return {str(name): str(status) for name, status in rows["status"].items()}


def test_a_task_that_leaves_python_is_a_row() -> None:
    table = run_cells(ToyEncoder(), [toy_task("leaves", load=leave), toy_task()], [ZeroShot()])
    assert states(table) == {"leaves": "failed", "toys": "ok"}
    assert table["reason"][0].startswith("SystemExit: 0 (leave, line ")


def test_a_model_that_leaves_python_is_a_row() -> None:
    class Leaving(ToyEncoder):
        def encode_images(self, images: Any) -> np.ndarray:
            raise SystemExit(0)

    assert states(run_cells(Leaving(), [toy_task()], [ZeroShot()])) == {"toys": "failed"}


def test_a_model_that_leaves_python_while_it_is_made_is_an_error() -> None:
    with pytest.raises(BenchError, match="SystemExit"):
        make({"_target_": "sys.exit"}, "model")


def test_a_plugin_that_leaves_python_is_a_broken_one(tmp_path: Path) -> None:
    import tasks

    (tmp_path / "leaves.py").write_text("import sys\n\nsys.exit(0)\n")
    found = tasks.broken(path=str(tmp_path))
    assert [Path(one).name for one in found] == ["leaves.py"]
    assert "SystemExit" in next(iter(found.values()))


def test_a_value_that_is_none_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import flow

    right = flow.score

    def score(task: Any, *args: Any, **words: Any) -> Iterator[dict[str, Any]]:
        for row in right(task, *args, **words):
            yield {**row, "value": float("nan")} if task.name == "odd" else row

    monkeypatch.setattr(flow, "score", score)
    table = run_cells(ToyEncoder(), [toy_task("odd"), toy_task()], [ZeroShot()])
    assert states(table) == {"odd": "failed", "toys": "ok"}
    assert "status ok without a value" in table["reason"][0]


@dataclass
class Broken:
    name: str = "broken"

    def cells(self, session: Session) -> Iterator[AuditCell]:
        raise ValueError("no parts")
        yield


@dataclass
class Doubled:
    name: str = "doubled"

    def cells(self, session: Session) -> Iterator[AuditCell]:
        row = {"task": "toys", "value": 1.0}
        yield AuditCell(session.tasks[0], lambda: iter([_row(row), _row(row)]))


def _row(changes: dict[str, Any]) -> dict[str, Any]:
    table = run_cells(ToyEncoder(), [toy_task()], [ZeroShot()])
    return {**table.iloc[0].to_dict(), "evaluation": "another", **changes}


@pytest.mark.parametrize(("audit", "said"), [(Broken(), "ValueError: no parts"), (Doubled(), "a doubled key")])
def test_an_audit_that_breaks_is_a_row(audit: Any, said: str) -> None:
    table = run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], audits=[audit, Broken("second")])
    failed = table[table["status"] == "failed"].set_index("evaluation")["reason"]
    assert list(failed.index) == [audit.name, "second"]
    assert said in failed[audit.name]


def test_facts_that_json_has_no_word_for(tmp_path: Path) -> None:
    place = RunFolder(tmp_path)
    place.keep_journal("who")
    odd = toy_task("odd", splits={"test": np.int64(12)})
    table = run_cells(ToyEncoder(), [odd, toy_task()], [ZeroShot()], folder=place)
    assert states(table) == {"odd": "ok", "toys": "ok"}


@pytest.mark.parametrize("spoil", [
    lambda found: np.full_like(found, np.nan), lambda found: found[:, :2], lambda found: found[1:],
    lambda found: found.astype(object), lambda found: found.ravel(),
])  # fmt: skip
@pytest.mark.parametrize("of", ["encode_images", "encode_texts"])
def test_vectors_that_are_none_are_not_kept(of: str, spoil: Callable[[Any], Any], tmp_path: Path) -> None:
    """The mended model, whose card is the same, is asked again."""
    encoder, right = ToyEncoder(), getattr(ToyEncoder(), of)
    setattr(encoder, of, lambda things: spoil(right(things)))
    store = Store(tmp_path)
    assert states(run_cells(encoder, [toy_task()], [ZeroShot()], store=store)) == {"toys": "failed"}
    assert states(run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], store=store)) == {"toys": "ok"}


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(BenchError, match=f"limit={limit} is not possible"):
        Settings(limit=limit)


def test_a_severity_twice_is_one_condition() -> None:
    assert len(conditions(["fog"], [1, 1, 2])) == 2


def records(keys: list[Any], attributes: pd.DataFrame | None = None, ids: int = 3) -> Records:
    images = Pictures(3, lambda i: Image.new("RGB", (4, 4)))
    return Records(images, keys, [str(i) for i in range(ids)], "x", attributes)


def test_one_label_and_several_in_one_set() -> None:
    found = toy_task(load=lambda split: records(["red", ("green", "blue"), "blue"]), splits={"test": 3}).samples()
    assert found.labels.tolist() == [[True, False, False], [False, True, True], [False, False, True]]


@pytest.mark.parametrize(("given", "said"), [
    (records(["red"] * 2), "3 pictures and 2 labels"), (records(["red"] * 3, ids=4), "3 pictures and 4 ids"),
    (records(["red"] * 3, pd.DataFrame({"age": [1]})), "3 pictures and 1 attributes"),
])  # fmt: skip
def test_parts_of_unlike_lengths_are_refused(given: Records, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        toy_task(load=lambda split: given, splits={"test": 3}).samples()
