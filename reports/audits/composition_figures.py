"""Curves of the audit of composition: success against the number of things, and gain of reranking over N."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.audits.composition_words import named, preferred
from reports.figures import MARKERS, SERIES, SOFT, Drawing, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHO = {"oracle": "perfect choice", "reranked": "reranked", "random": "any one picture"}


def objects_plot(table: pd.DataFrame, tag: str = "") -> Drawing:
    """All-correct against the number of things, a line a category, by the exact reader where it is there."""
    scorer = preferred(table["scorer"])
    own = table[(table["scorer"] == scorer) & table["world"]]
    own = own if len(own) else table[table["scorer"] == scorer]

    def draw(axes: Axes) -> None:
        groups = list(own.groupby("category", sort=False))
        for i, (category, part) in enumerate(groups):
            part = part.sort_values("objects")
            _line(axes, part["objects"].to_numpy(float) + 0.06 * (i - len(groups) / 2), part, i, str(category))
        axes.set_xticks(sorted(own["objects"].unique()))
        axes.set_xlabel("things that the sentence names")
        _shares(axes)
        axes.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))

    alt = f"Share of pictures all right against the number of things, by category ({named(scorer)}), 95% intervals."
    return Drawing(
        f"composition-objects{tag}", "Success against the number of things", alt, render(draw, 6.8, 3.3), own
    )


def reranking_plot(table: pd.DataFrame, tag: str = "") -> Drawing:
    """Expected success of the favourite of N; the judge is the exact reader where it is there."""
    judge = preferred(table["judge"])
    own = table[table["judge"] == judge]

    def draw(axes: Axes) -> None:
        for i, (who, label) in enumerate(WHO.items()):
            part = own[own["who"] == who].sort_values("n")
            _line(axes, part["n"].to_numpy(float), part, i, label)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted(own["n"].unique()), [str(n) for n in sorted(own["n"].unique())])
        axes.minorticks_off()
        axes.set_xlabel("pictures drawn, N")
        _shares(axes)
        axes.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))

    alt = f"Share of prompts drawn right against the pictures to choose from; judge: {named(judge)}; 95% intervals."
    return Drawing(f"composition-reranking{tag}", "Gain of reranking", alt, render(draw, 6.4, 3.1), own)


def _line(axes: Axes, x: np.ndarray, part: pd.DataFrame, place: int, label: str) -> None:
    colour = SERIES[place % len(SERIES)]
    value = part["value"].to_numpy()
    reach = np.clip([value - part["low"], part["high"] - value], 0, None)
    axes.errorbar(
        x,
        value,
        yerr=reach,
        marker=MARKERS[place % len(MARKERS)],
        color=colour,
        ms=5,
        lw=1.5,
        elinewidth=0.9,
        label=label,
        linestyle="-" if place < len(SERIES) else "--",
    )


def _shares(axes: Axes) -> None:
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.grid(axis="y", lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.yaxis.label.set_color(SOFT)
