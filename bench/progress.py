"""What a run says while it works: one live line a stage on a terminal, one line a finished cell everywhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.store import WAITING

if TYPE_CHECKING:
    import pandas as pd

REFRESH = 0.2
"""Seconds between two updates of the live line."""
BAD = {"failed": "FAILED", "waiting": "waiting for other shares", "skipped": "skipped"}
"""How the last line names cells that have no value."""


class Line:
    """A live line on stderr with rate and time left; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._stage, self._before, self._done, self._began, self._drawn = "", 0, 0, 0.0, 0.0

    def progress(self, stage: str, done: int, total: int) -> None:
        """Called by `embed` at the start of a stage and after each batch. Rate and time left are of what is done since
        the first call of the stage."""
        now = time.perf_counter()
        if stage != self._stage or done < self._done:
            self._stage, self._before, self._began, self._drawn = stage, done, now, 0.0
        self._done = done
        if not self.live or (now - self._drawn < REFRESH and done < total):
            return
        self._drawn = now
        rate = (done - self._before) / max(now - self._began, 1e-9)
        left = f"{rate:6.0f}/s  {_clock((total - done) / rate)} left" if rate and now > self._began else ""
        self._draw(f"  {stage}  {done}/{total}  {left}")

    def stage(self, name: str) -> None:
        self._draw(f"  {name} ...")

    def say(self, text: str) -> None:
        self._clear()
        print(text, flush=True)

    def cell(self, rows: list[dict[str, Any]]) -> None:
        """The headline of a finished cell, or why it failed."""
        row = rows[0]
        what = f"  {row['task']:<18} {row['evaluation']:<10}"
        if row.get("status") == "ok":
            interval = f"[{row['low']:.3f}, {row['high']:.3f}]"
            self.say(
                f"{what} {row['metric']:<14} {row['value']:.3f}  {interval}  n={row['n']}  chance {row['chance']:.3f}"
            )
        else:
            self.say(f"{what} {_state(row).upper()}: {row['reason']}")

    def audit(self, name: str, rows: list[dict[str, Any]], seconds: float) -> None:
        """A finished part of an audit: what it was about and how much it found; each failure by itself."""
        good = [row for row in rows if row.get("status") == "ok"]
        bad = (row for row in rows if row.get("status") != "ok" and row["group"] == "all")  # not each suppressed cell
        for row in bad:
            self.say(f"  {row['task']:<18} {name:<10} {_state(row).upper()}: {row['reason']}")
        if good:
            self.say(f"  {good[0]['task']:<18} {name:<10} {len(good)} rows in {_clock(seconds)}")

    def end(self, table: pd.DataFrame, seconds: float, report: Path | None, spent: str) -> None:
        cells = table[table["headline"]].drop_duplicates(["task", "evaluation", "condition"])
        states = Counter(map(_state, cells.to_dict("records")))
        bad = "".join(f", {states[state]} {said}" for state, said in BAD.items() if states[state])
        said = f"{len(cells)} cell{'s' if len(cells) != 1 else ''} in {_clock(seconds)}{bad}"
        self.say(f"{said}: {spent}." if spent else f"{said}.")
        if report:
            self.say(f"Report: {report}")

    def _draw(self, text: str) -> None:
        if self.live:
            print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _state(row: Mapping[Any, Any]) -> str:
    """The status of a row; `waiting` where only the shares of other processes are missing."""
    return "waiting" if WAITING in row["reason"] else str(row["status"])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{seconds:.1f} s"
