"""Reranking: draw N pictures of a prompt and keep the one that a model likes best. What is gained over N?

For every N up to the number of samples, exactly: the expected credit of the favourite of a random N of them. With ranks
from the best down, sample k is the favourite of C(S - k, N - 1) of the C(S, N) subsets; samples that the reranker likes
equally share their places. `oracle` is the same with the judge as reranker (no reranker can do better), `random` the
mean. A picture that is not there is liked least. Intervals count meanings (as everywhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
import pandas as pd

from bench.metrics.estimate import Z95, clustered, widened


def expected_best(liking: np.ndarray, credit: np.ndarray, n: int) -> float:
    """Expected credit of the favourite of a random `n` of these samples [sample]; ties share."""
    order = np.argsort(-liking, kind="stable")
    liked, earned = liking[order], credit[order].astype(np.float64)
    for value in np.unique(liked):
        tied = liked == value
        earned[tied] = earned[tied].mean()
    total = comb(len(order), n)
    weights = [comb(len(order) - 1 - place, n - 1) / total for place in range(len(order))]
    return float(np.dot(weights, earned))


def curve(table: pd.DataFrame, numbers: Sequence[int]) -> pd.DataFrame:
    """Columns n, who (reranked, oracle, random, gain over random), value, low, high, prompts, meanings.

    `table` has a line a picture: prompt, meaning, liking (-inf where there is no picture) and credit. Prompts with
    fewer samples than `n` are left out of that `n`.
    """
    lines = []
    groups = [
        (own["meaning"].iloc[0], own["liking"].to_numpy(float), own["credit"].to_numpy(float))
        for _, own in table.groupby("prompt", sort=False)
    ]
    for n in numbers:
        whole = [one for one in groups if len(one[1]) >= n]
        if not whole:
            continue
        meanings = np.array([one[0] for one in whole])
        values = {
            "reranked": np.array([expected_best(liking, credit, n) for _, liking, credit in whole]),
            "oracle": np.array([expected_best(credit, credit, n) for _, _, credit in whole]),
            "random": np.array([credit.mean() for _, _, credit in whole]),
        }
        lines += [{"n": n, "who": who, **_mean(own, meanings)} for who, own in values.items()]
        lines.append({"n": n, "who": "gain", **_difference(values["reranked"] - values["random"], meanings)})
    return pd.DataFrame(lines)


def _mean(values: np.ndarray, meanings: np.ndarray) -> dict[str, float]:
    value, variance, clusters = clustered(values, meanings.astype(str))
    low, high = widened(value, variance, clusters)
    return {"value": value, "low": low, "high": high, "prompts": len(values), "meanings": clusters}


def _difference(gaps: np.ndarray, meanings: np.ndarray) -> dict[str, float]:
    """Of the same prompts, so that equal values differ by nothing: the normal interval."""
    value, variance, clusters = clustered(gaps, meanings.astype(str))
    half = Z95 * variance**0.5
    return {"value": value, "low": value - half, "high": value + half, "prompts": len(gaps), "meanings": clusters}
