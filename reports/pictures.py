"""Galleries: kept thumbnails with the truth and the model's top guesses, within a budget of bytes for the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from reports.folder import Cell
from reports.tables import lines

BUDGET = 6_000_000
"""Bytes of JPEG in one page; base64 makes a third more of it."""
SHOWN = 3
"""Guesses under a picture."""


@dataclass
class Budget:
    """Pictures are given out until the bytes are used up; what did not fit is counted and said."""

    left: int = BUDGET
    refused: int = 0
    seen: dict[bytes, str] = field(default_factory=dict)

    def address(self, jpeg: bytes) -> str | None:
        """A data URI, or None if it does not fit. Only a JPEG is ever called one."""
        if not isinstance(jpeg, bytes) or not jpeg.startswith(b"\xff\xd8"):
            return None
        if len(jpeg) > self.left:
            self.refused += 1
            return None
        self.left -= len(jpeg)
        return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def gallery(cell: Cell, budget: Budget, *, most: int = 8) -> dict[str, list[dict[str, Any]]]:
    """`random`: pictures drawn without looking at the result; `mistakes`: the most confident wrong guesses kept."""
    kept = cell.pictures
    if kept.empty:
        return {"random": [], "mistakes": []}
    table = kept.drop(columns="label").merge(cell.predictions.drop_duplicates("id"), on="id", how="inner")
    random = table[table["why"] == "random"].drop_duplicates("id").head(most)
    wrong = table[(table["correct"] == 0)].drop_duplicates("id")
    wrong = wrong.sort_values("confidence", ascending=False, kind="stable").head(most)
    return {"random": _cards(random, cell, budget), "mistakes": _cards(wrong, cell, budget)}


def _cards(table: pd.DataFrame, cell: Cell, budget: Budget) -> list[dict[str, Any]]:
    cards = []
    for row in lines(table):
        address = budget.address(row["jpeg"])
        if address:
            cards.append({"src": address, "id": str(row["id"]), "right": row["correct"] > 0, **_words(row, cell)})
    return cards


def _words(row: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """True names and the best guesses as (name, probability, is it right)."""
    label, choices = row["label"], cell.choices
    right = [int(i) for i in label] if hasattr(label, "__iter__") else [int(label)]
    own = row.get("attribute.captions")
    if cell.protocol == "matching" and own is not None:
        choices = [str(caption) for caption in own]
    best = list(zip(row["top"], row["top_probabilities"], strict=True))[:SHOWN]
    guesses = [{"name": choices[int(i)], "p": float(p), "right": int(i) in right} for i, p in best]
    truth = right[:1] if cell.protocol == "retrieval" else right
    return {"truth": [choices[i] for i in truth], "guesses": guesses}
