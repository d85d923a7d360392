"""Means of credits with 95 % intervals that count meanings, not pictures.

Samples of a prompt and equivalent wordings of one meaning depend on each other: they are one cluster. The variance is
the linearised one of `bench.metrics.estimate.clustered`, the interval Wilson's at the size which that variance gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.metrics.estimate import clustered, widened

if TYPE_CHECKING:
    import pandas as pd

EMPTY = {"value": np.nan, "low": np.nan, "high": np.nan, "n": 0, "meanings": 0}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain dictionaries, in order."""
    return [{str(name): value for name, value in one.items()} for one in table.to_dict("records")]


def mean(credits: np.ndarray, meanings: np.ndarray) -> dict[str, Any]:
    """value, low, high, n (units that could be judged) and meanings; credits [unit] in [0, 1], NaN where not judged."""
    credits = np.asarray(credits, dtype=np.float64)
    judged = np.isfinite(credits)
    if not judged.any():
        return dict(EMPTY)
    value, variance, count = clustered(credits[judged], np.asarray(meanings)[judged].astype(str))
    low, high = widened(value, variance, count)
    return {"value": value, "low": low, "high": high, "n": int(judged.sum()), "meanings": count}
