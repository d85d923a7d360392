"""One file of weights, loaded in two ways: open_clip's adapter and the bundled CLIP agree on every bundled task."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

import tasks
from bench.embeddings import embed
from bench.evaluation.suited import suited
from bench.evaluation.zero_shot import ZeroShot
from bench.model import Encoder
from bench.model.load import load_model
from bench.store import Store
from bench.task import Task
from tests.tiny_models import add_open_clip_configs, save_open_clip

FEW = 12
BUNDLED = {task.name: task for task in tasks.select(["tag:bundled"])}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, Encoder]:
    folder = tmp_path_factory.mktemp("weights")
    add_open_clip_configs(folder)
    path = save_open_clip("tiny-clip", folder / "tiny.safetensors")
    ours, theirs = load_model(str(path), device="cpu"), load_model("open_clip:tiny-clip", path=path, device="cpu")
    assert isinstance(ours, Encoder)
    assert isinstance(theirs, Encoder)
    return ours, theirs


@functools.cache
def samples(name: str, split: str):  # type: ignore[no-untyped-def]
    return BUNDLED[name].samples(split).draw(FEW, seed=0)


def predictions(task: Task, encoder: Encoder) -> pd.DataFrame:
    evaluation = suited(ZeroShot(), task)
    load = functools.partial(samples, task.name)
    embedded = embed(task, evaluation.needs(task, load), encoder, samples=load, store=Store())
    return evaluation(task, embedded).table()


@pytest.mark.parametrize("name", BUNDLED)
def test_predictions_are_the_same(name: str, pair: tuple[Encoder, Encoder]) -> None:
    ours, theirs = (predictions(BUNDLED[name], encoder) for encoder in pair)
    assert len(ours) > 0
    assert ours["prediction"].tolist() == theirs["prediction"].tolist()
    for column in ours.columns.intersection(["confidence", "top_scores"]):
        for mine, other in zip(ours[column], theirs[column], strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-3)


def test_the_bundled_tasks_are_there() -> None:
    assert len(BUNDLED) >= 10
