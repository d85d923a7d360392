"""A value with its 95 % interval, and the two ways in which intervals are made here.

`wilson` is the score interval of a share of independent trials (Wilson 1927, JASA 22). Every other mean of bounded
things gets its variance from its own theory (strata, clusters, DeLong, bootstrap) and then **Wilson's interval with
the sample size that a plain share of that variance would have** (`widened`): it stays inside [0, 1], and has a width
at 0 and at 1 where a normal interval has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


class Estimate(NamedTuple):
    """A value, its 95 % interval, the number of units behind it, and how the interval was made."""

    value: float
    low: float
    high: float
    n: int
    """Pictures; pairs of pictures for Winoground; pictures of the worst group for `worst_group`."""
    interval: str
    chance: float = float("nan")
    """Value of a guess without looking, on these very labels; NaN where it is not known."""
    note: str = ""
    """What a reader of the row should know besides."""


def wilson(value: float, n: float, *, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share `value` seen in `n` independent trials. Empty interval where n is 0."""
    if n <= 0:
        return float("nan"), float("nan")
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(value * (1 - value) / n + z**2 / (4 * n**2))
    return float(min(max(0.0, centre - half), value)), float(max(min(1.0, centre + half), value))


def widened(value: float, variance: float, n: int, *, z: float = Z95) -> tuple[float, float]:
    """Interval of a value in [0, 1] whose estimate has this variance and rests on `n` independent units.

    The variance is at least what `n` trials with half a failure among them have, so that a faultless result on few
    units keeps its width.
    """
    middle = float(np.clip(value, 0.5 / n, 1 - 0.5 / n))
    return wilson(value, middle * (1 - middle) / max(variance, 0.5 / n**2), z=z)


def mean_over_strata(credits: np.ndarray, strata: np.ndarray) -> tuple[float, float, int]:
    """Mean of the strata's mean credits, its variance, and the number of strata that occur.

    `credits` and `strata` are [unit]. The variance is the sum of the strata's own / strata^2, each stratum's rate being
    smoothed by the Jeffreys prior (half a success, half a failure).
    """
    _, position, counts = np.unique(strata, return_inverse=True, return_counts=True)
    hits = np.bincount(position, weights=credits)
    smoothed = (hits + 0.5) / (counts + 1)
    variance = float((smoothed * (1 - smoothed) / counts).sum()) / len(counts) ** 2
    return float((hits / counts).mean()), variance, len(counts)


def clustered(credits: np.ndarray, clusters: np.ndarray) -> tuple[float, float, int]:
    """Mean credit, its variance and the number of clusters: members of one cluster may depend on each other.

    `credits` is [unit], `clusters` any labels [unit]. The mean is a ratio of two sums over clusters; its variance is
    the linearised one (Cochran 1977, Sampling Techniques, 6.4), with the factor g / (g - 1) for g clusters.
    """
    _, position = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(position)
    mean, count = float(credits.mean()), len(sizes)
    residual = np.bincount(position, weights=credits) - mean * sizes
    variance = float((residual**2).sum()) / len(credits) ** 2 * count / max(count - 1, 1)
    return mean, variance, count


def groups_of(attributes: pd.DataFrame | None) -> np.ndarray:
    """The group of each picture as text; empty where the data give none."""
    column = None if attributes is None else attributes.get("group")
    if column is None:
        have = [] if attributes is None else list(map(str, attributes.columns))
        raise BenchError(
            "This metric needs an attribute 'group'; Task.group may name the column to slice by. "
            f"Attributes of these pictures: {', '.join(have) or 'none'}."
        )
    return column.astype(object).where(column.notna(), "").astype(str).to_numpy(dtype=str)


def clusters_of(attributes: pd.DataFrame | None) -> np.ndarray | None:
    """The cluster of each picture as text; None where pictures are independent."""
    if attributes is None or "cluster" not in attributes:
        return None
    return attributes["cluster"].astype(str).to_numpy(dtype=str)
