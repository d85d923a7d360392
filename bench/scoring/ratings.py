"""What people said: pairs of pictures of one prompt, which is the better one, ties allowed.

CSV with columns `prompt`, `a`, `b` (names of the systems that made the two pictures), `winner` (`a`, `b` or `tie`) and,
if known, `rater`. Win rates are plain (a tie is half a win), their intervals count prompts. `strength` is that of
Bradley and Terry (1952): the chance to beat another system is s / (s + t), ties being half a win for each; fitted by
Hunter's minorisation (2004), geometric mean 1. A system that never won, or never lost, has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.scoring.estimates import mean

COLUMNS = ("prompt", "a", "b", "winner")
CREDIT = {"a": 1.0, "b": 0.0, "tie": 0.5}


def read(path: str | Path) -> pd.DataFrame:
    """The ratings, checked: columns `COLUMNS`, `rater` ('' if not given), and `credit` of system a.

    Raises:
        BenchError: no such file, no rating, a column that is missing, a winner that is none of a, b, tie, a system
            against itself.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise BenchError(
            f"Cannot read the ratings {path}: {error}. Give a CSV with columns {', '.join(COLUMNS)}."
        ) from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise BenchError(
            f"Ratings {path}: column(s) {', '.join(missing)} missing. Expected {', '.join(COLUMNS)}, and rater."
        )
    if table.empty:
        raise BenchError(f"Ratings {path}: there is no rating in it. Give a line for each pair that was compared.")
    winner = table["winner"].str.strip().str.lower()
    wrong = ~winner.isin(list(CREDIT)) | (table["a"] == table["b"]) | (table["a"] == "") | (table["b"] == "")
    if wrong.any():
        line = int(np.flatnonzero(wrong)[0])
        raise BenchError(
            f"Ratings {path}, line {line + 2}: `winner` must be a, b or tie, and a and b two different systems; "
            f"found {table.iloc[line].to_dict()}."
        )
    table["credit"] = winner.map(CREDIT)
    return table if "rater" in table else table.assign(rater="")


def win_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Columns system, value, low, high, n (ratings), prompts, ties, strength: of every system, best first."""
    flipped = table.assign(a=table["b"], b=table["a"], credit=1 - table["credit"])
    both = pd.concat([table, flipped], ignore_index=True)
    strength = strengths(table)
    lines: list[dict[str, Any]] = []
    for system, own in both.groupby("a", sort=True):
        found = mean(own["credit"].to_numpy(), own["prompt"].to_numpy())
        lines.append(
            {"system": system, **found, "ties": float((own["credit"] == 0.5).mean()), "strength": strength[str(system)]}
        )
    return (
        pd.DataFrame(lines)
        .rename(columns={"meanings": "prompts"})
        .sort_values("value", ascending=False, ignore_index=True)
    )


def strengths(table: pd.DataFrame, *, steps: int = 10_000) -> dict[str, float]:
    """Bradley-Terry strengths; NaN for a system that won everything or nothing."""
    names = sorted({*table["a"], *table["b"]})
    place = {name: i for i, name in enumerate(names)}
    won = np.zeros((len(names), len(names)))
    for a, b, credit in zip(table["a"], table["b"], table["credit"], strict=True):
        won[place[a], place[b]] += credit
        won[place[b], place[a]] += 1 - credit
    played, total = won + won.T, won.sum(axis=1)
    fair = (total > 0) & (total < played.sum(axis=1))
    strength = np.ones(len(names))
    for _ in range(steps):
        rate = played / (strength[:, None] + strength[None, :])
        new = np.where(fair, total / np.maximum(rate[:, fair].sum(axis=1) if fair.any() else 1, 1e-300), 1.0)
        new = new / np.exp(np.log(new[fair]).mean()) if fair.any() else new
        if np.allclose(new, strength, rtol=1e-10):
            break
        strength = new
    return {name: float(strength[i]) if fair[i] else float("nan") for name, i in place.items()}


def agreement(table: pd.DataFrame) -> dict[str, Any]:
    """How often two raters say the same of the same pair of systems on the same prompt (tie = tie)."""
    pair = [tuple(sorted(one)) for one in zip(table["a"], table["b"], strict=True)]
    said = np.where(table["a"] <= table["b"], table["credit"], 1 - table["credit"])
    own = pd.DataFrame({"prompt": table["prompt"], "pair": pair, "said": said, "rater": table["rater"]})
    values, prompts = [], []
    for (prompt, _), group in own.groupby(["prompt", "pair"]):
        ratings = group.drop_duplicates("rater")["said"].to_numpy()
        if len(ratings) > 1:
            n = len(ratings)
            same = sum(float(count) * (float(count) - 1) for count in np.unique(ratings, return_counts=True)[1])
            values.append(same / (n * (n - 1)))
            prompts.append(prompt)
    return mean(np.array(values), np.array(prompts, dtype=str)) if values else mean(np.array([np.nan]), np.array([""]))
