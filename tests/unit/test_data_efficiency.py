"""Data efficiency: planted crossings, both ends, intervals, and no picture encoded for it."""

import math

import numpy as np
import pytest

from bench import results
from bench.embeddings import Embedded
from bench.evaluation.data_efficiency import METRIC, Curve, DataEfficiency, Gap, crossing, first
from bench.evaluation.few_shot import FewShot
from bench.evaluation.linear_probe import LinearProbe
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import describe, score
from tests.fixtures.probes import clouds, embedded, vector_task

K = (1, 2, 4, 8, 16)


def flat(*heights: float, reach: float = 0.0) -> list[Gap]:
    return [Gap(one, one - reach, one + reach) for one in heights]


def test_the_crossing_is_linear_in_log_k() -> None:
    assert first(K, [-0.3, -0.2, -0.1, 0.1, 0.2]) == pytest.approx(4 * 2**0.5)
    assert first(K, [-0.3, 0.1, 0.2, 0.3, 0.4]) == pytest.approx(2**0.75)
    assert first((1, 4, 16), [-0.1, 0.1, 0.2]) == pytest.approx(2)
    assert first(K, [-0.3, -0.2, 0.0, 0.1, 0.2]) == 4
    assert first(K, [-0.2, 0.1, -0.1, 0.1, 0.2]) < 2  # the first time
    assert first(K, [0.1] * 5) == 0
    assert first(K, [0.0] * 5) == 1
    assert first(K, [-0.1] * 5) == math.inf


def test_the_interval_holds_what_may_be_the_crossing() -> None:
    found = crossing(K, flat(-0.3, -0.2, -0.1, 0.1, 0.2, reach=0.1), 100)
    assert found.value == pytest.approx(4 * 2**0.5)
    assert found.low == pytest.approx(4)
    assert found.high == pytest.approx(8)
    sure = crossing(K, flat(-0.3, -0.2, -0.1, 0.1, 0.2), 100)
    assert sure.low == pytest.approx(sure.value) == pytest.approx(sure.high)


def test_beyond_the_ends_nothing_is_extrapolated() -> None:
    more = crossing(K, flat(-0.5, -0.4, -0.3, -0.2, -0.1, reach=0.05), 100)
    assert more.value == 16
    assert more.low == 16
    assert math.isnan(more.high)
    assert "MORE THAN 16" in more.note
    maybe = crossing(K, flat(-0.5, -0.4, -0.3, -0.2, -0.1, reach=0.15), 100)
    assert 8 < maybe.low < 16
    fewer = crossing(K, flat(0.1, 0.2, 0.3, 0.4, 0.5, reach=0.15), 100)
    assert fewer.value == 1
    assert math.isnan(fewer.low)
    assert 1 < fewer.high < 2
    assert "FEWER THAN 1" in fewer.note
    surely = crossing(K, flat(0.2, 0.3, 0.4, 0.5, 0.6, reach=0.1), 100)
    assert surely.high == 1


def world(turn: float) -> Embedded:
    """Words are the true centres turned away by so many radians: the further, the worse zero-shot."""
    centres = np.random.default_rng(99).normal(size=(3, 6))
    other = np.roll(centres, 1, axis=0)
    words = np.cos(turn) * centres + np.sin(turn) * other
    words = (words / np.linalg.norm(words, axis=1, keepdims=True)).astype(np.float32)
    parts = {"train": clouds(300, seed=1), "test": clouds(600, seed=2)}
    return embedded(parts, texts=words)


def test_the_rows_are_few_shots_against_zero_shots() -> None:
    task, both = vector_task(), world(0.3)
    rows = results.frame(score(task, DataEfficiency(k=(1, 4, 16))(task, both), describe("toy", task, "data_efficiency",
                                                                                         "run")))  # fmt: skip
    assert rows["headline"].tolist().count(True) == 1
    values = rows.set_index("metric")["value"]
    zero = next(ZeroShot()(task, both).estimates(task))[1].value
    for k in (1, 4, 16):
        probe = next(FewShot(k=(k,))(task, both).estimates(task))[1].value
        assert values[f"gap@{k}"] == pytest.approx(probe - zero)
    assert values["top1"] == pytest.approx(zero + values["gap@16"])
    assert values[METRIC] == pytest.approx(
        crossing((1, 4, 16, 100), flat(*(values[f"gap@{k}"] for k in (1, 4, 16, 100))), 1).value
    )


def test_worse_words_need_fewer_labels() -> None:
    task = vector_task()
    needed = [dict(DataEfficiency()(task, world(turn)).estimates(task))[METRIC].value for turn in (0.0, 1.2)]
    assert needed[1] < needed[0]


def test_all_there_are_is_the_last_point_where_the_largest_k_leaves_it_open() -> None:
    task, both = vector_task(), world(0.0)
    curve = DataEfficiency(k=(1, 2))(task, both)
    assert curve.whole is not None
    assert curve.whole[0] == 100
    found = dict(curve.estimates(task))
    zero = next(ZeroShot()(task, both).estimates(task))[1].value
    full = LinearProbe(features="projected")(task, both)
    assert found["gap@100"].value == pytest.approx(next(full.estimates(task))[1].value - zero)
    assert found[METRIC].value == crossing((1, 2, 100), flat(*(found[f"gap@{k}"].value for k in (1, 2, 100))), 1).value
    assert "at 100 per class all there are" in curve.protocol
    assert DataEfficiency(k=(1, 2))(task, world(1.2)).whole is None  # a few labels were enough


@pytest.mark.parametrize(("worlds", "least"), [(16, 0.8), pytest.param(100, 0.9, marks=pytest.mark.slow)])
def test_the_gaps_interval_covers_draws_and_test_sets(worlds: int, least: float) -> None:
    """Many worlds alike: the interval of the gap at 4 holds the mean gap over all of them 95 % of the time."""
    task, means, bounds = vector_task(), [], []
    for seed in range(worlds):
        train, test = clouds(300, seed=1000 + seed), clouds(300, seed=seed)
        words = np.eye(3, 6, dtype=np.float32)
        curve = DataEfficiency(k=(4,))(task, embedded({"train": train, "test": test}, texts=words))
        assert isinstance(curve, Curve)
        gap = curve.gap(task, curve.probes[0])
        means.append(gap.value)
        bounds.append((gap.low, gap.high))
    truth = float(np.mean(means))
    assert np.mean([low <= truth <= high for low, high in bounds]) >= least
