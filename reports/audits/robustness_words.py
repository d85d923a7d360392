"""Tables of the robustness audit put together, and its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports import words
from reports.exhibits import Figure, share
from reports.folder import Run

AUDIT = "robustness"


def named(run: Run) -> str:
    """The model of a run, as sentences call it."""
    return run.models[0] if run.models else run.name


def stacked(runs: Sequence[Run], beginning: str) -> pd.DataFrame:
    """All tables of this beginning, one under the other, with the columns `model` and `task`."""
    parts = []
    for run in runs:
        for name in run.named(AUDIT, beginning):
            table = run.table(AUDIT, name)
            parts.append(table.assign(model=named(run), task=table.attrs.get("task", name.removeprefix(beginning))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


class Told(NamedTuple):
    """A row's number: value, interval, pictures, and what a guess (or a model that is well calibrated) would show."""

    value: float
    low: float
    high: float
    n: int
    chance: float

    @property
    def cell(self) -> Figure:
        return share(self.value, self.low, self.high)

    @property
    def points(self) -> str:
        """As a difference in points."""
        return points(self.value, self.low, self.high)

    @property
    def minus(self) -> Told:
        """The same the other way round: a loss for a gain."""
        return self._replace(value=-self.value, low=-self.high, high=-self.low)


def facts(rows: pd.DataFrame) -> dict[str, Told]:
    """Rows of one task by their metric."""
    columns = ["value", "low", "high", "n", "chance"]
    found = {}
    for metric, numbers in zip(rows["metric"], rows[columns].to_numpy(dtype=float).tolist(), strict=True):
        value, low, high, n, chance = numbers
        found[str(metric)] = Told(value, low, high, int(n), chance)
    return found


def by_task(rows: pd.DataFrame) -> dict[str, dict[str, Told]]:
    """Rows of one model by task and metric."""
    return {str(task): facts(part) for task, part in rows.groupby("task", sort=False)}


def kind_of(kind: str) -> str:
    """`corruption`, `sweep` or `unchanged` from the kind of a condition."""
    return kind if kind in ("sweep", "unchanged") else "corruption"


def points(value: float, low: float = float("nan"), high: float = float("nan")) -> str:
    """A difference in percentage points: `3.2 points [1.0, 5.4]`."""
    number = f"{100 * value:.1f}".replace("-", "−")
    text = f"{number} {'point' if number == '1.0' else 'points'}"
    if not (np.isfinite(low) and np.isfinite(high)):
        return text
    bounds = ", ".join(f"{100 * one:.1f}".replace("-", "−") for one in (low, high))
    return f"{text} [{bounds}]"


def first_loss(part: pd.DataFrame) -> str:
    """From which dose on a sweep costs accuracy for sure, task by task."""
    name, unit, starts = str(part["name"].iloc[0]).replace("_", " "), part["unit"].iloc[0], []
    several = part["model"].nunique() > 1
    for (model, task), own in part.groupby(["model", "task"], sort=False):
        sure = own[own["drop_low"] > 0]  # lines are from weak to strong
        who = f"{task} ({model})" if several else str(task)
        if len(sure):
            at = sure.iloc[0]
            starts.append(f"{who} from {at['level']:g} on ({points(at['drop'], at['drop_low'], at['drop_high'])})")
    strongest = part.groupby(["model", "task"], sort=False).last()["level"].iloc[0]
    if not starts:
        return f"{_title(name)}: no sure loss up to {strongest:g} ({unit})."
    rest = part.groupby(["model", "task"]).ngroups - len(starts)
    end = f"; {words.count(rest, 'other')} without a sure loss" if rest else ""
    return f"{_title(name)} ({unit}) costs accuracy for sure: {'; '.join(starts)}{end}."


def _title(name: str) -> str:
    return "JPEG quality" if name == "jpeg quality" else name[0].upper() + name[1:]
