"""Figures of the robustness audit: curves with bands, scatters on transformed axes with their line, reliability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import words
from reports.audits.robustness_words import AUDIT, kind_of
from reports.figures import GRID, INK, MARKERS, SERIES, SOFT, Drawing, render, short
from reports.folder import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 6.6, 3.0
BANDS = ["value", "low", "high"]
TICKS = np.array([0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999])


def severity(curves: pd.DataFrame, task: str) -> Drawing:
    """Mean accuracy by severity: a line for each kind of damage, or for each model where there are several."""
    own = curves[curves["task"] == task]
    damaged = own[own["kind"].map(kind_of) == "corruption"]
    by = "model" if damaged["model"].nunique() > 1 else "kind"
    lines = damaged.groupby([by, "level"], sort=False)[BANDS].mean().reset_index()
    clean = own[own["kind"] == "unchanged"].groupby("model")[BANDS].mean()
    starts = pd.DataFrame([
        {by: name, "level": 0.0, **clean.loc[name if by == "model" else clean.index[0]].to_dict()}
        for name in dict.fromkeys(lines[by])
    ])  # fmt: skip
    table = pd.concat([starts, lines], ignore_index=True)
    levels = sorted(table["level"].unique())

    def draw(axes: Axes) -> None:
        _lines(axes, table, by, levels)
        axes.set_xticks(range(len(levels)), ["as it is" if one == 0 else f"{one:g}" for one in levels])
        axes.set_xlabel("severity (a setting, not an amount)")

    return Drawing(
        f"damage-{task}", f"Damaged pictures: {task}",
        f"{task}: accuracy as it is and by severity, mean over the damages of each {by}. Bands are the means of the "
        "95% intervals.",
        render(draw, WIDTH, HEIGHT), table,
    )  # fmt: skip


def dose(curves: pd.DataFrame, name: str) -> Drawing:
    """Dose and response: a line for each task, or for each model (mean over tasks) where there are several."""
    own = curves[(curves["name"] == name) | (curves["kind"] == "unchanged")]
    swept = own[own["name"] == name]
    own = own[own.set_index(["model", "task"]).index.isin(swept.set_index(["model", "task"]).index)]
    by = "model" if own["model"].nunique() > 1 else "task"
    place = {level: i + 1 for i, level in enumerate(dict.fromkeys(swept["level"]))}
    unchanged = own["kind"] == "unchanged"
    table = own.assign(place=own["level"].map(place).where(~unchanged, 0))
    table = table.groupby([by, "place"], sort=False)[BANDS].mean().reset_index()
    labels = ["as it is", *(f"{level:g}" for level in place)]

    def draw(axes: Axes) -> None:
        _lines(axes, table, by, list(range(len(labels))), column="place")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlabel(f"{name.replace('_', ' ')}: {swept['unit'].iloc[0]}")

    numbers = table.assign(dose=[labels[int(one)] for one in table["place"]]).drop(columns="place")
    title = name.replace("_", " ")
    return Drawing(f"dose-{name}", f"One change: {title}",
                   f"Accuracy by {title} ({swept['unit'].iloc[0]}), a line for each {by}, with 95% bands.",
                   render(draw, WIDTH, HEIGHT - 0.4), numbers)  # fmt: skip


def _lines(axes: Axes, table: pd.DataFrame, by: str, levels: list[float], column: str = "level") -> None:
    place = {level: i for i, level in enumerate(levels)}
    for number, (name, part) in enumerate(table.groupby(by, sort=False)):
        colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        part = part.sort_values(column)
        x = part[column].map(place).to_numpy(dtype=float)
        axes.fill_between(x, part["low"], part["high"], color=colour, alpha=0.12, lw=0)
        axes.plot(
            x, part["value"], color=colour, marker=marker, ms=4.5, lw=1.6, label=short(str(name).replace("_", " "))
        )
    axes.set_ylim(bottom=0)
    axes.set_ylim(top=min(1.0, axes.get_ylim()[1]))
    axes.grid(axis="y", color=GRID, lw=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.tick_params(length=0)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)


SPANS = ["in_distribution", "in_distribution_low", "in_distribution_high", "shifted", "shifted_low", "shifted_high"]
"""What a model takes up of the figure of a shift."""


def robustness(runs: Sequence[Run], fitted: pd.DataFrame, shift: str) -> Drawing:
    """Accuracy under shift against accuracy in distribution, reference models with their line, audited models above."""
    own = fitted[fitted["shift"] == shift]
    first = own.iloc[0]
    name = f"reference-{first['source']}-{first['target']}"
    found = [run.table(AUDIT, name) for run in runs if name in run.named(AUDIT, "reference-")]
    others = found[0] if found else pd.DataFrame(columns=["model", "in_distribution", "shifted"])
    forward = _axis(str(first["transform"]))

    def draw(axes: Axes) -> None:
        low, high = _limits(others[["in_distribution", "shifted"]], own[SPANS])
        grid = np.linspace(forward(low), forward(high), 50)
        axes.plot(grid, grid, color=SOFT, lw=1, ls=":", label="no loss")
        axes.plot(grid, first["intercept"] + first["slope"] * grid, color=INK, lw=1.2, label="expected")
        inside = others[(others["in_distribution"].between(low, high)) & (others["shifted"].between(low, high))]
        axes.scatter(inside["in_distribution"].map(forward), inside["shifted"].map(forward), s=16, color="#9aa4b0",
                     label=f"{words.count(len(others), 'reference model')}", zorder=2)  # fmt: skip
        _models(axes, own, forward)
        _ticks(axes, forward, low, high)

    numbers = pd.concat([others.assign(role="reference"), own.assign(role="audited")])[
        ["role", "model", "in_distribution", "shifted"]
    ]
    return Drawing(f"shift-{first['source']}-{first['target']}", f"Effective robustness: {shift}",
                   f"{shift}: accuracy on the first set (across) and on the second (up), {first['transform']} axes. "
                   "What is above the black line is more robust than ordinary models of the same accuracy.",
                   render(draw, WIDTH, 4.2), numbers)  # fmt: skip


def shifts(table: pd.DataFrame) -> Drawing:
    """All shifts without a line: before against after, a marker for each model."""
    forward = _axis("logit")

    def draw(axes: Axes) -> None:
        low, high = _limits(table[SPANS])
        grid = np.linspace(forward(low), forward(high), 50)
        axes.plot(grid, grid, color=SOFT, lw=1, ls=":", label="no loss")
        _models(axes, table, forward)
        _ticks(axes, forward, low, high)

    return Drawing("shifts", "Before and after a change of pictures",
                   f"{words.count(len(table), 'pair')} of sets: accuracy on the first (across) and on the second (up), "
                   "with 95% intervals, on logit axes. On the dotted line nothing is lost.",
                   render(draw, WIDTH, 4.2), table[["model", "shift", *SPANS]])  # fmt: skip


def _models(axes: Axes, own: pd.DataFrame, forward: Callable[[float], float]) -> None:
    for number, (model, part) in enumerate(own.groupby("model", sort=False)):
        x, y = (part[one].map(forward) for one in ("in_distribution", "shifted"))
        x_error, y_error = (
            np.abs(np.stack([part[f"{one}{end}"].map(forward) for end in ("_low", "_high")]) - centre.to_numpy())
            for one, centre in (("in_distribution", x), ("shifted", y))
        )
        axes.errorbar(x, y, xerr=x_error, yerr=y_error, fmt=MARKERS[number % len(MARKERS)], ms=6, lw=1,
                      color=SERIES[number % len(SERIES)], label=short(str(model)), zorder=4)  # fmt: skip
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    axes.set_xlabel("accuracy on the first set")
    axes.set_ylabel("accuracy on the second set")


def _axis(name: str) -> Callable[[float], float]:
    known: dict[str, Callable[[float], float]] = {
        "logit": lambda p: float(np.log(p / (1 - p))),
        "probit": lambda p: NormalDist().inv_cdf(p),
        "linear": float,
    }
    change = known[name]
    return lambda p: change(min(max(float(p), 1e-4), 1 - 1e-4))


def _limits(*shown: pd.DataFrame) -> tuple[float, float]:
    """The ticks just outside of all that is shown, intervals too."""
    values = np.concatenate([one.to_numpy(dtype=float).ravel() for one in shown])
    known = values[np.isfinite(values) & (values > 0)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.1, 0.9)
    return float(TICKS[low >= TICKS].max(initial=TICKS[0])), float(TICKS[high <= TICKS].min(initial=TICKS[-1]))


def _ticks(axes: Axes, forward: Callable[[float], float], low: float, high: float) -> None:
    shown = TICKS[(low <= TICKS) & (high >= TICKS)]
    at, names = [forward(one) for one in shown], [f"{100 * one:g}%" for one in shown]
    axes.set_xticks(at, names, fontsize=8.5)
    axes.set_yticks(at, names, fontsize=8.5)
    axes.set_xlim(forward(low), forward(high))
    axes.set_ylim(forward(low), forward(high))
    axes.grid(color=GRID, lw=0.8)
    axes.tick_params(length=0)


def reliability(table: pd.DataFrame, title: str) -> Drawing:
    """Accuracy against confidence of one model, bin by bin, a line for each task (as the model is)."""
    shown = table[table["which"] == "as it is"]

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, lw=1, ls=":", label="confidence comes true")
        for number, (task, part) in enumerate(shown.groupby("task", sort=False)):
            colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
            error = np.stack([part["accuracy"] - part["low"], part["high"] - part["accuracy"]])
            axes.errorbar(part["confidence"], part["accuracy"], yerr=error, color=colour, marker=marker, ms=4.5, lw=1.3,
                          elinewidth=0.7, label=short(str(task)))  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="how sure it says it is", ylabel="how often it is right")
        axes.grid(color=GRID, lw=0.8)
        axes.tick_params(length=0)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)

    name = "".join(one if one.isalnum() else "-" for one in title.lower())
    return Drawing(f"reliability-{name}", f"Reliability: {title}",
                   f"{title}: pictures in bins of confidence (across) and the share that is right (up), with 95% "
                   "intervals. Below the dotted line the model promises too much.",
                   render(draw, WIDTH, 3.6), table)  # fmt: skip
