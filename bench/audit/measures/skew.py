"""Skew of a ranking: which groups a prompt brings to the top. MaxSkew@k, MinSkew@k and NDKL.

Geyik, Ambler, Kenthapadi 2019 (arXiv 1905.01989). MaxSkew@k is the largest over groups of ln(share of the group in the
top k / desired share), MinSkew@k the smallest; NDKL the mean of KL(shares in the top i || desired) over i, weighted by
1 / log2(i + 1). Desired is `equal` shares or the `pool`'s own.

All three are far from 0 for a ranking that has nothing to do with groups: seven equal groups have a MaxSkew@1000 of
0.11 by chance. So each comes with its null level (mean and 95 % point over random rankings of this very pool) and p.

Where others differ: ties at rank k count by expectation, never by the order of files, and never beyond k; k may not be
the whole pool, where every model has the skew of the pool; a group that is absent from the top counts as half a
picture there (ln 0 otherwise); vectors are ranked by cosine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bench.errors import BenchError

RANKINGS = 2_000
BLOCK = 1 << 22
"""Places held at once."""


class Skew(NamedTuple):
    """A measure with what chance alone gives on this pool."""

    value: float
    null: float
    """Mean over random rankings."""
    null_high: float
    """95 % point over random rankings."""
    p: float
    """Share of random rankings as skewed as this."""
    group: int = -1
    """The group that has it; -1 for NDKL."""


def desired_shares(codes: np.ndarray, desired: str = "pool") -> np.ndarray:
    """float [group]: `pool` (as in the pictures at hand) or `equal`. `codes` int [image], all in a group."""
    if (codes < 0).any():
        raise BenchError("Skew: a picture of the pool has no group. Leave out those whose attribute is missing.")
    counts = np.bincount(codes)
    if (counts == 0).any() or len(counts) < 2:
        raise BenchError("Skew needs two groups or more, each with a picture in the pool.")
    if desired not in ("pool", "equal"):
        raise BenchError(f"Desired shares are `pool` or `equal`, not {desired!r}.")
    return np.asarray(counts / counts.sum() if desired == "pool" else np.full(len(counts), 1 / len(counts)))


def top_shares(scores: np.ndarray, codes: np.ndarray, k: int) -> np.ndarray:
    """Expected share of each group among the k best pictures, float [prompt, group], from scores [prompt, image]."""
    scores = np.atleast_2d(scores)
    _check(scores, codes, k)
    edge = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above, tied = scores > edge, scores == edge
    room = (k - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
    return np.asarray((above + room * tied) @ np.eye(int(codes.max()) + 1)[codes] / k)


def max_skew(scores: np.ndarray, codes: np.ndarray, k: int, **options: object) -> list[Skew]:
    """MaxSkew@k of each prompt, scores [prompt, image]. Options: `desired`, `rankings`, `seed`."""
    return _extreme(scores, codes, k, 1, **options)  # type: ignore[arg-type]


def min_skew(scores: np.ndarray, codes: np.ndarray, k: int, **options: object) -> list[Skew]:
    """MinSkew@k of each prompt."""
    return _extreme(scores, codes, k, -1, **options)  # type: ignore[arg-type]


def ndkl(
    scores: np.ndarray, codes: np.ndarray, k: int, *, desired: str = "pool", rankings: int = RANKINGS, seed: int = 0
) -> list[Skew]:
    """NDKL of the k best of each prompt. Groups that tie share their places."""
    scores = np.atleast_2d(scores)
    _check(scores, codes, k)
    wanted = desired_shares(codes, desired)
    onehot = np.eye(len(wanted))
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked, sorted_scores = onehot[codes[order]], np.take_along_axis(scores, order, axis=1)
    values = _ndkl(np.stack([_ties(r, s) for r, s in zip(ranked, sorted_scores, strict=True)])[:, :k], wanted)
    random = np.random.default_rng(seed)
    null = np.concatenate([_ndkl(onehot[drawn], wanted) for drawn in _random_rankings(codes, k, rankings, random)])
    high = float(np.quantile(null, 0.95))
    return [Skew(float(v), float(null.mean()), high, _p(null, v)) for v in values]


def _extreme(
    scores: np.ndarray, codes: np.ndarray, k: int, sign: int, desired: str = "pool", rankings: int = RANKINGS,
    seed: int = 0,
) -> list[Skew]:  # fmt: skip
    wanted = desired_shares(codes, desired)
    logs = sign * _log_skew(top_shares(scores, codes, k), wanted, k)
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(np.bincount(codes), k, size=rankings)
    null = (sign * _log_skew(drawn / k, wanted, k)).max(axis=1)
    high = sign * float(np.quantile(null, 0.95))
    return [
        Skew(sign * float(row.max()), sign * float(null.mean()), high, _p(null, row.max()), int(row.argmax()))
        for row in logs
    ]


def _log_skew(shares: np.ndarray, wanted: np.ndarray, k: int) -> np.ndarray:
    return np.asarray(np.log(np.maximum(shares, 0.5 / k) / wanted))


def _ndkl(ranked: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """float [ranking] from memberships float [ranking, place, group]."""
    places = np.arange(1, ranked.shape[1] + 1)
    shares = np.cumsum(ranked, axis=1) / places[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(shares > 0, shares * np.log(shares / wanted), 0.0).sum(axis=2)
    weights = 1 / np.log2(places + 1)
    return np.asarray(parts @ weights / weights.sum())


def _ties(ranked: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Memberships [place, group] with each run of equal scores sharing its mean."""
    starts = np.concatenate([[True], np.diff(scores) != 0])
    run = np.cumsum(starts) - 1
    sums = np.add.reduceat(ranked, np.flatnonzero(starts), axis=0)
    return np.asarray((sums / np.bincount(run)[:, None])[run])


def _random_rankings(codes: np.ndarray, k: int, rankings: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Groups of the first k places of random rankings, int [some, k], in blocks of bounded size."""
    block = max(1, BLOCK // max(len(codes), k * (int(codes.max()) + 1)))
    for start in range(0, rankings, block):
        same = np.broadcast_to(codes, (min(block, rankings - start), len(codes)))
        yield random.permuted(same, axis=1)[:, :k]


def _p(null: np.ndarray, value: float) -> float:
    return (1 + int((null >= value - 1e-12).sum())) / (len(null) + 1)


def _check(scores: np.ndarray, codes: np.ndarray, k: int) -> None:
    if scores.shape[1] != len(codes):
        raise BenchError(f"Skew: {scores.shape[1]} scores for {len(codes)} pictures; each needs one.")
    if np.isnan(scores).any():
        raise BenchError("Scores hold NaN: the vectors of the model or the texts are damaged.")
    if not 1 <= k < len(codes):
        raise BenchError(
            f"Skew at {k} of {len(codes)} pictures: k must be smaller than the pool. At the whole pool every model has "
            "the skew of the pool itself."
        )
