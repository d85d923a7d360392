"""Paired statistics: published answers, and what they promise in simulation."""

import numpy as np
import pytest

from reports import paired


@pytest.mark.parametrize(("wins", "losses", "p"), [
    (0, 0, 1.0),
    (1, 7, 0.0391),  # Fagerland, Lydersen and Laake (2013), airway hyper-responsiveness: mid-p 0.039, exact 0.070
    (5, 5, 1 - 252 / 1024 + 252 / 1024),
    (0, 5, 1 / 32),
    (20, 20, 1.0),
])  # fmt: skip
def test_mcnemar_mid_p(wins: int, losses: int, p: float) -> None:
    assert paired.mcnemar(wins, losses) == pytest.approx(p, abs=5e-5)
    assert paired.mcnemar(losses, wins) == pytest.approx(p, abs=5e-5)


def test_mcnemar_of_many_pictures_is_the_normal_limit() -> None:
    """z = (b - c) / sqrt(b + c) = 1.96 has p 0.05."""
    assert paired.mcnemar(5000 + 98, 5000 - 98) == pytest.approx(0.05, abs=5e-4)
    assert paired.mcnemar(60_000, 1) < 1e-300


def planted(random: np.random.Generator, n: int, only_a: float, only_b: float) -> tuple[np.ndarray, np.ndarray]:
    """Credits of two models: both right half of the rest of the time."""
    kind = random.choice(4, n, p=[only_a, only_b, (1 - only_a - only_b) / 2, (1 - only_a - only_b) / 2])
    return np.isin(kind, [0, 2]).astype(float), np.isin(kind, [1, 2]).astype(float)


def test_mcnemar_claims_falsely_at_most_five_times_in_a_hundred() -> None:
    random = np.random.default_rng(1)
    for n, share in ((100, 0.1), (400, 0.05), (60, 0.2)):
        false = 0
        for _ in range(1000):
            a, b = planted(random, n, share, share)
            false += paired.mcnemar(int((a > b).sum()), int((a < b).sum())) < 0.05
        assert false <= 65  # 50 expected, three standard errors above


@pytest.mark.parametrize(
    ("n", "only_a", "only_b"), [(100, 0.15, 0.05), (400, 0.05, 0.05), (50, 0.3, 0.1), (1000, 0.01, 0.0)]
)
def test_difference_covers_the_planted_one(n: int, only_a: float, only_b: float) -> None:
    random, covered = np.random.default_rng(2), 0
    for _ in range(1000):
        a, b = planted(random, n, only_a, only_b)
        gap = paired.difference(a, b, np.ones(n))
        covered += gap.low <= only_a - only_b <= gap.high
    assert covered >= 935


def test_difference_of_equal_predictions_is_zero_but_not_certain() -> None:
    gap = paired.difference(np.ones(50), np.ones(50), np.ones(50))
    assert gap.value == 0
    assert gap.low == pytest.approx(-gap.high)
    assert 0 < gap.high < 0.1


def test_class_weights_turn_a_mean_into_the_mean_per_class() -> None:
    labels = np.array([0] * 8 + [1] * 2)
    credit = np.array([1.0] * 8 + [0.0, 1.0])
    weights = paired.class_weights(labels, "mean_per_class")
    assert (weights * credit).mean() == pytest.approx((1.0 + 0.5) / 2)
    assert weights.mean() == pytest.approx(1)
    assert paired.class_weights(labels, "top1").tolist() == [1.0] * 10


def test_holm_and_fdr_equal_worked_examples() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(paired.holm(p), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(paired.fdr(p), [0.02, 0.04, 0.04, 0.02])


def test_holm_keeps_false_claims_over_many_tasks_rare() -> None:
    random, runs_with_a_false_claim = np.random.default_rng(3), 0
    for _ in range(1000):
        p = np.array([paired.mcnemar(k, 30 - k) for k in random.binomial(30, 0.5, 10)])
        runs_with_a_false_claim += bool((paired.holm(p) < 0.05).any())
    assert runs_with_a_false_claim <= 65


EASE, OWN = np.random.default_rng(9).random((2, 200_000))
MIX = np.sort(0.6 * EASE + 0.4 * OWN)


def credits(random: np.random.Generator, n: int, accuracy: list[float]) -> np.ndarray:
    """[picture, model]: models agree more than chance would have it, as they do on real pictures."""
    ease, own = random.random((n, 1)), random.random((n, len(accuracy)))
    return ((0.6 * ease + 0.4 * own) < MIX[(np.array(accuracy) * len(MIX)).astype(int)]).astype(float)


def test_overall_difference_covers_and_claims_rarely() -> None:
    random, covered, false = np.random.default_rng(4), 0, 0
    accuracy = [0.5, 0.5, 0.6]
    for seed in range(1000):
        blocks = [credits(random, n, accuracy) for n in (80, 200)]
        weights = [np.ones(len(block)) for block in blocks]
        means = np.mean([block.mean(axis=0) for block in blocks], axis=0)
        sample = paired.draws(blocks, weights, count=400, seed=seed)
        gap, _ = paired.overall(sample, means, 2, 0)
        covered += gap.low <= 0.1 <= gap.high
        false += paired.overall(sample, means, 0, 1)[1] < 0.05
    assert covered >= 0.93 * 1000
    assert false <= 0.07 * 1000


def test_bootstrap_draws_have_the_right_spread() -> None:
    block = credits(np.random.default_rng(5), 500, [0.3, 0.8])
    sample = paired.draws([block], [np.ones(500)], count=4000)
    np.testing.assert_allclose(sample.mean(axis=0), block.mean(axis=0), atol=0.002)
    np.testing.assert_allclose(sample.std(axis=0), block.std(axis=0) / np.sqrt(500), rtol=0.06)


def test_rank_intervals_hold_the_true_ranks_together() -> None:
    """Models 1 and 2 are equal: ranks 1 or 2 are both true of them; the third is rank 3. A miss in any is a miss."""
    random, held = np.random.default_rng(6), 0
    for seed in range(1000):
        block = credits(random, 300, [0.6, 0.6, 0.5])
        places = paired.ranks(paired.draws([block], [np.ones(300)], count=300, seed=seed), block.mean(axis=0))
        held += (
            places[0][0] == 1 and places[0][1] >= 2 and places[1][0] == 1 and places[1][1] >= 2 and places[2][1] == 3
        )
    assert held >= 0.935 * 1000


def test_ranks_of_clear_cases() -> None:
    block = credits(np.random.default_rng(7), 2000, [0.9, 0.2, 0.5])
    sample = paired.draws([block], [np.ones(2000)])
    assert paired.ranks(sample, block.mean(axis=0)) == [(1, 1), (3, 3), (2, 2)]
    same = np.repeat(block[:, :1], 3, axis=1)
    assert paired.ranks(paired.draws([same], [np.ones(2000)]), same.mean(axis=0)) == [(1, 3)] * 3
