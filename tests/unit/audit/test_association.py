"""WEAT and iEAT: the published figures on vectors built to have them, permutation p by brute force, coverage."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import optimize

from bench.audit.measures.association import Association, of_scores, weat
from bench.errors import BenchError

A, B = np.array([[1.0, 0, 0]]), np.array([[0.0, 1, 0]])


def vectors(scores: np.ndarray) -> np.ndarray:
    """Unit vectors whose s against A and B is the given score: cos with A s/2 above, with B s/2 below a half."""
    first, second = 0.5 + scores / 2, 0.5 - scores / 2
    return np.column_stack([first, second, np.sqrt(1 - first**2 - second**2)])


def with_effect(base_x: np.ndarray, base_y: np.ndarray, d: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores of this very effect size, by shifting X."""

    def gap(shift: float) -> float:
        both = np.concatenate([base_x + shift, base_y])
        return float((base_x + shift).mean() - base_y.mean()) / float(both.std(ddof=1)) - d

    shift = optimize.brentq(gap, -2, 2)
    scale = 0.3 / np.abs(np.concatenate([base_x + shift, base_y])).max()
    return (base_x + shift) * scale, base_y * scale


def test_ieat_insect_flower() -> None:
    """SimCLR: d = 1.689; with over 10,000 partitions p is at its floor of 1 / 10,001."""
    random = np.random.default_rng(0)
    x, y = with_effect(0.1 * random.normal(size=35), 0.1 * random.normal(size=35), 1.689)
    found = weat(vectors(x), vectors(y), A, B)
    assert found.d == pytest.approx(1.689, abs=5e-4)
    assert (found.exact, found.p) == (False, pytest.approx(1 / 10_001))


def test_ieat_gender_career() -> None:
    """SimCLR: d = 0.740, p = 3e-4 published from a sample."""
    random = np.random.default_rng(1)
    x, y = with_effect(0.1 * random.normal(size=40), 0.1 * random.normal(size=40), 0.740)
    found = weat(vectors(x), vectors(y), A, B)
    assert found.d == pytest.approx(0.740, abs=5e-4)
    assert 1e-4 <= found.p < 2e-3


def test_ieat_weapon_has_its_exact_p() -> None:
    """SimCLR: d = 1.376 and exactly 8 of C(12, 6) = 924 partitions: searched among random bases."""
    assert comb(12, 6) == 924
    found = searched(6, 1.376, 8 / 924)
    assert found.d == pytest.approx(1.376, abs=5e-4)
    assert (found.exact, found.partitions) == (True, 924)
    assert found.p == pytest.approx(8 / 924)
    assert round(found.p, 5) == 0.00866


def test_ieat_disability_has_its_exact_p() -> None:
    """SimCLR: d = 0.378 and p = 0.343 of 70 partitions: 24 of them."""
    found = searched(4, 0.378, 24 / 70)
    assert found.d == pytest.approx(0.378, abs=5e-4)
    assert found.partitions == 70
    assert found.p == pytest.approx(0.343, abs=5e-4)


def searched(n: int, d: float, p: float) -> Association:
    for seed in range(2_000):
        random = np.random.default_rng(seed)
        x, y = with_effect(0.1 * random.normal(size=n), 0.1 * random.normal(size=n), d)
        found = weat(vectors(x), vectors(y), A, B)
        if abs(found.p - p) < 1e-9:
            return found
    raise AssertionError("no vectors with this d and p")


def brute(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """p by the definition, with sums for means written out."""
    both = np.concatenate([x, y])
    seen = x.mean() - y.mean()
    found = []
    for chosen in combinations(range(len(both)), len(x)):
        inside = np.isin(np.arange(len(both)), chosen)
        found.append(both[inside].mean() - both[~inside].mean())
    return float(np.mean(np.array(found) >= seen - 1e-12)), float(np.mean(np.abs(found) >= abs(seen) - 1e-12))


@pytest.mark.parametrize(("first", "second"), [(4, 4), (3, 6), (6, 3)])
def test_exact_p_is_brute_force_also_for_unequal_sets(first: int, second: int) -> None:
    random = np.random.default_rng(first)
    x, y = random.normal(size=first) + 0.6, random.normal(size=second)
    found = of_scores(x, y)
    assert (found.p, found.p_two_sided) == pytest.approx(brute(x, y))
    assert found.partitions == comb(first + second, first)


def test_the_floor_of_four_against_four_is_one_in_seventy() -> None:
    found = of_scores(np.array([5.0, 6, 7, 8]), np.array([1.0, 2, 3, 4]))
    assert (found.p, found.p_two_sided) == (pytest.approx(1 / 70), pytest.approx(2 / 70))


def test_a_negative_effect_is_seen_two_sided() -> None:
    found = of_scores(np.array([1.0, 2, 3, 4]), np.array([5.0, 6, 7, 8]))
    assert found.d < -1.5
    assert found.p == 1
    assert found.p_two_sided == pytest.approx(2 / 70)


def test_sampled_p_is_near_the_exact_one() -> None:
    """10 against 10 is sampled; the exact p is counted here over all 184,756 partitions."""
    random = np.random.default_rng(3)
    x, y = random.normal(size=10) + 0.8, random.normal(size=10)
    found = of_scores(x, y)
    chosen = np.array(list(combinations(range(20), 10)))
    means = np.concatenate([x, y])[chosen].mean(axis=1)
    exact = float((means >= x.mean() - 1e-12).mean())
    assert not found.exact
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact / 10_000) + 1e-4)


def test_length_of_vectors_is_of_no_account() -> None:
    random = np.random.default_rng(2)
    x, y, a, b = (random.normal(size=(n, 5)) for n in (6, 7, 3, 4))
    stretched = [part * random.uniform(0.1, 9, size=(len(part), 1)) for part in (x, y, a, b)]
    assert weat(x, y, a, b).d == pytest.approx(weat(*stretched).d)


@pytest.mark.parametrize(("first", "second", "g"), [(8, 8, 0.8), (5, 20, 0.0), (30, 30, 1.5)])
def test_the_interval_covers(first: int, second: int, g: float) -> None:
    """Scores drawn as normal; truth is d of the population, made of parts this large."""
    random, hits, times = np.random.default_rng(8), 0, 400
    share = first * second / ((first + second) * (first + second - 1))
    truth = g / np.sqrt((first + second - 2) / (first + second - 1) + share * g**2)
    for _ in range(times):
        found = of_scores_without_permutations(random.normal(size=first) + g, random.normal(size=second))
        hits += found[0] <= truth <= found[1]
    assert 0.93 <= hits / times <= 0.97


def of_scores_without_permutations(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    from bench.audit.measures import association

    both = np.concatenate([x, y])
    return association._interval(float((x.mean() - y.mean()) / both.std(ddof=1)), len(x), len(y))


def test_refusals() -> None:
    good = vectors(np.array([0.1, 0.2]))
    with pytest.raises(BenchError, match="set X has 1"):
        weat(good[:1], good, A, B)
    with pytest.raises(BenchError, match="set B has 0"):
        weat(good, good, A, B[:0])
    with pytest.raises(BenchError, match="score alike"):
        weat(np.repeat(good[:1], 3, axis=0), np.repeat(good[:1], 3, axis=0), A, B)
    with pytest.raises(BenchError, match="zero or not finite"):
        weat(good * 0, good, A, B)
