"""Estimates of a scorer's verdicts, and ratings by people."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.scoring import ratings
from bench.scoring.estimates import mean


class TestEstimates:
    def test_clusters_widen(self) -> None:
        credits = np.repeat([0.0, 1.0] * 10, 6)
        alone = mean(credits, np.arange(120))
        together = mean(credits, np.repeat(np.arange(20), 6))
        assert together["meanings"] == 20
        assert together["value"] == alone["value"] == 0.5
        assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])

    def test_nothing_judged(self) -> None:
        assert np.isnan(mean(np.array([np.nan]), np.array(["a"]))["value"])

    def test_intervals_cover_when_pictures_of_a_meaning_agree(self) -> None:
        """Rates of meanings vary (beta), six pictures each: the clustered interval covers, the plain one does not."""
        rng = np.random.default_rng(1)
        a, b, covered, plain = 1.2, 0.8, 0, 0
        meanings = np.repeat(np.arange(24), 6)
        for _ in range(1_000):
            credits = (rng.random(144) < np.repeat(rng.beta(a, b, 24), 6)).astype(float)
            found, naive = mean(credits, meanings), mean(credits, np.arange(144))
            covered += found["low"] <= a / (a + b) <= found["high"]
            plain += naive["low"] <= a / (a + b) <= naive["high"]
        assert 930 <= covered <= 975
        assert plain < 850


class TestRatings:
    def write(self, path: Path, text: str) -> Path:
        path.write_text(text)
        return path

    def test_ties_are_half_and_strengths_are_bradley_terrys(self, tmp_path: Path) -> None:
        lines = [
            "prompt,a,b,winner,rater",
            *[f"p{i},x,y,{'a' if i < 6 else 'b' if i < 8 else 'tie'},r" for i in range(12)],
        ]
        table = ratings.read(self.write(tmp_path / "r.csv", "\n".join(lines)))
        found = ratings.win_rates(table).set_index("system")
        assert found.loc["x", "value"] == pytest.approx(8 / 12)
        assert found.loc["x", "strength"] / found.loc["y", "strength"] == pytest.approx(2.0)
        assert found.loc["x", "ties"] == pytest.approx(4 / 12)

    def test_three_systems_against_a_closed_form(self) -> None:
        """Where wins follow the model exactly, the strengths come back."""
        true = {"x": 4.0, "y": 2.0, "z": 1.0}
        lines = [
            {"prompt": f"{a}{b}{i}", "a": a, "b": b, "credit": true[a] / (true[a] + true[b])}
            for a, b in itertools.combinations(true, 2)
            for i in range(5)
        ]
        found = ratings.strengths(pd.DataFrame(lines))
        scale = (4 * 2 * 1) ** (1 / 3)
        assert {name: value * scale for name, value in found.items()} == pytest.approx(true, rel=1e-6)

    def test_agreement_of_raters(self, tmp_path: Path) -> None:
        text = "prompt,a,b,winner,rater\np,x,y,a,1\np,y,x,b,2\np,x,y,tie,3\nq,x,y,a,1\n"
        found = ratings.agreement(ratings.read(self.write(tmp_path / "r.csv", text)))
        assert (found["value"], found["n"]) == (pytest.approx(1 / 3), 1)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("prompt,a,winner\np,x,a\n", "column\\(s\\) b missing"),
            ("prompt,a,b,winner\np,x,y,x\n", "line 2"),
            ("prompt,a,b,winner\np,x,x,a\n", "line 2"),
        ],
    )
    def test_mistakes_are_named(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(BenchError, match=message):
            ratings.read(self.write(tmp_path / "r.csv", text))
