"""Retrieval through the whole flow in the toy world: perfect, blind and half right come out exactly."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.evaluation.retrieval import best_texts
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.metrics import PROTOCOLS
from bench.run_folder import RunFolder
from tests.unit.test_matching import caption_task, rows

CAPTIONS = [["red", "a red thing"], ["green"], ["blue", "so blue", "very blue"]]


def gallery(shown: list[str]):  # type: ignore[no-untyped-def]
    return caption_task(shown, CAPTIONS, protocol="retrieval", metric="mean_recall@1")


def test_zero_shot_on_a_retrieval_task_is_retrieval() -> None:
    table = rows(gallery(["red", "green", "blue"]))
    assert list(table.index) == list(PROTOCOLS["retrieval"])
    assert set(table["evaluation"]) == {"retrieval"}
    assert (table["value"] == 1).all()
    assert table.loc["mean_recall@1", "headline"]
    # chance at 1: pictures find one of their 2, 1, 3 captions among 6; captions their picture among 3
    assert table.loc["image_to_text_recall@1", "chance"] == pytest.approx((2 + 1 + 3) / 6 / 3)
    assert table.loc["text_to_image_recall@1", "chance"] == pytest.approx(1 / 3)


def test_half_right() -> None:
    """Two pictures show each other's colour: only blue finds and is found, by 3 of 6 captions."""
    table = rows(gallery(["green", "red", "blue"]))["value"]
    assert table["image_to_text_recall@1"] == pytest.approx(1 / 3)
    assert table["text_to_image_recall@1"] == pytest.approx(3 / 6)
    assert table["mean_recall@1"] == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_doubles_share_their_place() -> None:
    """Two red pictures: each of their captions fits both, and either picture is found half the time."""
    table = rows(gallery(["red", "red", "blue"]))["value"]
    # texts: 2 red captions tied; picture 0 owns both, picture 1 none of them (its own caption is green)
    assert table["image_to_text_recall@1"] == pytest.approx((1 + 0 + 1) / 3)
    # captions: 2 red x 1/2; green is as far from red as from blue: 1/3; 3 blue
    assert table["text_to_image_recall@1"] == pytest.approx((2 / 2 + 1 / 3 + 3) / 6, abs=1e-6)


def test_a_blind_model_gets_exactly_chance() -> None:
    table = rows(caption_task(["red"] * 12, [["x", "y"], ["x"], ["z", "y", "x"]] * 4, protocol="retrieval",
                              metric="text_to_image_recall@5"))  # fmt: skip
    assert table["value"].to_numpy() == pytest.approx(table["chance"].to_numpy())
    assert table.loc["text_to_image_recall@5", "value"] == pytest.approx(5 / 12)


def test_best_texts_are_those_of_the_whole_matrix() -> None:
    random = np.random.default_rng(0)
    images, texts = random.normal(size=(40, 6)), random.normal(size=(90, 6))
    best = best_texts(images, texts, scale=3.0, bias=-2.0, block=700)
    logits = 3 * images @ texts.T - 2
    order = np.argsort(-logits, axis=1)[:, :5]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert best.indices.tolist() == order.tolist()
    np.testing.assert_allclose(best.scores, np.take_along_axis(logits, order, axis=1))
    np.testing.assert_allclose(best.probabilities, np.take_along_axis(probabilities, order, axis=1))


def test_predictions_hold_what_a_report_needs(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from tests.toys import ToyEncoder

    folder = RunFolder(tmp_path)
    run_cells(
        ToyEncoder(), [gallery(["green", "red", "blue"])], [ZeroShot()], folder=folder, settings=Settings(debug=True)
    )
    table = pq.read_table(tmp_path / "predictions" / "captions--retrieval--clean.parquet")
    about, frame = json.loads(table.schema.metadata[b"bench"]), table.to_pandas()
    assert about["choices"] == [caption for captions in CAPTIONS for caption in captions]
    assert (about["protocol"], about["metric"]) == ("retrieval", "mean_recall@1")
    assert [list(label) for label in frame["label"]] == [[0, 1], [2], [3, 4, 5]]
    assert [about["choices"][i] for i in frame["prediction"]] == ["green", "red", "blue"]
    assert frame["correct"].tolist() == [0, 0, 1]
    assert [list(one) for one in frame["image_ranks"]] == [[2.5, 2.5], [2.5], [1, 1, 1]]
    assert frame["text_rank"].tolist()[2] == pytest.approx(1)  # three tied, all right
    assert (frame["top"].map(len) == 5).all()
    facts = json.loads((tmp_path / "provenance.json").read_text())["tasks"]["captions"]
    assert (facts["protocol"], facts["prompts"], facts["test_n"]) == ("retrieval", 6, 3)
