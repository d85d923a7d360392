"""Caption matching through the whole flow in the toy world: perfect, blind and half right come out exactly."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.evaluation.matching import Matching, own_captions, settle
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.task import Pictures, Records, Task
from tests.toys import COLOURS, ToyEncoder, toy_task


def caption_task(shown: list[str], captions: list[list[str]], *, protocol: str = "matching", **changes: object) -> Task:
    """Flat pictures of the colours `shown`, with `captions` and further attribute columns from `changes['columns']`."""
    columns: dict[str, object] = dict(changes.pop("columns", {}))  # type: ignore[call-overload]

    def load(split: str) -> Records:
        images = Pictures(len(shown), lambda i: Image.new("RGB", (8, 8), COLOURS[shown[i]]))
        ids = [f"{i}.png" for i in range(len(shown))]
        return Records(images, (), ids, "caption toys", pd.DataFrame({"captions": captions, **columns}))

    facts: dict[str, object] = {"load": load, "classes": (), "templates": (), "splits": {"test": len(shown)},
                                "metric": protocol, "protocol": protocol}  # fmt: skip
    return toy_task("captions", **{**facts, **changes})


def rows(task: Task, **options: object) -> pd.DataFrame:
    encoder = options.pop("encoder", None) or ToyEncoder()
    settings = Settings(debug=True, **options)  # type: ignore[arg-type]
    return run_cells(encoder, [task], [ZeroShot()], settings=settings).set_index("metric")  # type: ignore[arg-type]


FOILED = [["red", "green"], ["green", "blue"], ["blue", "red"]] * 4


def test_zero_shot_on_a_matching_task_is_matching() -> None:
    task = caption_task(["red", "green", "blue"] * 4, FOILED)
    row = rows(task).loc["matching"]
    assert (row["evaluation"], row["value"], row["n"], row["chance"], row["headline"]) == ("matching", 1, 12, 0.5, True)
    assert "bare captions" in row["protocol"]


def test_blind_and_half_right() -> None:
    """Grey texts fit every picture alike: one half, although the true caption is written first."""
    blind = caption_task(["red"] * 6, [["nothing", "nothing else"]] * 6)
    assert rows(blind).loc["matching", "value"] == 0.5
    half = caption_task(["red", "green"] * 4, [["red", "green"]] * 8)
    assert rows(half).loc["matching", "value"] == 0.5
    assert rows(caption_task(["red"] * 4, [["grey", "red", "x"]] * 4)).loc["matching", "value"] == 0


def test_the_right_caption_may_stand_anywhere_and_captions_may_differ_in_number() -> None:
    captions = [["red", "green"], ["green", "grey", "blue"], ["blue", "red", "green"]]
    task = caption_task(["green", "blue", "red"], captions, columns={"correct": [1, 2, 1]})
    row = rows(task).loc["matching"]
    assert row["value"] == 1
    assert row["chance"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 3) / 3)


def winoground(examples: list[tuple[str, str, list[str]]], **changes: object) -> Task:
    """Each example: what picture 0 and picture 1 show, and its two captions."""
    shown = [colour for a, b, _ in examples for colour in (a, b)]
    captions = [two for _, _, two in examples for _ in range(2)]
    columns = {"pair": np.repeat(np.arange(len(examples)), 2), "correct": [0, 1] * len(examples)}
    facts: dict[str, object] = {"metric": "winoground_group", "columns": columns, **changes}
    return caption_task(shown, captions, **facts)


RIGHT = ("red", "blue", ["red", "blue"])
BLIND = ("red", "blue", ["words", "drows"])
SWAPPED = ("blue", "red", ["red", "blue"])
ONE_PICTURE = ("red", "red", ["red", "blue"])  # both pictures alike: each prefers caption 0


def test_winoground_by_name_alone() -> None:
    table = rows(winoground([RIGHT] * 3 + [BLIND] * 2 + [SWAPPED] * 2 + [ONE_PICTURE]))
    assert list(table.index) == ["winoground_group", "matching", "winoground_text", "winoground_image"]
    assert table["value"].round(6).tolist() == [3 / 8, (6 + 2 + 0 + 1) / 16, 3 / 8, 3 / 8]
    assert table["chance"].round(6).tolist() == [round(1 / 6, 6), 0.5, 0.25, 0.25]
    assert table["n"].tolist() == [8, 16, 8, 8]
    assert "3 of 8 examples with a tie" in table.loc["winoground_group", "protocol"]


def test_a_limit_keeps_pairs_together() -> None:
    table = rows(winoground([RIGHT] * 10), limit=7)
    assert table.loc["winoground_group", "n"] == 3
    assert table.loc["matching", "n"] == 6


class Noisy(ToyEncoder):
    """Texts are all alike but for rounding, pictures too: what a model that is blind to order gives."""

    def encode_texts(self, texts):  # type: ignore[no-untyped-def]
        noise = np.random.default_rng(1).normal(size=(len(texts), 3)) * 1e-7
        return (np.array([[0.6, 0.8, 0.0]]) + noise).astype(np.float32)


def test_rounding_does_not_answer_for_the_model() -> None:
    colours = list(COLOURS)
    examples = [
        (a, b, [f"{i} {a}", f"{i} {b}"]) for i in range(30) for a, b in [np.random.default_rng(i).choice(colours, 2)]
    ]
    table = rows(winoground(examples), encoder=Noisy())
    assert table.loc["matching", "value"] == 0.5
    assert table.loc["winoground_text", "value"] == 0


def test_settle_joins_runs_of_near_ties() -> None:
    values = np.array([[0.5, 0.5 + 4e-7, 0.3, 0.5 + 9e-7], [0.1, 0.2, -np.inf, -np.inf]])
    assert settle(values).tolist() == [[0.5, 0.5, 0.3, 0.5], [0.1, 0.2, -np.inf, -np.inf]]


def test_own_captions_written_out() -> None:
    random = np.random.default_rng(0)
    images, texts, owner = random.normal(size=(3000, 4)), random.normal(size=(6001, 4)), np.repeat(range(3000), 2)
    cosine = own_captions(images, texts, np.append(owner, 2999))
    assert cosine.shape == (3000, 3)
    assert cosine[7].tolist() == [pytest.approx(images[7] @ texts[14]), pytest.approx(images[7] @ texts[15]), -np.inf]
    assert cosine[2999, 2] == pytest.approx(images[2999] @ texts[6000])


def test_templates_wrap_captions() -> None:
    asked: list[str] = []

    class Listening(ToyEncoder):
        def encode_texts(self, texts):  # type: ignore[no-untyped-def]
            asked.extend(texts)
            return super().encode_texts(texts)

    task = caption_task(["red"], [["red", "a {} blue"]], templates=("a photo of {}", "{}"))
    assert "2 templates" in rows(task, encoder=Listening()).loc["matching", "protocol"]
    assert asked == ["a photo of red", "red", "a photo of a {} blue", "a {} blue"]
    asked.clear()
    run_cells(Listening(), [task], [ZeroShot(ensemble=False)])
    assert asked == ["a photo of red", "a photo of a {} blue"]


def test_predictions_hold_what_a_report_needs(tmp_path) -> None:  # type: ignore[no-untyped-def]
    task = caption_task(["red", "green"], [["red", "green"], ["red", "green", "blue"]], columns={"correct": [0, 1]})
    run_cells(ToyEncoder(), [task], [ZeroShot()], folder=RunFolder(tmp_path), settings=Settings(debug=True))
    table = pq.read_table(tmp_path / "predictions" / "captions--matching--clean.parquet")
    about = json.loads(table.schema.metadata[b"bench"])
    assert (about["protocol"], about["evaluation"]) == ("matching", "matching")
    assert about["choices"] == ["caption 1", "caption 2", "caption 3"]
    assert about["chance"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    frame = table.to_pandas()
    assert (frame["prediction"].tolist(), frame["correct"].tolist()) == ([0, 1], [1, 1])
    assert frame["attribute.captions"][1].tolist() == ["red", "green", "blue"]
    assert frame["top"][0].tolist() == [0, 1]
    facts = json.loads((tmp_path / "provenance.json").read_text())["tasks"]["captions"]
    assert (facts["protocol"], facts["prompts"], facts["test_n"]) == ("matching", 3, 2)


@pytest.mark.parametrize(("captions", "columns"), [
    ("red", {}), (["red"], {}), (["red", " "], {}), (["red", "blue", 3], {}), (["red", "blue"], {"correct": [2]}),
    (["red", "blue"], {"correct": [-1]}), (None, {}),
], ids=str)  # fmt: skip
def test_bad_captions_are_named(captions: object, columns: dict[str, object]) -> None:
    task = caption_task(["red"], [captions], columns=columns)  # type: ignore[list-item]
    with pytest.raises(BenchError, match=r"picture '0.png' needs a list of at least 2 caption"):
        task.samples()


def test_no_captions_and_wrong_protocols_are_rows_with_a_reason() -> None:
    bare = toy_task("bare", protocol="matching", metric="matching")
    wrong = run_cells(ToyEncoder(), [toy_task("classes"), bare], [Matching()]).set_index("task")
    assert wrong["status"].tolist() == ["failed", "failed"]
    assert "evaluation=zero_shot picks what fits" in wrong.loc["classes", "reason"]
    assert "needs an attribute 'captions'" in wrong.loc["bare", "reason"]
    with pytest.raises(BenchError, match="Did you mean 'matching'"):
        toy_task(protocol="match")
