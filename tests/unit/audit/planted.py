"""Predictions with a planted bias, so that the right answer of an audit is known."""

from __future__ import annotations

import numpy as np

from bench.audit.measures.groups import Grouping


def grouping_of(codes: np.ndarray, count: int | None = None, *, minimum: int = 20, name: str = "a") -> Grouping:
    """Groups 0, 1 ... of one attribute from group numbers, -1 for none."""
    count = int(codes.max()) + 1 if count is None else count
    members = codes[:, None] == np.arange(count)
    return Grouping((name,), tuple(map(str, range(count))), members, minimum)


def exact(rates: tuple[float, ...], sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes with exactly these rates, and group numbers."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    outcome = np.concatenate([np.arange(n) < round(rate * n) for rate, n in zip(rates, sizes, strict=True)])
    return outcome.astype(float), codes


def drawn(
    rates: tuple[float, ...], sizes: tuple[int, ...], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes drawn at these rates, and group numbers."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return (random.random(len(codes)) < np.array(rates)[codes]).astype(float), codes
