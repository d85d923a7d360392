"""Generator bias: planted compositions through a known confusion, coverage of both sources of error, distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from bench.audit.measures.perceived import composition, confusion_counts, distance, maximum_likelihood
from bench.errors import BenchError

CONFUSION = np.array([[0.9, 0.08, 0.02], [0.1, 0.7, 0.2], [0.05, 0.15, 0.8]])
TRUE = np.array([0.6, 0.3, 0.1])


def test_a_planted_composition_comes_out_exactly() -> None:
    counts = 1e5 * CONFUSION
    found = composition(10_000 * TRUE @ CONFUSION, counts, draws=50)
    assert found.perceived == pytest.approx(TRUE @ CONFUSION)
    assert found.corrected == pytest.approx(TRUE, abs=1e-4)
    assert not np.allclose(found.perceived, TRUE, atol=0.02)


def test_it_is_the_inverse_where_that_is_a_distribution_and_the_constrained_optimum_where_not() -> None:
    inside = np.array([[500.0, 300, 200]])
    assert maximum_likelihood(inside, CONFUSION[None])[0] == pytest.approx(
        inside[0] / 1000 @ np.linalg.inv(CONFUSION), abs=1e-3
    )
    outside = np.array([980.0, 15, 5])
    assert (outside / 1000 @ np.linalg.inv(CONFUSION)).min() < 0

    def loss(free: np.ndarray) -> float:
        shares = np.exp(free) / np.exp(free).sum()
        return -float(outside @ np.log(shares @ CONFUSION))

    best = optimize.minimize(loss, np.zeros(3), method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-10}).x
    expected = np.exp(best) / np.exp(best).sum()
    assert maximum_likelihood(outside[None], CONFUSION[None])[0] == pytest.approx(expected, abs=2e-3)


def coverage(times: int, labelled: int, made: int) -> np.ndarray:
    random, hits = np.random.default_rng(1), np.zeros(3)
    for seed in range(times):
        counts = np.stack([random.multinomial(labelled, row) for row in CONFUSION])
        found = composition(random.multinomial(made, TRUE @ CONFUSION), counts, draws=300, seed=seed)
        hits += (found.low <= TRUE) & (found.high >= TRUE)
    return hits / times


def test_the_interval_covers_quick() -> None:
    assert (coverage(40, 300, 300) >= 0.85).all()


@pytest.mark.slow
@pytest.mark.parametrize(("labelled", "made"), [(2_000, 300), (150, 3_000), (300, 300)])
def test_the_interval_holds_both_sources_of_error(labelled: int, made: int) -> None:
    found = coverage(1_000, labelled, made)
    assert ((found >= 0.93) & (found <= 0.975)).all(), found


def test_the_distance_is_exact_far_from_the_reference_and_nothing_at_it() -> None:
    counts = 5_000 * CONFUSION
    far = distance(composition(3_000 * TRUE @ CONFUSION, counts), np.full(3, 1 / 3))
    assert far.estimate.value == pytest.approx(0.6 - 1 / 3, abs=1e-3)
    assert far.estimate.low > 0.2
    assert far.p < 0.01
    at = distance(composition(3_000 * TRUE @ CONFUSION, counts), TRUE)
    assert at.estimate.low == 0
    assert at.p > 0.5
    assert 0 < at.null < at.null_high


def test_the_null_is_not_rejected_where_it_holds() -> None:
    random, small = np.random.default_rng(2), 0
    for seed in range(100):
        counts = np.stack([random.multinomial(200, row) for row in CONFUSION])
        seen = random.multinomial(300, TRUE @ CONFUSION)
        small += distance(composition(seen, counts, draws=200, seed=seed), TRUE).p <= 0.05
    assert small <= 12


def test_confusion_counts_share_ties() -> None:
    decided = np.array([[1.0, 0], [0.5, 0.5], [0, 1]])
    assert confusion_counts(np.array([0, 0, 1]), decided).tolist() == [[1.5, 0.5], [0, 1]]


def test_refusals() -> None:
    counts = 100 * CONFUSION
    with pytest.raises(BenchError, match="no generated picture"):
        composition(np.zeros(3), counts)
    with pytest.raises(BenchError, match="fewer than 20 pictures for category number 1"):
        composition(np.ones(3), counts * np.array([[1], [0.01], [1]]))
    with pytest.raises(BenchError, match="cannot tell these categories apart"):
        composition(np.ones(2), np.array([[50.0, 50], [50, 50]]))
    found = composition(np.array([10.0, 10, 10]), counts, draws=20)
    with pytest.raises(BenchError, match="sum to 1"):
        distance(found, np.array([0.5, 0.5]))
