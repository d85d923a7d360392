"""Which caption fits which picture: SugarCrepe, ARO, VALSE and the like, and Winoground's three scores.

`scores` is [image, caption]; where pictures have captions of different number, the missing ones are -inf. `labels` is
the index of the true caption.

`matching`: share of pictures whose true caption scores best; ties earn their expected credit, so a model that cannot
tell the captions apart gets 1 / captions and not, as with argmax and the true caption written first, 1.

Winoground (Thrush et al. 2022, arXiv 2204.03162): two pictures and two captions with the same words. Text score: for
both pictures the own caption scores higher; image score: for both captions the own picture does; group score: both. The
inequalities are strict as in the paper: a tie is a failure (the number of examples with one is noted). Guessing gives
1/4, 1/4 and 1/6.

`matching_per_group` averages over groups what `matching` is within each: ARO's headline. Its variance is that of a
stratified mean, over rows as if independent.

Intervals of the others: pictures or examples are independent: Wilson. If rows share a picture (attribute `picture`)
an example (`pair`) or what `Task.cluster` names, they are clusters: linearised variance, widened (see `estimate.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.errors import BenchError
from bench.metrics.credit import credit, refuse_nan
from bench.metrics.estimate import Estimate, clustered, groups_of, mean_over_strata, widened, wilson

if TYPE_CHECKING:
    import pandas as pd

CLUSTERS = ("cluster", "pair", "picture")
"""Attributes that say which rows belong together, the wider first."""


class Wins(NamedTuple):
    """Winoground's comparisons: bool [example] each."""

    text: np.ndarray
    image: np.ndarray
    tied: np.ndarray


def matching(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of pictures whose true caption scores best, ties shared."""
    credits = credit(scores, labels)
    chance = float((1 / np.isfinite(scores).sum(axis=1)).mean())
    column = next((name for name in CLUSTERS if attributes is not None and name in attributes), None)
    if attributes is None or column is None:
        value, n = float(credits.mean()), len(credits)
        return Estimate(value, *wilson(value, n), n, "Wilson", chance)
    value, variance, count = clustered(credits, attributes[column].astype(str).to_numpy(dtype=str))
    interval, method = widened(value, variance, count), f"clustered by {column}, Wilson form"
    return Estimate(value, *interval, len(credits), method, chance)


def matching_per_group(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Mean over groups (`Task.group`) of the share within the group: ARO's headline, over relations or attributes."""
    groups = groups_of(attributes)
    known, whole = groups != "", matching(scores, labels)
    if not known.any():
        raise BenchError("No picture has a group. Check the column that Task.group names.")
    credits, groups = credit(scores, labels)[known], groups[known]
    value, variance, count = mean_over_strata(credits, groups)
    interval = widened(value, variance, len(credits))
    return Estimate(value, *interval, len(credits), "stratified Wilson", whole.chance, f"mean over {count} groups")


def winoground_text(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of examples in which each picture prefers its own caption."""
    wins = compare(scores, labels, attributes)
    return _share(wins.text, wins.tied, 1 / 4)


def winoground_image(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of examples in which each caption prefers its own picture."""
    wins = compare(scores, labels, attributes)
    return _share(wins.image, wins.tied, 1 / 4)


def winoground_group(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of examples in which both hold."""
    wins = compare(scores, labels, attributes)
    return _share(wins.text & wins.image, wins.tied, 1 / 6)


def compare(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None) -> Wins:
    """The comparisons of each example: its two rows share attribute `pair`, and their true captions are 0 and 1."""
    rows = _rows_of_pairs(labels, attributes)
    refuse_nan(scores)
    table = scores[rows][:, :, :2]  # [example, image, caption], truth on the diagonal
    right0, right1 = table[:, 0, 0], table[:, 1, 1]
    wrong = table[:, 0, 1], table[:, 1, 0]  # caption 1 on picture 0, caption 0 on picture 1
    text = (right0 > wrong[0]) & (right1 > wrong[1])
    image = (right0 > wrong[1]) & (right1 > wrong[0])
    tied = (table[:, [0, 1], [0, 1]][:, :, None] == np.stack(wrong, axis=1)[:, None, :]).any(axis=(1, 2))
    return Wins(text, image, np.asarray(tied))


def _rows_of_pairs(labels: np.ndarray, attributes: pd.DataFrame | None) -> np.ndarray:
    """Row numbers [example, 2]: the picture of caption 0, then that of caption 1."""
    if attributes is None or "pair" not in attributes:
        raise BenchError("Winoground's scores need an attribute 'pair', equal on the two pictures of an example.")
    names, example = np.unique(attributes["pair"].astype(str).to_numpy(dtype=str), return_inverse=True)
    order = np.lexsort((labels, example))
    expected = np.repeat(np.arange(len(names)), 2), np.tile([0, 1], len(names))
    if not (np.array_equal(example[order], expected[0]) and np.array_equal(labels[order], expected[1])):
        raise BenchError(
            "Winoground's scores need two pictures a pair, one whose true caption is 0 and one whose is 1. "
            f"There are {len(order)} pictures in {len(names)} pairs."
        )
    return order.reshape(-1, 2)


def _share(won: np.ndarray, tied: np.ndarray, chance: float) -> Estimate:
    value, n = float(won.mean()), len(won)
    note = f"{int(tied.sum())} of {n} examples with a tie, which counts as a failure" if tied.any() else ""
    return Estimate(value, *wilson(value, n), n, "Wilson over examples", chance, note)
