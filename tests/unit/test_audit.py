"""The frame of audits in a toy world: one decode for many conditions, failures isolated, tables kept and shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit import Audit, AuditCell, NotApplicableError, Session, Table
from bench.audit.session import UNCHANGED
from bench.embeddings import CLEAN, Condition, Needs, embed_under
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.store import Store
from bench.task import Pictures, Records
from reports import folder, page
from tests.toys import COLOURS, ToyEncoder, toy_card, toy_task


def painted(colour: str) -> Condition:
    """All pictures become one colour: a planted, total confusion."""
    return Condition(f"painted@{colour}", lambda picture, i: Image.new("RGB", (8, 8), COLOURS[colour]), colour)


@dataclass(frozen=True)
class Painting:
    """Planted: under `painted@red` exactly the red third is right."""

    name: str = "painting"
    pictures: int | None = None

    def cells(self, session: Session) -> Iterator[AuditCell]:
        for task in session.tasks:
            yield AuditCell(task, lambda task=task: self.look(session, task))  # type: ignore[misc]
        yield AuditCell(session.tasks[0], self.explode, "explosion")
        yield AuditCell(session.tasks[0], self.refuse, "refusal")

    def look(self, session: Session, task):  # type: ignore[no-untyped-def]
        baseline = [UNCHANGED] if self.pictures else []
        conditions = [*baseline, painted("red"), painted("blue")]
        yield from session.predictions(task, conditions, pictures=self.pictures)
        vectors = session.texts(["red", "green"])
        yield session.row(task, "similarity", value=float(vectors[0] @ vectors[1]), n=2)
        yield Table(f"vectors-{task.name}", pd.DataFrame(session.images(task)).add_prefix("v"), {"why": "planted"})

    def explode(self) -> Iterator[Table]:
        yield Table("before", pd.DataFrame({"kept": [1]}))
        raise ZeroDivisionError("an audit's bug")

    def refuse(self) -> Iterator[Table]:
        raise NotApplicableError("no groups here")
        yield


def test_planted_conditions_failures_and_tables(tmp_path) -> None:
    place = RunFolder(tmp_path, provenance={"run": "r", "model": toy_card().as_dict()})
    audit: Audit = Painting()
    rows = run_cells(ToyEncoder(), [toy_task(), toy_task("other", keys=("red", "green"))], [ZeroShot()], audits=[audit],
                     folder=place, settings=Settings(run="r"))  # fmt: skip
    top1 = rows[rows["metric"] == "top1"].set_index(["task", "condition"])["value"]
    assert top1["toys", "clean"] == 1.0
    assert top1["toys", "painted@red"] == pytest.approx(1 / 3)
    assert top1["other", "painted@blue"] == 0.0
    assert (rows["metric"] == "similarity").sum() == 2
    failed = rows[rows["status"] != "ok"].set_index("condition")
    assert failed["status"].to_dict() == {"explosion": "failed", "refusal": "skipped"}
    assert "an audit's bug" in failed.loc["explosion", "reason"]
    run = folder.read(tmp_path)
    assert run.audits == ["painting"]
    assert run.named("painting", "vectors-") == ["vectors-other", "vectors-toys"]
    table = run.table("painting", "vectors-toys")
    assert (len(table), table.attrs["why"]) == (12, "planted")
    assert run.table("painting", "before")["kept"].tolist() == [1]  # what was found before a failure is kept
    assert run.table("painting", "none").empty
    assert page.write(tmp_path).exists()
    with pytest.raises(ZeroDivisionError):
        run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], audits=[audit], settings=Settings(debug=True))


def test_a_picture_is_decoded_once_for_all_conditions_and_encoded_once_ever(tmp_path) -> None:
    opened: list[int] = []

    def read(i: int) -> Image.Image:
        opened.append(i)
        return Image.new("RGB", (8, 8), COLOURS["red"])

    records = Records(Pictures(5, read), ["red"] * 5, list("abcde"), "counted")
    task = toy_task("counted", splits={"test": 5}, load=lambda split: records)
    encoder, store = ToyEncoder(), Store(tmp_path)
    conditions = [CLEAN, painted("red"), painted("green"), painted("blue")]

    def look() -> list[float]:
        several = embed_under(conditions, task, Needs(("test",)), encoder, samples=task.samples, store=store,
                              batch_size=2)  # fmt: skip
        return [float(found.images["test"][:, 2].mean()) for _, found in several]

    first = look()
    assert sorted(opened) == [0, 1, 2, 3, 4]
    assert encoder.images_seen == 20
    assert look() == first
    assert encoder.images_seen == 20
    assert first[3] > 0.99 > first[0]


def test_conditions_with_other_parameters_do_not_share_vectors(tmp_path) -> None:
    task, encoder, store = toy_task(), ToyEncoder(), Store(tmp_path)
    found = []
    for colour in ("red", "blue"):
        condition = Condition("same name", painted(colour).apply, colour)
        found.append(next(embed_under([condition], task, Needs(("test",)), encoder, samples=task.samples, store=store)))
    assert not np.allclose(found[0][1].images["test"], found[1][1].images["test"])
    with pytest.raises(AssertionError, match="identity"):
        Condition("nameless", painted("red").apply)


def test_a_condition_changes_the_scored_split_only() -> None:
    task = toy_task(splits={"train": 12, "test": 12})
    several = embed_under([painted("blue")], task, Needs(("train", "test")), ToyEncoder(), samples=task.samples,
                          store=Store())  # fmt: skip
    embedded = next(several)[1]
    assert np.ptp(embedded.images["test"][:, 0]) == 0
    assert np.ptp(embedded.images["train"][:, 0]) > 0.9


def test_a_draw_reads_the_vectors_of_the_whole(tmp_path) -> None:
    encoder, store = ToyEncoder(), Store(tmp_path)
    run_cells(encoder, [toy_task()], [ZeroShot()], audits=[Painting(pictures=6)], store=store)
    assert encoder.images_seen == 12 + 2 * 6  # `unchanged` is taken from the twelve
    rows = run_cells(encoder, [toy_task()], [ZeroShot()], store=store, settings=Settings(limit=4))
    assert encoder.images_seen == 12 + 2 * 6
    assert rows["n"].max() == 4
