"""The paired difference: planted drops that the interval covers, clusters, no difference at all."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import BenchError
from bench.metrics.paired import paired_difference


def planted(random: np.random.Generator, n: int, drop: float, *, accuracy: float = 0.7, regained: float = 0.02):
    """A model that gets `drop` fewer right on changed pictures, exactly in expectation: some are lost, few regained."""
    clean = random.random(n) < accuracy
    lost = random.random(n) < (drop + (1 - accuracy) * regained) / accuracy
    return clean, np.where(clean, ~lost, random.random(n) < regained)


def test_a_planted_drop_is_found_exactly() -> None:
    clean = np.repeat([1.0, 0.0], [70, 30])
    changed = np.repeat([1.0, 0.0], [45, 55])
    found = paired_difference(changed, clean)
    assert found.value == pytest.approx(-0.25)
    assert found.low < -0.25 < found.high < 0


@pytest.mark.parametrize(("n", "drop"), [(150, 0.05), (300, 0.2), (2000, 0.01)])
def test_its_interval_covers_in_95_percent_of_1000(n: int, drop: float) -> None:
    random, covered = np.random.default_rng(n), 0
    for _ in range(1000):
        clean, changed = planted(random, n, drop)
        found = paired_difference(changed, clean)
        covered += found.low <= -drop <= found.high
    assert 930 <= covered <= 970


def test_clusters_cover_where_pictures_would_not() -> None:
    random, covered, naive = np.random.default_rng(5), 0, 0
    clusters = np.repeat(np.arange(60), 6)
    for _ in range(1000):
        clean = np.repeat(random.random(60) < 0.7, 6)
        changed = clean & ~np.repeat(random.random(60) < 0.2, 6)  # a drawing fails in all its skin tones
        found, alone = paired_difference(changed, clean, clusters=clusters), paired_difference(changed, clean)
        covered += found.low <= -0.14 <= found.high
        naive += alone.low <= -0.14 <= alone.high
    assert 930 <= covered <= 975
    assert naive < 700


def test_no_difference_keeps_a_width_and_other_pictures_are_refused() -> None:
    same = paired_difference(np.ones(20), np.ones(20))
    assert same.value == 0
    assert same.low < 0 < same.high
    with pytest.raises(BenchError, match="same pictures"):
        paired_difference(np.ones(3), np.ones(4))
