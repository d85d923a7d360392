"""The bootstrap: weights as promised, intervals that cover, p-values that hold."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audit.measures import resampling
from bench.audit.measures.resampling import difference, multinomial_weights, p_of_no_difference, rates, ratio, worst
from tests.unit.audit.planted import drawn, exact


def of(outcome: np.ndarray, codes: np.ndarray, **options: object) -> resampling.Rates:
    members = np.eye(codes.max() + 1)[codes]
    return rates(members * outcome[:, None], members, strata=codes, **options)  # type: ignore[arg-type]


def test_a_planted_gap_comes_out_exactly() -> None:
    found = of(*exact((0.9, 0.6, 0.75), (100, 50, 40)))
    assert found.values == pytest.approx([0.9, 0.6, 0.75])
    assert difference(found).value == pytest.approx(0.3)
    assert ratio(found).value == pytest.approx(2 / 3)
    assert (worst(found).value, worst(found).n) == (pytest.approx(0.6), 50)
    assert worst(found, highest=True).value == pytest.approx(0.9)


def test_weights_keep_each_stratum_and_have_the_variance_of_a_sample() -> None:
    """Rao and Wu: the variance of a mean of n drawn n - 1 times is s^2 / n, and not short by 1 / n."""
    layers = np.array([0] * 5 + [1] * 3)
    weights = multinomial_weights(layers, 40_000, np.random.default_rng(0))
    assert weights[:, :5].sum(axis=1) == pytest.approx(5)
    assert weights[:, 5:].sum(axis=1) == pytest.approx(3)
    values = np.array([0.0, 1, 5, 2, 9])
    assert (weights[:, :5] @ values / 5).var() == pytest.approx(values.var(ddof=1) / 5, rel=0.03)


def test_clusters_are_drawn_whole() -> None:
    """Ten copies of each picture tell no more than one: the interval does not shrink."""
    outcome, codes = exact((0.8, 0.5), (40, 40))
    once = difference(of(outcome, codes))
    names = np.tile(np.arange(80), 10)
    copied = difference(of(np.tile(outcome, 10), np.tile(codes, 10), clusters=names))
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.1)


def test_groups_within_a_cluster_are_compared_in_pairs() -> None:
    """Each drawing in two tones, right or wrong together: their difference is certain, whatever the rate."""
    outcome, codes = np.repeat(exact((0.5,), (200,))[0], 2), np.tile([0, 1], 200)
    paired = difference(of(outcome, codes, clusters=np.repeat(np.arange(200), 2)))
    apart = difference(of(outcome, codes))
    assert paired.value == 0
    assert paired.high < 0.03 < apart.high


def test_one_draw_of_weights_serves_all_columns() -> None:
    outcome, codes = exact((0.7, 0.7), (100, 100))
    members = np.eye(2)[codes]
    twice = rates(np.tile(members * outcome[:, None], 2), np.tile(members, 2), strata=codes)
    assert np.corrcoef(twice.deviations[:, 0], twice.deviations[:, 2])[0, 1] > 0.95


def test_a_rate_of_one_keeps_a_width_and_no_denominator_is_nan() -> None:
    found = of(*exact((1.0, 1.0), (30, 30)))
    assert difference(found).value == 0
    assert 0.03 < difference(found).high < 0.2
    assert worst(found).low < 0.97
    empty = rates(np.zeros((10, 1)), np.zeros((10, 1)))
    assert np.isnan(empty.values[0])
    assert np.isnan(ratio(of(*exact((0.0, 0.0), (30, 30)))).value)


CASES = {
    "two groups": ((0.8, 0.6), (200, 200)),
    "two small, uneven groups": ((0.9, 0.7), (60, 40)),
    "one of seven is worst": ((0.85, 0.8, 0.8, 0.8, 0.8, 0.8, 0.4), (100,) * 7),
}


def coverage(planted: tuple[float, ...], sizes: tuple[int, ...], times: int, draws: int) -> dict[str, float]:
    random, hits = np.random.default_rng(7), {"difference": 0, "ratio": 0, "worst": 0}
    truth = {"difference": max(planted) - min(planted), "ratio": min(planted) / max(planted), "worst": min(planted)}
    for seed in range(times):
        found = of(*drawn(planted, sizes, random), draws=draws, seed=seed)
        for name, of_rates in (("difference", difference), ("ratio", ratio), ("worst", worst)):
            one = of_rates(found)
            hits[name] += one.low <= truth[name] <= one.high
    return {name: count / times for name, count in hits.items()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_cover_the_planted_gap(case: str) -> None:
    """95 +- 2 % of 1,000; the largest of many differences may be covered more often, never less."""
    found = coverage(*CASES[case], times=1_000, draws=1_000)
    most = 0.97 if len(CASES[case][0]) == 2 else 0.995
    assert 0.93 <= found["difference"] <= most, found
    assert 0.93 <= found["worst"] <= 0.975, found
    assert 0.93 <= found["ratio"] <= 0.995, found


def test_intervals_cover_quick() -> None:
    found = coverage(*CASES["two groups"], times=300, draws=300)
    assert 0.915 <= found["difference"] <= 0.98, found


def test_without_a_gap_no_interval_claims_one() -> None:
    """Seven equal groups differ by 0.13 on average; the interval starts at 0 nearly always, and p is uniform."""
    random, claims, small, observed = np.random.default_rng(1), 0, 0, []
    for seed in range(200):
        found = of(*drawn((0.7,) * 7, (80,) * 7, random), draws=300, seed=seed)
        observed.append(difference(found).value)
        claims += difference(found).low > 0
        small += p_of_no_difference(found) <= 0.05
    assert np.mean(observed) > 0.1
    assert claims <= 12
    assert 1 <= small <= 20


def test_a_plain_percentile_interval_would_not_cover() -> None:
    """The trap that `largest` is for: bootstrap samples of a range lie above the range itself."""
    found = of(*drawn((0.7,) * 7, (80,) * 7, np.random.default_rng(2)))
    again = found.values + found.deviations
    spans = again.max(axis=1) - again.min(axis=1)
    assert np.quantile(spans, 0.025) > 0.05
    assert difference(found).low == 0
