"""Effective robustness: planted lines, transforms, infinite logits, intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import linregress, norm

from bench.audit.measures.bootstrap import accuracy_draws, interval
from bench.audit.measures.effective import Fit, Reference, effective_robustness, relative_robustness
from bench.errors import BenchError


def planted(n: int = 40, *, noise: float = 0.0, seed: int = 0) -> Reference:
    random = np.random.default_rng(seed)
    accuracy = random.uniform(0.55, 0.85, n)
    shifted = expit(0.9 * logit(accuracy) - 1.0 + noise * random.standard_normal(n))
    return Reference("planted", tuple(f"m{i}" for i in range(n)), accuracy, shifted)


def test_a_planted_line_is_found_to_the_digit() -> None:
    fit = planted().fit()
    assert (fit.slope, fit.intercept, fit.r2) == pytest.approx((0.9, -1.0, 1.0))
    assert fit.residual < 1e-9
    assert fit.n == 40
    assert fit.effective(0.7, float(expit(0.9 * logit(0.7) - 1)) + 0.05) == pytest.approx(0.05)


@pytest.mark.parametrize(("name", "forward"), [("logit", logit), ("probit", norm.ppf), ("linear", lambda x: x)])
def test_each_transform_agrees_with_scipy(name: str, forward) -> None:  # type: ignore[no-untyped-def]
    models = planted(noise=0.2)
    fit, other = models.fit(name), linregress(forward(models.in_distribution), forward(models.shifted))
    assert (fit.slope, fit.intercept) == pytest.approx((other.slope, other.intercept))
    assert fit.r2 == pytest.approx(other.rvalue**2)


def test_the_share_of_the_gap_closed() -> None:
    fit = Fit("line", "linear", 1.0, -0.4, n=9, low=0.5, high=0.9, r2=1.0, residual=0.0)
    assert fit.gap_closed(0.8, 0.7) == pytest.approx((0.7 - 0.4) / (0.8 - 0.4))
    assert fit.gap_closed(0.8, 0.4) == pytest.approx(0)
    assert fit.gap_closed(0.8, 0.8) == pytest.approx(1)
    gain = Fit("no gap", "linear", 1.0, 0.1, n=9, low=0.5, high=0.9, r2=1.0, residual=0.0)
    assert math.isnan(gain.gap_closed(0.8, 0.95))


def test_extrapolation_is_flagged() -> None:
    fit = planted().fit()
    assert not fit.extrapolates(fit.low)
    assert not fit.extrapolates(fit.high)
    assert fit.extrapolates(fit.low - 1e-9)
    assert fit.extrapolates(0.99)


def test_infinite_logits_are_refused_or_dropped_as_stated() -> None:
    models = planted()
    table = pd.DataFrame({"model": models.models, "in_distribution": models.in_distribution, "shifted": models.shifted})
    table.loc[3, "shifted"] = 0.0
    with pytest.raises(BenchError, match="'m3' has accuracy .* under shift"):
        Reference.of(table).fit()
    assert Reference.of(table).fit("linear").n == 40
    dropped = Reference.of(table, on_boundary="drop").fit()
    assert (dropped.n, dropped.dropped) == (39, 1)
    assert (dropped.slope, dropped.intercept) == pytest.approx((0.9, -1.0))


def test_a_model_at_one_is_expected_at_the_limit() -> None:
    assert planted().fit().expected(1.0) == 1.0
    assert planted().fit().effective(1.0, 0.9) == pytest.approx(-0.1)
    assert planted().fit("probit").expected(0.0) == 0.0


def test_user_tables_are_checked() -> None:
    good = pd.DataFrame({"model": ["a", "b"], "in_distribution": [0.5, 0.7], "shifted": [0.3, 0.5]})
    assert Reference.of(good).fit().n == 2
    with pytest.raises(BenchError, match="missing: shifted"):
        Reference.of(good.drop(columns="shifted"))
    with pytest.raises(BenchError, match="not percent"):
        Reference.of(good.assign(shifted=[30.0, 50.0]))
    with pytest.raises(BenchError, match="'a' occurs twice"):
        Reference.of(pd.concat([good, good]))
    with pytest.raises(BenchError, match="two models of different accuracy"):
        Reference.of(good.assign(in_distribution=0.5)).fit()
    with pytest.raises(BenchError, match="transform"):
        Reference.of(good).fit("log")


def test_without_leaves_the_scored_model_out_of_its_own_line() -> None:
    models = planted(noise=0.3)
    assert models.without("m3").fit().n == 39
    assert models.without("m3").fit() != models.fit()
    assert models.without("nobody").fit() == models.fit()


def test_relative_robustness_is_the_plain_difference() -> None:
    assert relative_robustness(0.5, 0.45) == pytest.approx(0.05)


def test_few_models_give_an_interval_of_the_pictures_only() -> None:
    table = pd.DataFrame({"model": list("abc"), "in_distribution": [0.5, 0.6, 0.7], "shifted": [0.3, 0.45, 0.5]})
    random = np.random.default_rng(0)
    found = effective_robustness(Reference.of(table), random.random(200) < 0.6, random.random(200) < 0.5)
    assert found.effective.interval == "bootstrap over pictures (3 models held)"
    assert found.effective.low < found.effective.value < found.effective.high


def test_more_noise_in_the_reference_widens_the_interval() -> None:
    random = np.random.default_rng(0)
    pictures = random.random(5_000) < 0.7, random.random(5_000) < 0.6
    wide, narrow = (effective_robustness(planted(8, noise=noise), *pictures).effective for noise in (0.5, 0.01))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_draws_of_a_share_are_jeffreys() -> None:
    """For right and wrong answers alone, draws are Beta(hits + 1/2, misses + 1/2): an independent formula."""
    from scipy.stats import beta, kstest

    hits = np.repeat([1.0, 0.0], [30, 10])
    assert kstest(accuracy_draws(hits, draws=4000), beta(30.5, 10.5).cdf).pvalue > 0.01
    both = accuracy_draws(np.column_stack([hits, hits]), draws=4000)
    assert kstest(both[:, 1], beta(30.5, 10.5).cdf).pvalue > 0.01
    assert np.corrcoef(both.T)[0, 1] > 0.95  # the same pictures stay together


def test_draws_of_clusters_are_wider() -> None:
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(50), 10)
    credit = np.repeat((random.random(50) < 0.5).astype(float), 10)  # all ten of a cluster alike
    apart, together = accuracy_draws(credit).std(), accuracy_draws(credit, clusters=clusters).std()
    assert together == pytest.approx(apart * math.sqrt(10), rel=0.15)


def test_a_perfect_result_keeps_its_width_and_bad_credit_is_refused() -> None:
    low, high = interval(accuracy_draws(np.ones(20)), 1.0)
    assert low < 0.95
    assert high == 1.0
    with pytest.raises(BenchError, match="between 0 and 1"):
        accuracy_draws(np.array([0.5, 7.0]))
    with pytest.raises(BenchError, match="one or two results"):
        accuracy_draws(np.zeros(0))


def coverage(repetitions: int) -> float:
    """How often the interval holds the true effective robustness, with models and pictures drawn anew each time."""
    covered = 0
    true_id, true_shifted = 0.72, 0.60
    truth = true_shifted - expit(0.9 * logit(true_id) - 1.0)
    for seed in range(repetitions):
        random = np.random.default_rng(seed)
        reference = planted(30, noise=0.15, seed=seed + 10_000)
        found = effective_robustness(
            reference, random.random(800) < true_id, random.random(400) < true_shifted, draws=400, seed=seed
        ).effective
        covered += found.low <= truth <= found.high
    return covered / repetitions


@pytest.mark.parametrize(("repetitions", "slack"), [(300, 0.035), pytest.param(1000, 0.02, marks=pytest.mark.slow)])
def test_the_interval_covers(repetitions: int, slack: float) -> None:
    assert abs(coverage(repetitions) - 0.95) <= slack
