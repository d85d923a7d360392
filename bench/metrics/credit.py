"""Expected credit under ties: what a right answer among equals is worth.

With `t` answers tied over the last `m` places, of which `r` are right, a random order brings at least one right one
in with probability 1 - C(t - r, m) / C(t, m). Plain argmax would give a model that scores everything alike the rank of
column 0: the first class, or the true caption where it is written first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.errors import BenchError


class Places(NamedTuple):
    """Where the best placed right answer of each query stands. Three int64 arrays [query]."""

    above: np.ndarray
    """Answers with a higher score."""
    tied: np.ndarray
    """Answers with the same score, the right one included."""
    right: np.ndarray
    """Right ones among the tied."""

    def credit(self, k: int = 1) -> np.ndarray:
        """Chance that a right answer is among the k first: float64 [query]."""
        room = np.clip(k - self.above, 0, self.tied)
        missed = np.ones(len(self.above))
        for j in range(int(self.right.max(initial=0))):
            left = np.maximum(self.tied - room - j, 0) / np.maximum(self.tied - j, 1)
            missed *= np.where(j < self.right, left, 1.0)
        return 1.0 - missed

    def rank(self) -> np.ndarray:
        """Expected rank of the first right answer, counted from 1: float64 [query]."""
        return np.asarray(self.above + (self.tied + 1) / (self.right + 1))


def places(scores: np.ndarray, labels: np.ndarray) -> Places:
    """`scores` [query, answer]; `labels` int64 [query], or bool [query, answer] if several answers are right."""
    refuse_nan(scores)
    labels = np.asarray(labels)
    if labels.ndim == 1:
        own = scores[np.arange(len(scores)), labels]
        right = np.ones(len(scores), dtype=np.int64)
        return Places((scores > own[:, None]).sum(axis=1), (scores == own[:, None]).sum(axis=1), right)
    own = np.where(labels, scores, -np.inf).max(axis=1)
    tied = scores == own[:, None]
    return Places((scores > own[:, None]).sum(axis=1), tied.sum(axis=1), (tied & labels).sum(axis=1))


def refuse_nan(scores: np.ndarray) -> None:
    """A NaN compares as false with everything and would pass for a wrong answer."""
    if np.isnan(scores).any():
        raise BenchError("Scores hold NaN: the vectors of the model or the texts are damaged.")


def credit(scores: np.ndarray, labels: np.ndarray, *, k: int = 1) -> np.ndarray:
    """Expected credit of each picture for having a label among the k best choices: float64 [image] in [0, 1]."""
    return places(scores, labels).credit(k)


def hit_by_chance(right: np.ndarray, answers: int, *, k: int = 1) -> float:
    """Mean credit of scoring all `answers` alike; `right` is the number of right ones, int [query]."""
    count = np.asarray(right)
    return float(Places(np.zeros_like(count), np.full_like(count, answers), count).credit(k).mean())
