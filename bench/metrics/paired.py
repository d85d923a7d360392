"""Difference of two results on the very same pictures, with its interval.

Adjusted Wald (Bonett and Price 2012): one picture is added to each side, so that two results that never differ on few
pictures keep a width. Where pictures come in clusters, clusters take the pictures' place.
"""

from __future__ import annotations

import numpy as np

from bench.errors import BenchError
from bench.metrics.estimate import Z95, Estimate


def paired_difference(credit: np.ndarray, other: np.ndarray, *, clusters: np.ndarray | None = None) -> Estimate:
    """Mean of `credit - other`, both [picture] in the same order, in [-1, 1]."""
    if np.shape(credit) != np.shape(other) or not len(credit):
        raise BenchError(
            f"A paired difference needs two results on the same pictures; given {np.shape(credit)}, {np.shape(other)}."
        )
    gaps = np.asarray(credit, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    position = np.arange(len(gaps)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    sizes = np.bincount(position)
    sums, value, units = np.bincount(position, weights=gaps), float(gaps.mean()), len(sizes) + 2
    residual = (sums - value * sizes) / sizes.mean()
    centre = value * (units - 2) / units
    half = Z95 * np.sqrt(((residual**2).sum() + 2) / units / units)
    how = "paired, adjusted Wald" if clusters is None else f"paired, adjusted Wald over {units - 2} clusters"
    return Estimate(value, min(float(centre - half), value), max(float(centre + half), value), len(gaps), how)
