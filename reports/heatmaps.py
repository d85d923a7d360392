"""Heat maps: models against tasks, and true classes against guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports import words
from reports.figures import INK, PAPER, STEPS, Drawing, render, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def heat(grid: pd.DataFrame) -> Drawing:
    """Models x tasks: one square a cell with its value, shaded by it; a dash where nothing was scored."""
    values = grid.to_numpy(dtype=float)
    texts = np.vectorize(words.percent, otypes=[object])(values)

    def draw(axes: Axes) -> None:
        paint(axes, values, texts, size=8.5)
        name_axes(axes, [short(str(column), 22) for column in grid.columns], [short(str(row)) for row in grid.index])

    return Drawing(
        "grid",
        "Models and tasks",
        "Accuracy of each model on each task; the same numbers stand in the table.",
        render(draw, 2.6 + 1.05 * max(1, len(grid.columns)), 1.2 + 0.3 * len(grid)),
        grid.reset_index(),
    )


def confusion(name: str, counts: np.ndarray, choices: list[str]) -> Drawing:
    """Rows are true classes, columns guesses; shade is the share of the row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    texts = np.where(counts > 0, counts.astype(str), "")
    names = [short(choice, 18) for choice in choices]

    def draw(axes: Axes) -> None:
        paint(axes, shares, texts, size=7)
        name_axes(axes, names, names)

    numbers = pd.DataFrame(counts, columns=pd.Index(choices))
    numbers.insert(0, "true class", choices, allow_duplicates=True)
    side = 0.36 * len(choices)
    alt = "Counts of guesses (columns) for each true class (rows)."
    return Drawing(name, "Confusion", alt, render(draw, 1.9 + side, 1.5 + side), numbers)


def paint(axes: Axes, shares: np.ndarray, texts: np.ndarray, *, size: float) -> None:
    """Squares shaded by their share in [0, 1] (blank for NaN), with their texts. One artist holds all squares."""
    from matplotlib.collections import PolyCollection

    steps = np.clip(np.nan_to_num(shares), 0, 0.9999) * len(STEPS)
    corners = np.array([[0.02, 0.02], [0.98, 0.02], [0.98, 0.98], [0.02, 0.98]])
    squares, colours = [], []
    for (row, column), share in np.ndenumerate(shares):
        known = bool(np.isfinite(share))
        squares.append(corners + np.array([column, row]))
        colours.append(STEPS[int(steps[row, column])] if known else PAPER)
        if texts[row, column]:
            ink = PAPER if known and steps[row, column] >= 4 else INK
            axes.text(
                column + 0.5, row + 0.5, str(texts[row, column]), ha="center", va="center", fontsize=size, color=ink
            )
    axes.add_collection(PolyCollection(squares, facecolors=colours, edgecolors="none"), autolim=False)


def name_axes(axes: Axes, columns: list[str], rows: list[str]) -> None:
    """Names of columns above and of rows to the left of the squares."""
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=35, ha="left", rotation_mode="anchor", color=INK)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.xaxis.set_ticks_position("top")
    axes.tick_params(length=0)
    axes.spines[["bottom"]].set_visible(False)
