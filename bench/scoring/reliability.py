"""The reliability card: how often a scorer is right about pictures whose truth is known, before it is believed.

Per category, inside our renderer's world and outside of it (annotated pictures), and per kind of slot:
- a slot's accuracy is that of its reading on pictures of prompts and of their foils, each under its own truth;
- `all` is balanced: how often a true picture passes, and how often a picture of a foil, shown under the prompt that it
  belies, is turned down; each half counts the same, so that a scorer which says yes to everything gets one half;
- `foil`: how often the true sentence beats the false one, on pictures of the prompt and on pictures of the foil.

A score is stated only where the scorer's accuracy reaches the level that was set; else it is "not measurable with this
scorer". Where there is no picture of known truth, nothing is known, and that is said instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.known import Reference
from bench.scoring import Material, Scorer
from bench.scoring.clip import Texts, wins
from bench.scoring.estimates import EMPTY, mean

KEY = ["scorer", "category", "world", "kind"]
FEWEST = 8
"""Readings of known truth below which a scorer's accuracy is not known."""


def of_slots(scorer: Scorer, references: Sequence[Reference], material: Material) -> list[dict[str, Any]]:
    """Accuracies by category and kind of slot, and `all`. `material` has the pictures of `references`, in order."""
    own = scorer.read(Material([one.shown for one in references], material.images, material.vectors))
    belied = [i for i, one in enumerate(references) if one.foil >= 0]
    again = scorer.read(
        Material(
            [references[i].prompt for i in belied],
            [material.images[i] for i in belied],
            lambda: material.vectors()[belied],
        )
    )
    told = dict(zip(belied, again, strict=True))
    lines: list[dict[str, Any]] = []
    for i, (one, shown) in enumerate(zip(references, own, strict=True)):
        base = {"scorer": scorer.name, **_where(one)}
        lines += [
            {**base, "kind": slot.kind, "half": "", "credit": shown.credit(slot)}
            for slot in one.shown.slots
            if slot.name in shown.slots
        ]
        passed = told.get(i, shown).all_right(one.prompt)
        lines.append(
            {
                **base,
                "kind": "all",
                "half": "true" if one.foil < 0 else "foil",
                "credit": passed if one.foil < 0 else 1 - passed,
            }
        )
    return _summed(lines)


def of_foils(name: str, references: Sequence[Reference], vectors: np.ndarray, texts: Texts) -> list[dict[str, Any]]:
    """Accuracies of the foil comparison by category and kind of foil, and over all (`foil`)."""
    lines = []
    for win in wins([one.prompt for one in references], vectors, texts, shown=[one.foil for one in references]):
        one = references[win.picture]
        half = "true" if one.foil < 0 else "foil"
        base = {"scorer": name, **_where(one), "half": half, "credit": win.credit}
        lines += [{**base, "kind": "foil"}, {**base, "kind": f"foil: {one.prompt.foils[win.foil].kind}"}]
    return _summed(lines)


def _where(one: Reference) -> dict[str, Any]:
    return {"category": one.prompt.category, "world": one.file is None, "meaning": one.prompt.group}


def _summed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    table = pd.DataFrame([one for one in lines if np.isfinite(one["credit"])])
    if table.empty:
        return []
    return [dict(zip(KEY, key, strict=True)) | _balanced(own) for key, own in table.groupby(KEY, sort=False)]


def _balanced(own: pd.DataFrame) -> dict[str, Any]:
    """Mean of the halves' means, with its interval; of one half only where there are no others."""
    halves = [mean(part["credit"].to_numpy(), part["meaning"].to_numpy()) for _, part in own.groupby("half")]
    if len(halves) == 1:
        return halves[0]
    value = float(np.mean([one["value"] for one in halves]))
    low, high = (np.sqrt(sum((one["value"] - one[end]) ** 2 for one in halves)) / 2 for end in ("low", "high"))
    return {
        "value": value,
        "low": max(0.0, value - float(low)),
        "high": min(1.0, value + float(high)),
        "n": sum(one["n"] for one in halves),
        "meanings": max(one["meanings"] for one in halves),
    }


def card(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The card as a table."""
    return pd.DataFrame(rows, columns=pd.Index([*KEY, *EMPTY]))


def attach(scores: pd.DataFrame, known: pd.DataFrame, level: float) -> pd.DataFrame:
    """Scores with their scorer's accuracy beside them (`reliability` ...); are they `measurable`, and why not."""
    beside = known.rename(
        columns={
            "value": "reliability",
            "low": "reliability_low",
            "high": "reliability_high",
            "n": "reliability_n",
            "meanings": "reliability_meanings",
        }
    )
    joined = scores.merge(beside, on=KEY, how="left")
    few = joined["reliability_n"].fillna(0) < FEWEST
    joined["measurable"] = (joined["reliability"] >= level) & ~few
    joined["reason"] = np.select(
        [joined["reliability"].isna(), few, ~joined["measurable"]],
        [
            "no picture of known truth to test the scorer on",
            f"fewer than {FEWEST} readings of known truth to test it on",
            f"the scorer is right on less than {level:.0%} of the pictures of known truth",
        ],
        "",
    )
    return joined
