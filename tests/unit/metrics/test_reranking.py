"""The best of N by a reranker: exact over all choices of N samples, with known curves."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bench.metrics.reranking import curve, expected_best


def test_equals_all_subsets() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        liking, credit = rng.integers(0, 4, 6).astype(float), rng.random(6)
        for n in (1, 2, 3, 6):
            wanted = []
            for chosen in itertools.combinations(range(6), n):
                top = [i for i in chosen if liking[i] == liking[list(chosen)].max()]
                wanted.append(credit[top].mean())
            assert expected_best(liking, credit, n) == pytest.approx(np.mean(wanted))


def test_known_curve() -> None:
    """Two of eight right. A perfect reranker finds one of N by the hypergeometric law, a blind one never gains."""
    table = pd.DataFrame(
        [{"prompt": p, "meaning": p, "credit": float(s < 2), "liking": 0.0} for p in range(5) for s in range(8)]
    )
    blind = curve(table, [1, 2, 4, 8]).set_index(["n", "who"])["value"]
    assert blind.xs("reranked", level="who").tolist() == pytest.approx([0.25] * 4)
    assert blind.xs("oracle", level="who").tolist() == pytest.approx([1 - 6 / 8, 1 - 15 / 28, 1 - 15 / 70, 1.0])
    knowing = curve(table.assign(liking=table["credit"]), [1, 8]).set_index(["n", "who"])
    assert knowing.loc[(8, "gain"), "value"] == pytest.approx(0.75)
    assert (knowing["low"] <= knowing["value"] + 1e-12).all()
    assert (knowing["high"] >= knowing["value"] - 1e-12).all()


def test_noise_gains_nothing() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        [{"prompt": p, "meaning": p, "credit": float(rng.random() < 0.3), "liking": rng.random()}
         for p in range(200) for _ in range(8)]
    )  # fmt: skip
    gain = curve(table, [8]).set_index("who").loc["gain"]
    assert gain["low"] < 0 < gain["high"]
