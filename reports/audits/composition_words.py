"""Words and cells that the exhibits of composition share."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports import words
from reports.exhibits import Figure
from reports.tables import lines

AUDIT = "composition"
SCORERS = {
    "exact": "exact reader",
    "clip": "model of the run",
    "ocr": "letters read (OCR)",
    "vqa": "asked (VQA)",
    "foils": "true sentence against false ones",
}
WHOSE = {
    "own": "on the right thing",
    "another's": "on another thing of the prompt",
    "nobody's": "asked for by nobody",
    "nothing": "the thing is not there",
}


def preferred(names: Any) -> str:
    """The scorer whose word counts most: the exact reader where it is there, else the first."""
    return "exact" if "exact" in set(names) else str(next(iter(names)))


def named(name: str) -> str:
    return SCORERS.get(name, name)


def where(category: str, world: bool) -> str:
    return category if world else f"{category} (open)"


def figure(row: dict[str, Any] | None) -> Figure:
    """A score with the accuracy of its scorer, or that it cannot be measured by this scorer, and why."""
    if row is None:
        return Figure("–", note="this scorer says nothing about these prompts")
    if not row["measurable"]:
        known = (
            ""
            if row["reliability"] != row["reliability"]
            else f"scorer right on {words.percent(row['reliability'], digits=0)}"
        )
        return Figure("not measurable", known, note=f"not measurable with this scorer: {row['reason']}")
    interval = f"{words.interval(row['low'], row['high'])} · scorer {words.percent(row['reliability'], digits=0)}"
    return Figure(
        words.percent(row["value"]),
        interval,
        sort=row["value"],
        note=f"{row['n']:.0f} judgements, {row['meanings']:.0f} meanings",
    )


def lookup(scores: pd.DataFrame, **wanted: Any) -> dict[str, Any] | None:
    chosen = scores
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    return None if chosen.empty else lines(chosen)[0]
