"""Data efficiency as in the CLIP paper's Figure 7: labelled examples a class that a probe needs to match zero-shot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import words
from reports.figures import MARKERS, PAPER, SERIES, SOFT, Drawing, render, short
from reports.tables import lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METRIC = "examples_per_class"


def needed(rows: pd.DataFrame) -> pd.DataFrame:
    """A line a (model, task), fewest first: value, low, high, the least and largest k, and at which end it is open.

    `end` is "fewer" where zero-shot is below the probe at the least k already, "more" where the largest does not reach
    it, else empty. A bound that lies beyond the k that were measured is missing.
    """
    ok = rows[(rows["status"] == "ok") & (rows["condition"] == "clean")]
    found = ok[ok["metric"] == METRIC]
    gaps = ok[ok["metric"].str.startswith("gap@")]
    records = []
    for row in lines(found):
        mine = gaps[(gaps["model"] == row["model"]) & (gaps["task"] == row["task"]) & (gaps["run"] == row["run"])]
        curve = mine.assign(k=mine["metric"].str.removeprefix("gap@").astype(int)).sort_values("k")
        end = "fewer" if (curve["value"].iloc[0] > 0) else "more" if (curve["value"] < 0).all() else ""
        kept = {name: row[name] for name in ("model", "task", "value", "low", "high", "n", "protocol")}
        records.append(kept | {"least": curve["k"].iloc[0], "largest": curve["k"].iloc[-1], "end": end})
    columns = ["model", "task", "value", "low", "high", "n", "protocol", "least", "largest", "end"]
    return pd.DataFrame(records, columns=columns).sort_values("value", kind="stable", ignore_index=True)


def efficiency(table: pd.DataFrame) -> Drawing:
    """What `needed` gives, a line a task; open ends are arrows, and values beyond them hollow."""
    order = list(dict.fromkeys(table.sort_values("value", ascending=False)["task"]))
    models = list(dict.fromkeys(table["model"]))[: len(SERIES)]
    least, largest = int(table["least"].min()), int(table["largest"].max())

    def draw(axes: Axes) -> None:
        for position, model in enumerate(models):
            for row in lines(table[table["model"] == model]):
                shift = 0.0 if len(models) == 1 else 0.28 - 0.56 * position / (len(models) - 1)
                _line(axes, row, order.index(row["task"]) + shift, position, alone=len(models) == 1)
        axes.set_xscale("log", base=2)
        axes.set_xlim(least / 1.6, largest * 2.6)
        ticks = [k for k in (2**i for i in range(20)) if least <= k <= largest]
        axes.set_xticks(ticks, [str(k) for k in ticks])
        axes.set_yticks(range(len(order)), [short(task) for task in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.grid(axis="x", lw=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(which="both", length=0)
        axes.set_xlabel("labelled examples per class to match zero-shot (linear in log k between those measured)")
        if len(models) > 1:
            _legend(axes, models)

    return Drawing(
        "data-efficiency",
        "What zero-shot is worth in labels",
        f"Labelled examples per class at which a few-shot probe matches zero-shot, on "
        f"{words.count(len(order), 'task')}, with 95% intervals; arrows point beyond what was measured.",
        render(draw, 7.8, 1.1 + 0.34 * max(len(order), 1) * max(1.0, 0.45 * len(models))),
        table,
    )


def _line(axes: Axes, row: dict[str, object], y: float, position: int, *, alone: bool) -> None:
    colour, value = SERIES[position], float(str(row["value"]))
    low, high = float(str(row["low"])), float(str(row["high"]))
    least, largest = float(str(row["least"])), float(str(row["largest"]))
    start, stop = (low if np.isfinite(low) else least), (high if np.isfinite(high) else largest)
    axes.hlines(y, start, stop, color=colour, lw=1.8, zorder=3)
    for missing, at, way in ((not np.isfinite(low), least, 1 / 1.35), (not np.isfinite(high), largest, 1.35)):
        if missing:
            axes.annotate("", (at * way, y), (at, y), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.5})
    face = PAPER if row["end"] else colour
    axes.scatter([value], [y], s=36, marker=MARKERS[position], facecolor=face, edgecolor=colour, lw=1.5, zorder=4)
    if alone:
        axes.annotate(amount(row), (max(largest, stop) * 1.45, y), va="center", fontsize=8.5, color=SOFT)


def amount(row: dict[str, object]) -> str:
    """`5.7`, `fewer than 1`, `more than 16`."""
    if row["end"] == "fewer":
        return f"fewer than {row['least']}"
    return f"more than {row['largest']}" if row["end"] == "more" else f"{float(str(row['value'])):.1f}"


def _legend(axes: Axes, models: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", marker=MARKERS[i], color=SERIES[i], label=short(model))
               for i, model in enumerate(models)]  # fmt: skip
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=min(len(models), 3), fontsize=8.5)
