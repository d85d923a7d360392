"""Intervals against known answers and against simulation."""

import numpy as np
import pytest

from reports import intervals


def test_wilson_equals_published_values() -> None:
    """Newcombe (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    low, high = intervals.wilson(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_wilson_without_pictures_is_empty() -> None:
    low, high = intervals.wilson(np.array([0]), np.array([0]))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_mean_of_one_is_itself_and_of_four_equal_has_half_the_width() -> None:
    one = np.array([0.5]), np.array([0.4]), np.array([0.7])
    assert intervals.mean(*one) == pytest.approx((0.5, 0.4, 0.7))
    assert intervals.mean(*(np.repeat(part, 4) for part in one)) == pytest.approx((0.5, 0.45, 0.6))


def test_mean_interval_covers_the_true_mean() -> None:
    random = np.random.default_rng(0)
    truth, n, covered = np.array([0.03, 0.5, 0.9, 0.2]), np.array([150, 400, 80, 1000]), 0
    for _ in range(2000):
        hits = random.binomial(n, truth)
        one = intervals.mean(hits / n, *intervals.wilson(hits, n))
        covered += one.low <= truth.mean() <= one.high
    assert 0.94 <= covered / 2000 <= 0.965


def test_adjusted_is_zero_at_chance_and_one_when_perfect() -> None:
    np.testing.assert_allclose(intervals.adjusted(np.array([0.25, 1.0, 0.0]), np.array([0.25, 0.25, 0.5])), [0, 1, -1])


def test_weighted_mean_is_inverse_variance_for_like_tasks_and_plain_for_unlike_ones() -> None:
    values, errors = np.array([0.50, 0.52]), np.array([0.01, 0.03])
    like = intervals.weighted_mean(values, values - intervals.Z95 * errors, values + intervals.Z95 * errors)
    assert like.value == pytest.approx((0.50 * 9 + 0.52) / 10)
    assert like.high - like.low == pytest.approx(2 * intervals.Z95 * 0.03 / np.sqrt(10))
    far = np.array([0.1, 0.9])
    unlike = intervals.weighted_mean(far, far - intervals.Z95 * errors, far + intervals.Z95 * errors)
    assert unlike.value == pytest.approx(0.5, abs=0.01)


def test_weighted_mean_needs_every_interval() -> None:
    values = np.array([0.5, 0.6])
    assert np.isnan(intervals.weighted_mean(values, np.array([0.4, np.nan]), np.array([0.6, np.nan])).value)
