"""Golden numbers of effective robustness: published accuracies through the published lines, to the digit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.audit.measures.baselines import models, names, published
from bench.audit.measures.effective import Reference, effective_robustness, transform
from bench.errors import BenchError

# Top-1 of the testbed's table: in distribution (on the shift's classes), under shift.
NOISY_STUDENT = {
    "imagenet_v2": (88.322, 80.150), "imagenet_v2_format_val": (88.322, 80.850),
        "imagenet_sketch": (88.322, 47.641),
    "imagenet_r": (97.790, 74.673), "imagenet_a": (98.550, 84.853),
    "vid_robust": (99.660, 88.007), "ytbb_robust": (99.602, 67.685),
}  # fmt: skip
EFFECTIVE_NOISY_STUDENT = {
    "imagenet_v2": 0.5, "imagenet_v2_format_val": 1.1, "imagenet_sketch": 2.7, "imagenet_r": 17.1, "imagenet_a": 16.7,
    "vid_robust": 5.3, "ytbb_robust": -0.4,
}  # fmt: skip
# CLIP in the same table: ImageNet, V2, Sketch.
CLIP = {"RN50": (59.81, 52.59, 35.38), "B/32": (63.30, 56.21, 42.37)}
# Models of ordinary training, which the lines were drawn through: they must lie near them.
ORDINARY = {
    "efficientnet-b5-autoaug": {
        "imagenet_v2": (83.630, 73.290), "imagenet_v2_format_val": (83.630, 73.520),
        "imagenet_sketch": (83.630, 35.951),
        "imagenet_r": (96.010, 48.660), "imagenet_a": (96.320, 32.133), "objectnet": (86.976, 49.120),
        "vid_robust": (99.431, 79.441), "ytbb_robust": (99.351, 64.089),
    },
    "efficientnet-b5-randaug": {
        "imagenet_v2": (83.532, 73.040), "imagenet_v2_format_val": (83.532, 73.220),
        "imagenet_sketch": (83.532, 37.827),
        "imagenet_r": (96.050, 49.060), "imagenet_a": (96.340, 32.053), "objectnet": (86.720, 50.032),
        "vid_robust": (99.431, 79.351), "ytbb_robust": (99.299, 65.320),
    },
    "bninception": {
        "imagenet_v2": (73.524, 62.120), "imagenet_v2_format_val": (73.524, 61.990),
        "imagenet_sketch": (73.524, 23.856),
        "imagenet_r": (90.660, 36.727), "imagenet_a": (90.170, 3.400), "objectnet": (75.808, 33.299),
        "vid_robust": (98.035, 68.981), "ytbb_robust": (98.346, 60.394),
    },
    "mnasnet1_0": {
        "imagenet_v2": (73.456, 60.910), "imagenet_v2_format_val": (73.456, 60.440),
        "imagenet_sketch": (73.456, 20.126),
        "imagenet_r": (90.350, 32.260), "imagenet_a": (89.920, 2.907), "objectnet": (74.688, 32.073),
        "vid_robust": (98.028, 63.390), "ytbb_robust": (98.398, 54.089),
    },
    "cafferesnet101": {"imagenet_v2": (76.20, 64.30), "imagenet_sketch": (76.20, 25.21)},
    "resnet101": {"imagenet_v2": (77.37, 65.68), "imagenet_sketch": (77.37, 26.97)},
}  # fmt: skip


def points(name: str, pair: tuple[float, float]) -> float:
    return 100 * published(name).effective(pair[0] / 100, pair[1] / 100)


@pytest.mark.parametrize("name", NOISY_STUDENT)
def test_noisy_student(name: str) -> None:
    """The lines are rounded to three digits, which at 99 % in distribution is up to 0.4 points."""
    slack = 0.45 if name in ("vid_robust", "ytbb_robust", "imagenet_a") else 0.16
    assert points(name, NOISY_STUDENT[name]) == pytest.approx(EFFECTIVE_NOISY_STUDENT[name], abs=slack)


def test_clip_on_sketch_and_v2_to_the_digit() -> None:
    assert round(points("imagenet_sketch", (CLIP["B/32"][0], CLIP["B/32"][2])), 1) == 28.0
    assert round(points("imagenet_sketch", (CLIP["RN50"][0], CLIP["RN50"][2])), 1) == 22.9
    assert round(points("imagenet_v2", CLIP["B/32"][:2]), 1) == pytest.approx(5.8, abs=0.11)
    assert round(points("imagenet_v2", CLIP["RN50"][:2]), 1) == pytest.approx(5.6, abs=0.11)


@pytest.mark.parametrize("model", ORDINARY)
def test_ordinary_models_lie_near_the_lines(model: str) -> None:
    for name, pair in ORDINARY[model].items():
        assert abs(points(name, pair)) < 3 * 100 * published(name).residual, name


def test_extrapolation_is_flagged_where_the_range_is_known() -> None:
    line = published("imagenet_sketch")
    assert line.extrapolates(0.883)
    assert not line.extrapolates(0.633)
    assert published("imagenet_r").extrapolates(0.99)
    assert published("mean_of_seven").extrapolates(0.95)
    assert not replace(line, low=np.nan, high=np.nan).extrapolates(0.99)


def test_an_ordinary_model_closes_nothing_of_the_gap_and_a_perfect_one_all() -> None:
    line = published("mean_of_seven")
    assert line.gap_closed(0.88, float(line.expected(0.88))) == pytest.approx(0)
    assert line.gap_closed(0.88, 0.88) == pytest.approx(1)


def shipped(shift: str) -> Reference:
    table = models()
    return Reference.of(table[table["shift"] == shift], on_boundary="drop")


@pytest.mark.parametrize("shift", names())
def test_lines_are_refitted_from_the_models_themselves_to_the_digit(shift: str) -> None:
    """Every coefficient of the published lines, whose three digits were computed apart from this package."""
    fit, line = shipped(shift).fit(), published(shift)
    assert (round(fit.slope, 3), round(fit.intercept, 3), round(fit.r2, 3)) == (line.slope, line.intercept, line.r2)
    assert (round(fit.residual, 4), fit.n, fit.dropped) == (line.residual, line.n, line.dropped)
    assert (round(fit.low, 3), round(fit.high, 3)) == (line.low, line.high)


def test_the_transform_decides_on_imagenet_a() -> None:
    """NS-L2 lies 16.65 points above the logit line and 36.3 above the probit line through the same models."""
    logit, probit = (100 * shipped("imagenet_a").fit(one).effective(0.9855, 0.848533) for one in ("logit", "probit"))
    assert logit == pytest.approx(16.7, abs=0.06)
    assert round(probit, 1) == 36.3


def test_intervals_of_the_models_are_wider_than_with_a_line_that_is_held() -> None:
    random = np.random.default_rng(0)
    before, after = random.random(40_000) < 0.9855, random.random(40_000) < 0.8485
    held, drawn = (effective_robustness(one, before, after).effective
                   for one in (published("imagenet_a"), shipped("imagenet_a")))  # fmt: skip
    assert held.high - held.low < 0.7 * (drawn.high - drawn.low)
    assert "models" in drawn.interval


def test_a_line_without_models_is_held_in_the_interval() -> None:
    random = np.random.default_rng(0)
    found = effective_robustness(published("imagenet_sketch"), random.random(4000) < 0.633, random.random(4000) < 0.42)
    assert found.effective.interval == "bootstrap over pictures (85 models held)"
    assert found.effective.low < 0.28 < found.effective.high
    assert found.effective.high - found.effective.low < 0.06


def test_names_and_unknown_names() -> None:
    assert "imagenet_sketch" in names()
    assert {transform(one).forward(np.array(0.5)) for one in ("logit", "probit")} == {0.0}
    with pytest.raises(BenchError, match="imagenet_sketch"):
        published("imagenet_sketsch")
