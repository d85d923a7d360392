"""Skew: planted rankings, the null levels of the facts, ties by expectation, and the traps of others' code."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audit.measures.skew import desired_shares, max_skew, min_skew, ndkl, top_shares
from bench.errors import BenchError


def test_a_planted_ranking_comes_out_exactly() -> None:
    """Top 10 of 100: eight of group 1, two of group 0; the pool is half and half."""
    codes = np.array([1] * 8 + [0] * 2 + [0] * 48 + [1] * 42)
    scores = -np.arange(100.0)
    (top,), (least,) = max_skew(scores, codes, 10), min_skew(scores, codes, 10)
    assert (top.value, top.group) == (pytest.approx(np.log(0.8 / 0.5)), 1)
    assert (least.value, least.group) == (pytest.approx(np.log(0.2 / 0.5)), 0)
    assert top.p == pytest.approx(least.p, abs=0.02)


def test_ndkl_by_the_definition() -> None:
    random = np.random.default_rng(0)
    codes, scores = random.integers(3, size=60), random.normal(size=60)
    wanted, order = desired_shares(codes), codes[np.argsort(-scores)]
    total = weight = 0.0
    for i in range(1, 21):
        share = np.bincount(order[:i], minlength=3) / i
        total += sum(s * np.log(s / w) for s, w in zip(share, wanted, strict=True) if s > 0) / np.log2(i + 1)
        weight += 1 / np.log2(i + 1)
    assert ndkl(scores, codes, 20)[0].value == pytest.approx(total / weight)


@pytest.mark.parametrize(
    ("groups", "k", "expected"), [(2, 1_000, 0.025), (7, 1_000, 0.107), (2, 100, 0.075), (7, 100, 0.311)]
)
def test_null_of_max_skew_is_that_of_the_facts(groups: int, k: int, expected: float) -> None:
    """Balanced groups, ranking independent of group, in a large pool."""
    codes = np.arange(140_000) % groups
    found = max_skew(np.random.default_rng(1).random(len(codes)), codes, k, rankings=8_000)[0]
    assert found.null == pytest.approx(expected, abs=0.005)
    assert found.p > 0.01


@pytest.mark.parametrize(("groups", "expected"), [(2, 0.013), (7, 0.057)])
def test_null_of_ndkl_is_that_of_the_facts(groups: int, expected: float) -> None:
    codes = np.arange(7_000) % groups
    found = ndkl(np.random.default_rng(1).random(len(codes)), codes, 1_000, rankings=400)[0]
    assert found.null == pytest.approx(expected, abs=0.005)


def test_p_is_uniform_where_the_ranking_has_nothing_to_do_with_groups() -> None:
    random, codes = np.random.default_rng(2), np.arange(300) % 3
    found = max_skew(random.random((400, 300)), codes, 60)
    assert np.mean([one.p <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.03)
    kullback = ndkl(random.random((100, 300)), codes, 60, rankings=500)
    assert np.mean([one.p <= 0.05 for one in kullback]) <= 0.12


def test_ties_count_by_expectation_and_never_beyond_k() -> None:
    """All scores alike: the top has the shares of the pool, whatever the order of files."""
    codes = np.array([0] * 30 + [1] * 10)
    assert top_shares(np.zeros(40), codes, 7)[0] == pytest.approx([0.75, 0.25])
    assert max_skew(np.zeros(40), codes, 7)[0].value == pytest.approx(0)
    assert ndkl(np.zeros(40), codes, 7)[0].value == pytest.approx(0)
    some = np.array([3.0, 2, 2, 2, 1])
    assert top_shares(some, np.array([0, 1, 1, 0, 0]), 2)[0] == pytest.approx([0.5 + 1 / 6, 1 / 3])


def test_ties_agree_with_breaking_them_at_random() -> None:
    random = np.random.default_rng(3)
    scores, codes = random.integers(4, size=50).astype(float), random.integers(3, size=50)
    broken = np.mean([top_shares(scores + random.uniform(0, 0.5, 50), codes, 20)[0] for _ in range(4_000)], axis=0)
    assert top_shares(scores, codes, 20)[0] == pytest.approx(broken, abs=0.01)


def test_the_whole_pool_has_the_skew_of_the_pool_for_every_model() -> None:
    """`topn=1.0` is the default of others: it depends on group counts only. Here it is refused."""
    codes = np.array([0] * 30 + [1] * 10)
    with pytest.raises(BenchError, match="smaller than the pool"):
        max_skew(np.arange(40.0), codes, 40)
    one, other = (max_skew(np.random.default_rng(s).random(40), codes, 39, desired="equal")[0] for s in (0, 1))
    assert one.value == pytest.approx(other.value, abs=0.02)


def test_absent_groups_are_half_a_picture_and_not_minus_infinity() -> None:
    codes = np.array([0] * 20 + [1] * 20)
    found = min_skew(-np.arange(40.0), codes, 10)[0]
    assert found.value == pytest.approx(np.log(0.05 / 0.5))
    assert found.group == 1


def test_refusals() -> None:
    with pytest.raises(BenchError, match="has no group"):
        max_skew(np.arange(3.0), np.array([0, 1, -1]), 2)
    with pytest.raises(BenchError, match="two groups"):
        max_skew(np.arange(3.0), np.array([0, 0, 0]), 2)
    with pytest.raises(BenchError, match="NaN"):
        max_skew(np.array([np.nan, 1, 2]), np.array([0, 1, 1]), 2)
    with pytest.raises(BenchError, match="`pool` or `equal`"):
        max_skew(np.arange(3.0), np.array([0, 1, 1]), 2, desired="fair")
