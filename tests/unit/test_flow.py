"""The flow in a toy world: planted accuracy comes out exactly, failures are rows, nothing is encoded twice."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bench import results
from bench.evaluation.zero_shot import ZeroShot, text_classifier
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.store import Store
from bench.task import ClassName, Pictures, Records
from tests.toys import ToyEncoder, toy_card, toy_task


def headline(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["headline"]].set_index("task")


def test_planted_accuracy_comes_out_exactly() -> None:
    keys = ("red", "green", "blue") * 40
    shown = ["blue" if i < 30 and key == "red" else key for i, key in enumerate(keys)]  # 10 of 120 are mislabelled
    table = run_cells(ToyEncoder(), [toy_task(), toy_task("planted", keys=keys, shown=shown)], [ZeroShot()])
    rows = headline(table)
    assert rows.loc["toys", "value"] == 1.0
    assert rows.loc["planted", "value"] == 110 / 120
    assert rows.loc["planted", "low"] < 110 / 120 < rows.loc["planted", "high"]
    assert rows.loc["planted", "n"] == 120
    per_class = table[(table["task"] == "planted") & (table["metric"] == "mean_per_class")]["value"].item()
    assert per_class == pytest.approx((30 / 40 + 1 + 1) / 3)


def test_classifier_is_openais_recipe() -> None:
    """Written out plainly: embed, normalise, mean over the prompts of a class, normalise, times the logit scale."""
    task, encoder = (
        toy_task(templates=("a {} thing", "{}", "not a colour")),
        ToyEncoder(card=toy_card(logit_scale=50.0)),
    )
    random = np.random.default_rng(0)
    encoder.encode_texts = lambda texts: _unit(random.normal(size=(len(texts), 3)).astype(np.float32))  # type: ignore[method-assign]
    asked = [task.prompts(i) for i in range(3)]
    unique = list(dict.fromkeys(text for group in asked for text in group))
    assert len(unique) == 7  # "not a colour" is shared by the classes and encoded once
    random = np.random.default_rng(0)
    vectors = dict(zip(unique, encoder.encode_texts(unique), strict=True))
    expected = []
    for group in asked:
        mean = sum(vectors[text] for text in group) / len(group)
        expected.append(mean / np.sqrt((mean * mean).sum()))
    images = encoder.encode_images(list(task.samples().images))
    random = np.random.default_rng(0)
    seen = {}

    def capture(task_, embedded):  # type: ignore[no-untyped-def]
        predictions = ZeroShot()(task_, embedded)
        seen["scores"] = predictions.scores
        return predictions

    class Spy:
        name = "zero_shot"
        needs = ZeroShot().needs
        __call__ = staticmethod(capture)

    run_cells(encoder, [task], [Spy()], settings=Settings(debug=True))
    np.testing.assert_allclose(seen["scores"], 50.0 * images @ np.array(expected).T, rtol=1e-6, atol=1e-6)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_text_classifier_has_unit_length() -> None:
    groups = [_unit(np.random.default_rng(i).normal(size=(i + 1, 7))) for i in range(5)]
    np.testing.assert_allclose(np.linalg.norm(text_classifier(groups), axis=1), 1, atol=1e-6)


def broken_picture() -> Records:
    def read(i: int) -> Image.Image:
        if i == 2:
            raise OSError("image file is truncated")
        return Image.new("RGB", (4, 4))

    return Records(Pictures(3, read), ["red", "green", "blue"], ["a.png", "b.png", "c.png"], "broken")


def test_a_broken_task_is_a_row_and_the_others_go_on(tmp_path) -> None:
    def explode(split: str) -> Records:
        raise ZeroDivisionError("a plugin's bug")

    tasks = [
        toy_task("good"),
        toy_task("bug", load=explode),
        toy_task("broken_picture", splits={"test": 3}, load=lambda split: broken_picture()),
        toy_task("bad_metric", metric="top7"),
        toy_task("last"),
    ]
    rows = headline(run_cells(ToyEncoder(), tasks, [ZeroShot()], folder=RunFolder(tmp_path)))
    assert rows["status"].to_dict() == {"good": "ok", "bug": "failed", "broken_picture": "failed",
                                        "bad_metric": "failed", "last": "ok"}  # fmt: skip
    assert "ZeroDivisionError: a plugin's bug" in rows.loc["bug", "reason"]
    assert "'c.png' cannot be decoded (OSError: image file is truncated)" in rows.loc["broken_picture", "reason"]
    assert "top7" in rows.loc["bad_metric", "reason"]
    pd.testing.assert_frame_equal(headline(results.read(tmp_path)), rows)
    with pytest.raises(ZeroDivisionError):
        run_cells(ToyEncoder(), tasks, [ZeroShot()], settings=Settings(debug=True))


def test_damaged_vectors_are_a_clear_failure() -> None:
    encoder = ToyEncoder()
    encoder.encode_images = lambda images: np.full((len(images), 3), np.nan, np.float32)  # type: ignore[method-assign]
    row = headline(run_cells(encoder, [toy_task()], [ZeroShot()])).loc["toys"]
    assert row["status"] == "failed"
    assert "not finite" in row["reason"]


def test_the_store_spares_every_second_encoding(tmp_path) -> None:
    tasks, store = [toy_task(), toy_task("other", keys=("red", "blue"))], Store(tmp_path)
    first = ToyEncoder()
    one = run_cells(first, tasks, [ZeroShot(), ZeroShot(ensemble=False, name="single")], store=store)
    assert first.images_seen == 14  # two evaluations, each picture once
    second = ToyEncoder()
    two = run_cells(second, tasks, [ZeroShot(), ZeroShot(ensemble=False, name="single")], store=store)
    assert (second.images_seen, second.texts_seen) == (0, 0)
    pd.testing.assert_frame_equal(one, two)
    other_weights = ToyEncoder(card=toy_card(weights="1" * 64))
    run_cells(other_weights, tasks, [ZeroShot()], store=store)
    assert other_weights.images_seen == 14


def test_limit_is_seeded_and_noted() -> None:
    tables = [
        run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], settings=Settings(limit=5, seed=s)) for s in (1, 1, 2)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert headline(tables[2]).loc["toys", "n"] == 5
    assert "limit 5" in headline(tables[0]).loc["toys", "protocol"]


def test_run_folder_holds_what_a_report_needs(tmp_path) -> None:
    folder = RunFolder(tmp_path, provenance={"run": "r1", "model": toy_card().as_dict()})
    shown = ["blue", "green", "blue"] * 4
    run_cells(ToyEncoder(), [toy_task(shown=shown)], [ZeroShot()], folder=folder, settings=Settings(run="r1"))
    table = pq.read_table(tmp_path / "predictions" / "toys--zero_shot--clean.parquet")
    about = json.loads(table.schema.metadata[b"bench"])
    assert about["choices"] == ["red", "green", "blue"]
    frame = table.to_pandas()
    assert frame["correct"].mean() == pytest.approx(8 / 12)
    assert frame["prediction"].tolist() == [2, 1, 2] * 4
    assert np.allclose([sum(row) for row in frame["top_probabilities"]], 1)
    pictures = pd.read_parquet(tmp_path / "samples" / "toys.parquet")
    assert set(pictures["why"]) == {"random", "confident_mistake"}
    assert set(pictures.loc[pictures["why"] == "confident_mistake", "label"]) == {0}
    facts = json.loads((tmp_path / "provenance.json").read_text())["tasks"]["toys"]
    assert (facts["classes"], facts["prompts"], facts["test_n"]) == (3, 6, 12)


def test_classes_with_the_same_prompts_share_a_hit_exactly() -> None:
    """Ten classes of one name are tied to the last bit, so each picture earns a tenth, whatever the matrix product."""
    classes = tuple(ClassName(str(i), ("red",)) for i in range(10))
    keys = [str(i) for i in range(7)]
    task = toy_task(keys=keys, shown=["red"] * 7, classes=classes)
    assert headline(run_cells(ToyEncoder(), [task], [ZeroShot()])).loc["toys", "value"] == pytest.approx(0.1, abs=1e-12)


def test_pictures_that_depend_on_each_other_widen_the_interval() -> None:
    """40 drawings in 6 copies each: the interval must be that of 40 units, not of 240."""
    random = np.random.default_rng(0)
    right = np.repeat(random.random(40) < 0.5, 6)
    keys, shown = ["red"] * 240, np.where(right, "red", "blue").tolist()
    plain = toy_task(keys=keys, shown=shown)
    drawings = pd.DataFrame({"drawing": np.repeat(np.arange(40), 6).astype(str)})
    records = plain.load("test")
    known = Records(records.images, records.keys, records.ids, "drawings", drawings)
    clustered = toy_task("clustered", keys=keys, shown=shown, load=lambda split: known, cluster=("drawing",))
    rows = headline(run_cells(ToyEncoder(), [plain, clustered], [ZeroShot()]))
    width = rows["high"] - rows["low"]
    assert rows.loc["toys", "value"] == rows.loc["clustered", "value"]
    assert width["clustered"] / width["toys"] == pytest.approx(6**0.5, rel=0.1)
