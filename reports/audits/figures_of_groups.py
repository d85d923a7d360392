"""Figures of audits of groups: rates by group, intersections, threshold curves, skew beside its null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports import words
from reports.figures import GRID, MARKERS, PAPER, SERIES, SOFT, Drawing, render, short
from reports.heatmaps import name_axes, paint
from reports.tables import lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = 3
"""Labels whose threshold curves are drawn side by side."""


def bars(name: str, title: str, cells: pd.DataFrame, overall: float) -> Drawing:
    """Rate of every group with its interval; attribute by attribute; a line at the rate of all pictures.

    `cells` has columns grouping, name, value, low, high, n, suppressed.
    """
    rows: list[dict[str, Any]] = []
    for grouping, own in cells.groupby("grouping", sort=False):
        rows += [{"heading": str(grouping)}, *lines(own)]
    places = np.arange(len(rows))[::-1]

    def draw(axes: Axes) -> None:
        axes.axvline(overall, color=SOFT, lw=1, ls=(0, (3, 3)), zorder=1)
        most = max((row["high"] for row in rows if row.get("high") == row.get("high") and "high" in row), default=1.0)
        for y, row in zip(places, rows, strict=True):
            if "heading" in row:
                continue
            if row["suppressed"]:
                axes.text(0.005 * most, y, f"not shown: {row['n']} pictures", va="center", fontsize=8, color=SOFT)
                continue
            axes.barh(y, row["value"], height=0.62, color=GRID, zorder=0)
            axes.hlines(y, row["low"], row["high"], color=SERIES[0], lw=2, zorder=3)
            axes.scatter(row["value"], y, s=30, color=SERIES[0], zorder=4)
            axes.annotate(words.percent(row["value"]), (row["high"], y), xytext=(6, 0), textcoords="offset points",
                          va="center", fontsize=8.5)  # fmt: skip
        axes.set_yticks(places, [row["heading"] if "heading" in row else f"{short(row['name'], 24)}  " for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if "heading" in row else "normal")
        _percent_axis(axes, min(1.0, 1.12 * most))
        axes.set_ylim(-0.7, len(rows) - 0.3)

    alt = f"{title}: share by group with 95% intervals; the dashed line is all pictures."
    numbers = cells[["grouping", "name", "value", "low", "high", "n", "suppressed"]]
    return Drawing(name, title, alt, render(draw, 7.2, 0.7 + 0.27 * len(rows)), numbers)


def crossed(name: str, title: str, cells: pd.DataFrame) -> Drawing:
    """Heat map of two attributes crossed; a cell that is suppressed is blank and says n."""
    parts = cells["name"].str.split(" & ", expand=True)
    rows, columns = (list(dict.fromkeys(parts[side])) for side in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    texts = np.full(values.shape, "", dtype=object)
    for (_, cell), first, second in zip(cells.iterrows(), parts[0], parts[1], strict=True):
        at = rows.index(first), columns.index(second)
        values[at] = cell["value"]
        texts[at] = f"n = {cell['n']}\nnot shown" if cell["suppressed"] else words.percent(cell["value"])
    known = values[np.isfinite(values)]
    low, span = (known.min(), max(np.ptp(known), 1e-9)) if len(known) else (0.0, 1.0)

    def draw(axes: Axes) -> None:
        paint(axes, (values - low) / span * 0.98 + 0.01, texts, size=8)
        name_axes(axes, [short(one, 18) for one in columns], [short(one, 24) for one in rows])

    alt = f"{title}: share in each combination, shaded from lowest to highest; blank cells have too few pictures."
    size = 1.8 + 0.95 * len(columns), 1.3 + 0.42 * len(rows)
    return Drawing(name, title, alt, render(draw, *size), cells[["name", "value", "low", "high", "n", "suppressed"]])


def curves(name: str, title: str, table: pd.DataFrame, labels: list[str]) -> Drawing:
    """Share of pictures over a threshold against the threshold, a panel a label, a line a group (the first six)."""
    groups = list(dict.fromkeys(table["group"]))[: len(SERIES)]
    shown = table[table["label"].isin(labels) & table["group"].isin(groups)]

    def draw(axes: Axes) -> None:
        figure = axes.figure
        axes.remove()
        panels = figure.subplots(1, PANELS, sharey=True)
        for unused in panels[len(labels) :]:
            unused.remove()
        for panel, label in zip(panels, labels, strict=False):
            own = shown[shown["label"] == label]
            for i, group in enumerate(groups):
                line = own[own["group"] == group]
                panel.plot(line["multiple"], line["share"], color=SERIES[i], marker=MARKERS[i], ms=4, lw=1.4,
                           label=short(group.partition("=")[2], 20))  # fmt: skip
            panel.set_xscale("log")
            ticks = sorted(set(own["multiple"]))
            panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=8)
            panel.minorticks_off()
            panel.set_title(short(label, 24), loc="left")
            panel.grid(lw=0.8)
            panel.tick_params(length=0)
            panel.yaxis.set_major_formatter(lambda value, _: words.percent(value, digits=0))
            panel.set_ylim(0, None)
        panels[0].set_xlabel("threshold, times the probability of a label if all were alike", loc="left")
        panels[len(labels) - 1].legend(loc="upper right", fontsize=8)

    alt = f"{title}: share of each group whose probability of the label exceeds the threshold."
    return Drawing(name, title, alt, render(draw, 3.1 * PANELS + 0.6, 2.7), shown)


def skews(name: str, title: str, table: pd.DataFrame) -> Drawing:
    """MaxSkew of each prompt beside what chance gives: grey to the 95 % point, a tick at the mean; filled if a finding.

    `table` has columns word, value, null, null_high, finding, group.
    """
    rows = lines(table.sort_values("value", kind="stable"))

    def draw(axes: Axes) -> None:
        for y, row in enumerate(rows):
            axes.barh(y, row["null_high"], height=0.6, color=GRID, zorder=0)
            axes.scatter(row["null"], y, marker="|", s=90, color=SOFT, zorder=2)
            face = SERIES[0] if row["finding"] else PAPER
            axes.scatter(row["value"], y, s=34, facecolor=face, edgecolor=SERIES[0], lw=1.4, zorder=3)
            axes.annotate(short(str(row["group"]), 18), (max(row["value"], row["null_high"]), y), xytext=(7, 0),
                          textcoords="offset points", va="center", fontsize=8, color=SOFT)  # fmt: skip
        axes.set_yticks(range(len(rows)), [short(str(row["word"]), 24) for row in rows])
        axes.set_xlim(0, 1.25 * max(max(row["value"], row["null_high"]) for row in rows))
        axes.set_xlabel("MaxSkew: 0 is no skew; grey is what chance gives in 95 of 100 rankings", loc="left")
        axes.grid(axis="x", lw=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)

    alt = f"{title}: skew of the top of each ranking; grey bars reach to the 95% point of random rankings."
    return Drawing(name, title, alt, render(draw, 7.2, 0.8 + 0.25 * len(rows)), table)


def _percent_axis(axes: Axes, most: float) -> None:
    axes.set_xlim(0, most)
    axes.xaxis.set_major_formatter(lambda value, _: words.percent(value, digits=0))
    axes.grid(axis="x", lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
