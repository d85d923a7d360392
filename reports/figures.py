"""Figures by matplotlib, each with the numbers it shows.

Colours are Okabe and Ito's (2008), told apart with any colour vision; what matters is said by shape or position
as well. Text in a figure is never read as mathematics. Figures are the same bytes for the same numbers.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, GRID, PAPER = "#1b1f24", "#5a636e", "#dfe3e8", "#ffffff"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a67800", "#3a9bd0")
MARKERS = ("o", "s", "D", "^", "v", "P")
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "text.parse_math": False, "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"], "font.size": 9.5, "axes.edgecolor": GRID, "axes.labelcolor": SOFT,
    "axes.titlesize": 10, "text.color": INK, "xtick.color": SOFT, "ytick.color": INK, "xtick.labelcolor": SOFT,
    "grid.color": GRID, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "legend.frameon": False,
    "axes.unicode_minus": True,
}  # fmt: skip
STEPS = ("#eef3f8", "#d3e2ef", "#aecbe2", "#7fadd0", "#3873a5", "#245e90", "#124a79")
"""Sequential blue, light to dark, for heat maps."""


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG with its numbers. `name` is its file name without ending; `alt` says what it shows."""

    name: str
    title: str
    alt: str
    svg: str
    numbers: pd.DataFrame


def render(draw: Callable[[Axes], None], width: float, height: float) -> str:
    """SVG of one pair of axes, `width` x `height` in inches. No window system, no global state is touched."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(dict(STYLE)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")  # the viewer's fonts will have it
        figure: Figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", pad_inches=0.06, metadata={"Date": None, "Creator": None}
        )
    return buffer.getvalue()


def short(text: str, most: int = 34) -> str:
    """The beginning of a long name, without control characters."""
    line = escape.plain(text)
    return line if len(line) <= most else line[: most - 1] + "…"
