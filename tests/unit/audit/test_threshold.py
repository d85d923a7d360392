"""Threshold association: planted shares, exact p against scipy, thresholds that mean the same on every set."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.audit.measures.disparity import false_discovery
from bench.audit.measures.threshold import sweep, table_p
from bench.errors import BenchError
from tests.unit.audit.planted import grouping_of


def certain(over: np.ndarray, labels: int) -> np.ndarray:
    """Probabilities [image, label] with label 0 just above 12 / labels where `over`, far below 0.5 / labels else."""
    first = np.where(over, 12.1 / labels, 0.1 / labels)
    rest = (1 - first)[:, None] / (labels - 1) * np.ones((1, labels - 1))
    return np.column_stack([first, rest])


def test_planted_shares_and_the_papers_thresholds() -> None:
    """1.5 and 12 over 300 labels are the paper's 0.5 % and 4 %."""
    codes = np.repeat([0, 1], [100, 50])
    over = np.arange(150) % 50 < np.where(codes == 0, 20, 5)
    found = sweep(certain(over, 300), grouping_of(codes), multiples=(1.5, 12.0))
    assert found.thresholds == pytest.approx([0.005, 0.04])
    assert found.shares[:, 0] == pytest.approx(np.array([[0.4, 0.1], [0.4, 0.1]]))
    assert found.p[1, 0] == pytest.approx(stats.fisher_exact([[40, 5], [60, 45]]).pvalue)
    table = found.table([f"l{i}" for i in range(300)], grouping_of(codes))
    row = table[(table.label == "l0") & (table.multiple == 12) & (table.group == "a=1")].iloc[0]
    assert (row.share, row.n, row.threshold) == (pytest.approx(0.1), 50, pytest.approx(0.04))


def test_fisher_is_scipys() -> None:
    random = np.random.default_rng(0)
    sizes = np.array([37, 52])
    counts = np.column_stack([random.integers(0, 38, 60), random.integers(0, 53, 60)])
    expected = [stats.fisher_exact([[a, b], [sizes[0] - a, sizes[1] - b]]).pvalue for a, b in counts]
    assert table_p(counts, sizes) == pytest.approx(expected)


def test_more_groups_are_sampled_and_agree_with_scipy() -> None:
    sizes, counts = np.array([40, 40, 40]), np.array([[8, 4, 16], [5, 5, 5], [0, 0, 0], [40, 40, 40]])
    found = table_p(counts, sizes)
    table = np.array([counts[0], sizes - counts[0]])
    method = stats.PermutationMethod(n_resamples=9_999, rng=np.random.default_rng(0))
    expected = stats.chi2_contingency(table, correction=False, method=method).pvalue
    assert found[0] == pytest.approx(expected, abs=0.004)
    assert found[1:].tolist() == [1, 1, 1]


def test_low_counts_do_not_make_findings() -> None:
    """1 of 20 against 0 of 200 is p = 0.002 by chi-squared; exactly it is 0.09."""
    table = [[1, 0], [19, 200]]
    assert stats.chi2_contingency(table, correction=False).pvalue < 0.01
    assert table_p(np.array([[1, 0]]), np.array([20, 200]))[0] == pytest.approx(20 / 220)


def test_without_an_association_the_false_discovery_rate_holds() -> None:
    random, alarms, codes = np.random.default_rng(4), 0, np.repeat([0, 1], [150, 250])
    for _ in range(40):
        logits = random.normal(size=(400, 60))
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        alarms += bool((false_discovery(sweep(p, grouping_of(codes)).p.ravel()) <= 0.05).any())
    assert alarms <= 5


def test_a_planted_association_is_found_among_sixty_labels() -> None:
    random, codes = np.random.default_rng(4), np.repeat([0, 1], 200)
    logits = random.normal(size=(400, 60))
    logits[:, 7] += 1.0 * codes
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    q = false_discovery(sweep(p, grouping_of(codes)).p.ravel()).reshape(-1, 60)
    assert set(np.nonzero(q <= 0.05)[1]) == {7}


def test_clusters_take_away_what_copies_pretend() -> None:
    """Six copies of each of 40 pictures; 60 % against 40 % of 20 is nothing, of 120 it would be."""
    codes = np.repeat([0, 1], 120)
    over = np.repeat(np.arange(40) % 20 < np.where(np.arange(40) < 20, 12, 8), 6)
    names = np.repeat(np.arange(40), 6)
    copies = sweep(certain(over, 20), grouping_of(codes), multiples=(6.0,)).p[0, 0]
    counted = sweep(certain(over, 20), grouping_of(codes), multiples=(6.0,), clusters=names).p[0, 0]
    assert copies < 0.01
    assert counted > 0.1


def test_refusals() -> None:
    codes = np.repeat([0, 1], 50)
    with pytest.raises(BenchError, match="summing to 1"):
        sweep(np.ones((100, 4)), grouping_of(codes))
    with pytest.raises(BenchError, match="between 0 and 4"):
        sweep(np.full((100, 4), 0.25), grouping_of(codes), multiples=(4.0,))
    with pytest.raises(BenchError, match="two are compared"):
        sweep(np.full((100, 4), 0.25), grouping_of(np.repeat([0, 1], [95, 5])))
