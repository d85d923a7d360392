"""Calibration against independent implementations, planted temperatures, and the traps of other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from bench.audit.measures.calibration import (
    bin_of,
    calibration,
    classwise_ece,
    cross_fitted,
    ece,
    fit_temperature,
    null_level,
    outcomes,
    per_picture,
    reliability,
)
from bench.errors import BenchError


def world(n: int, temperature: float = 1.0, *, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax at `temperature` is the truth, and labels drawn from it."""
    random = np.random.default_rng(seed)
    logits = 2 * random.standard_normal((n, classes))
    truth = softmax(logits, axis=1)
    labels = (truth.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return logits * temperature, labels


def slow_ece(confidence: np.ndarray, correct: np.ndarray, bins: int) -> float:
    """By the definition, bin by bin, with intervals [a, b) and the last one closed."""
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        own = [i for i, c in enumerate(confidence) if low <= c < high or (number == bins - 1 and c == 1.0)]
        if own:
            total += len(own) / len(confidence) * abs(np.mean(correct[own]) - np.mean(confidence[own]))
    return float(total)


@pytest.mark.parametrize("bins", [5, 15, 30])
def test_ece_against_the_definition(bins: int) -> None:
    seen = outcomes(*world(400, 1.7))
    assert ece(seen.confidence, seen.correct, bins=bins) == pytest.approx(slow_ece(seen.confidence, seen.correct, bins))


@pytest.mark.parametrize(("scheme", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_ece_against_scikit_learn(scheme: str, strategy: str) -> None:
    seen = outcomes(*world(1500, 1.5))
    accuracy, confidence = calibration_curve(seen.correct, seen.confidence, n_bins=10, strategy=strategy)
    table = reliability(seen.confidence, seen.correct, bins=10, scheme=scheme)
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy, abs=0.01)
    assert table["confidence"].to_numpy() == pytest.approx(confidence, abs=0.01)
    by_hand = np.average(np.abs(accuracy - confidence), weights=table["n"])
    assert ece(seen.confidence, seen.correct, bins=10, scheme=scheme) == pytest.approx(by_hand, abs=0.005)


def test_classwise_ece_is_the_mean_over_classes() -> None:
    seen = outcomes(*world(500, 1.5))
    each = [slow_ece(seen.probabilities[:, k], (seen.labels == k).astype(float), 15) for k in range(4)]
    assert classwise_ece(seen.probabilities, seen.labels) == pytest.approx(np.mean(each))


def test_confidence_one_falls_into_the_last_bin() -> None:
    """Half precision saturates there; a phantom bin of its own, or none, would hide the surest answers."""
    confidence = np.array([1.0, 0.99, 0.5])
    assert bin_of(confidence, bins=10).tolist() == [9, 9, 5]
    assert bin_of(np.array([1.0 + 1e-6]), bins=10).tolist() == [9]
    assert ece(np.ones(8), np.zeros(8)) == pytest.approx(1.0)
    assert ece(np.ones(8), np.zeros(8), scheme="mass") == pytest.approx(1.0)


def test_the_most_confident_bin_counts() -> None:
    confidence, correct = np.repeat([0.55, 0.98], 50), np.r_[np.repeat([1.0, 0.0], [27, 23]), np.zeros(50)]
    assert ece(confidence, correct) == pytest.approx(0.5 * 0.01 + 0.5 * 0.98)


def test_norms() -> None:
    confidence, correct = np.repeat([0.3, 0.9], [30, 10]), np.zeros(40)
    assert ece(confidence, correct) == pytest.approx(0.75 * 0.3 + 0.25 * 0.9)
    assert ece(confidence, correct, norm="l2") == pytest.approx(np.sqrt(0.75 * 0.09 + 0.25 * 0.81))
    assert ece(confidence, correct, norm="max") == pytest.approx(0.9)
    with pytest.raises(BenchError, match="norm"):
        ece(confidence, correct, norm="l3")
    with pytest.raises(BenchError, match="probabilities"):
        ece(confidence * 30, correct)


def test_binary_scores_are_judged_by_confidence_not_by_the_second_class() -> None:
    logits = np.array([[2.0, 0.0]] * 10)
    seen = outcomes(logits, np.zeros(10, np.int64))
    assert seen.confidence[0] == pytest.approx(softmax([2.0, 0.0])[0])
    assert ece(seen.confidence, seen.correct) == pytest.approx(1 - seen.confidence[0])


def test_brier_and_likelihood_against_scikit_learn() -> None:
    logits, labels = world(300, 1.3)
    found, probabilities = per_picture(logits, labels), softmax(logits, axis=1)
    assert found.nll.mean() == pytest.approx(log_loss(labels, probabilities))
    assert found.brier.mean() == pytest.approx(((probabilities - np.eye(4)[labels]) ** 2).sum(axis=1).mean())


def test_likelihood_of_a_sure_mistake_stays_finite() -> None:
    assert per_picture(np.array([[900.0, 0.0]]), np.array([1])).nll[0] == pytest.approx(900)


def test_a_null_level_is_not_zero_and_falls_with_pictures() -> None:
    few, many = (null_level(outcomes(*world(n)).confidence)[0] for n in (200, 5000))
    assert few > 3 * many > 0.02
    calm = calibration(*world(800))
    assert calm["ece"].value > 0.01
    assert calm["ece"].low == 0
    assert calm["ece"].chance == pytest.approx(calm["ece"].value, rel=0.5)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_a_planted_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*world(6000, temperature)) == pytest.approx(temperature, rel=0.06)


def test_halves_judge_each_other() -> None:
    logits, labels = world(3000, 3.0)
    scaled, (one, other) = cross_fitted(logits, labels)
    assert one == pytest.approx(3.0, rel=0.1)
    assert other == pytest.approx(3.0, rel=0.1)
    assert one != other
    before, after = calibration(logits, labels), calibration(scaled, labels)
    assert after["ece"].value < 0.3 * before["ece"].value
    assert after["nll"].value < before["nll"].value
    assert set(np.round((logits / scaled)[:, 0], 6)) == set(np.round([one, other], 6))
    with pytest.raises(BenchError, match="four pictures"):
        cross_fitted(logits[:3], labels[:3])


def test_overconfidence_has_a_sign() -> None:
    assert calibration(*world(2000, 2.5))["overconfidence"].low > 0
    assert calibration(*world(2000, 0.5))["overconfidence"].high < 0


def test_several_labels_are_refused() -> None:
    with pytest.raises(BenchError, match="one label"):
        outcomes(np.zeros((2, 3)), np.zeros((2, 3), bool))


def test_clusters_widen() -> None:
    logits, labels = world(200, 2.0)
    many = np.repeat(logits, 5, axis=0), np.repeat(labels, 5)
    alone, together = calibration(*many), calibration(*many, clusters=np.repeat(np.arange(200), 5))
    for name in ("ece", "ece_classwise", "brier"):
        assert together[name].high - together[name].low > 1.5 * (alone[name].high - alone[name].low), name


@pytest.mark.slow
@pytest.mark.parametrize(("temperature", "n"), [(1.0, 300), (1.2, 300), (2.0, 1000)])
def test_intervals_cover(temperature: float, n: int) -> None:
    """Of the ECE over the same bins, of an endless set of pictures."""
    logits, _ = world(200_000, temperature, seed=1)
    truth = softmax(logits / temperature, axis=1)
    seen = softmax(logits, axis=1)
    right = np.take_along_axis(truth, seen.argmax(axis=1)[:, None], axis=1)[:, 0]
    known = {
        "ece": ece(seen.max(axis=1), right),
        "brier": float((seen**2 - 2 * seen * truth).sum(axis=1).mean() + 1),
        "overconfidence": float((seen.max(axis=1) - right).mean()),
    }
    held = dict.fromkeys(known, 0)
    for seed in range(300):
        random = np.random.default_rng(seed)
        drawn = random.integers(len(logits), size=n)
        labels = (truth[drawn].cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
        found = calibration(logits[drawn], labels, seed=seed)
        for name, value in known.items():
            held[name] += found[name].low <= value <= found[name].high
    assert all(count / 300 >= 0.91 for count in held.values()), held
