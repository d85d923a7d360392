"""Spread over prompts: the smallest, the median and the largest value that paraphrased templates give.

One checkpoint's worst group on Waterbirds lies between 27 and 45 % in the literature, by prompt alone. So no audit
figure of a single template stands by itself. A spread is no interval: it says what wording does, not what chance does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bench.errors import BenchError


class Spread(NamedTuple):
    """Values over templates, and the templates that gave the extremes."""

    low: float
    median: float
    high: float
    n: int
    lowest: str
    highest: str


def spread(values: Mapping[str, float]) -> Spread:
    """From the value under each template. Templates under which there is none (NaN) are left out.

    Raises:
        BenchError: no template gave a value.
    """
    known = {template: value for template, value in values.items() if np.isfinite(value)}
    if not known:
        raise BenchError("No template gave a value, so there is no spread.")
    lowest, highest = min(known, key=lambda one: known[one]), max(known, key=lambda one: known[one])
    return Spread(known[lowest], float(np.median(list(known.values()))), known[highest], len(known), lowest, highest)
