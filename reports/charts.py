"""Charts: accuracy by task with intervals and chance, and accuracy against the size of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports import words
from reports.figures import MARKERS, PAPER, SERIES, SOFT, Drawing, render, short
from reports.tables import lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def accuracy(main: pd.DataFrame) -> Drawing:
    """Dot plot: value with interval and chance tick, a line a task, up to six models beside each other."""
    scored = main[main["status"] == "ok"]
    order = scored.groupby("label")["value"].mean().sort_values().index.tolist()
    models = list(dict.fromkeys(scored["model"]))[: len(SERIES)]

    def draw(axes: Axes) -> None:
        place = {label: y for y, label in enumerate(order)}
        for position, model in enumerate(models):
            rows = scored[scored["model"] == model]
            y = rows["label"].map(place).to_numpy(dtype=float) + _dodge(position, len(models))
            _dots(axes, rows, y, position, alone=len(models) == 1)
        ticks = scored.drop_duplicates("label").dropna(subset=["chance"])
        axes.scatter(
            ticks["chance"], ticks["label"].map(place), marker="|", s=150, color=SOFT, zorder=2, label="chance"
        )
        _share_axis(axes, scored)
        axes.set_yticks(range(len(order)), [short(label) for label in order])
        axes.set_ylim(-0.7, len(order) - 0.3)
        _legend(axes, models)

    columns = ["model", "task", "evaluation", "condition", "metric", "value", "low", "high", "n", "chance", "verdict"]
    height = 0.95 + max(0.3, 0.13 * (len(models) + 1)) * max(len(order), 1)
    return Drawing(
        "accuracy",
        "Accuracy with 95% intervals",
        f"Accuracy on {words.count(len(order), 'task')} with 95% intervals and chance; numbers in the table below.",
        render(draw, 7.8, height),
        scored[columns],
    )


def _dots(axes: Axes, rows: pd.DataFrame, y: np.ndarray, position: int, *, alone: bool) -> None:
    colour = SERIES[position]
    value = rows["value"].to_numpy()
    low, high = rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"])
    axes.hlines(y, low, high, color=colour, lw=2.2 if alone else 1.6, zorder=3)
    above = (rows["verdict"] == "above").to_numpy()
    for chosen, face in ((above, colour), (~above, PAPER)):
        axes.scatter(
            value[chosen],
            y[chosen],
            s=38 if alone else 26,
            marker=MARKERS[position],
            facecolor=face,
            edgecolor=colour,
            lw=1.5,
            zorder=4,
        )
    if alone:
        for one, top, at in zip(value, high, y, strict=True):
            axes.annotate(
                words.percent(one),
                (max(one, top), at),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )


def _dodge(position: int, count: int) -> float:
    return 0.0 if count == 1 else 0.28 - 0.56 * position / (count - 1)


def _legend(axes: Axes, models: list[str]) -> None:
    from matplotlib.lines import Line2D

    def handle(marker: str, text: str, **how: Any) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, label=text, **how)

    first = SERIES[0] if len(models) == 1 else SOFT
    entries = [] if len(models) == 1 else [
        handle(MARKERS[i], short(model), color=SERIES[i], markersize=6) for i, model in enumerate(models)]  # fmt: skip
    entries += [
        handle("o", "above chance", color=first, markersize=6),
        handle("o", "not above", markerfacecolor=PAPER, markeredgecolor=first, markersize=6, markeredgewidth=1.4),
        handle("|", "chance", color=SOFT, markersize=11),
    ]
    axes.legend(handles=entries, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=min(len(entries), 4), borderpad=0,
                handletextpad=0.2, columnspacing=1.4, fontsize=8.5)  # fmt: skip


def _share_axis(axes: Axes, scored: pd.DataFrame) -> None:
    bounds = scored[["value", "low", "high", "chance"]].to_numpy(dtype=float)
    inside = not len(bounds) or bool(np.nanmin(bounds) >= 0 and np.nanmax(bounds) <= 1)
    axes.grid(axis="x", lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    if inside:
        axes.set_xlim(0, 1.06)
        axes.set_xticks(np.linspace(0, 1, 6), [f"{x}%" for x in range(0, 101, 20)])


def pareto(table: pd.DataFrame) -> Drawing:
    """Mean accuracy against the number of parameters; a step line joins the models that no smaller one beats."""

    def draw(axes: Axes) -> None:
        for position, row in enumerate(lines(table)):
            at = (row["parameters"], row["mean"])
            reach = [[row["mean"] - row["mean_low"]], [row["mean_high"] - row["mean"]]]
            axes.errorbar(*at, yerr=reach, fmt=MARKERS[position % 6], color=SERIES[position % 6], ms=6, lw=1.5)
            axes.annotate(
                short(str(row["model"]), 26), at, xytext=(-7, 5), textcoords="offset points", ha="right", fontsize=8.5
            )
        best = table[table["efficient"]].sort_values("parameters")
        axes.step(best["parameters"], best["mean"], where="post", color=SOFT, lw=1, zorder=1)
        axes.set_xscale("log")
        axes.margins(x=0.25, y=0.2)
        axes.grid(lw=0.8)
        axes.tick_params(which="both", length=0)
        axes.set_xlabel("parameters")
        axes.yaxis.set_major_formatter(lambda value, _: words.percent(value))
        axes.xaxis.set_major_formatter(lambda value, _: magnitude(value))
        axes.xaxis.set_minor_formatter(lambda value, _: "")

    return Drawing(
        "pareto",
        "Accuracy against size",
        "Mean accuracy against parameters; the line joins the efficient models.",
        render(draw, 6.2, 3.4),
        table,
    )


def magnitude(value: float) -> str:
    """`9.4 M`, `428 M`, `1.2 B`."""
    for size, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
