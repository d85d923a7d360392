"""The page of a run or of a sweep, from folders alone: `report.html` (one file, no network), `report.md`, `figures/`.

The page carries a content security policy that admits only its own style sheet and script (by hash) and `data:`
pictures: whatever a class name holds, it cannot run, style or load anything.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from reports import audits, charts, classes, context, documents, efficiency, escape, figures, folder, heatmaps, tables
from reports.folder import Cell, Run

if TYPE_CHECKING:
    from jinja2 import Environment

ASSETS = Path(__file__).parent / "assets"


def write(place: str | Path, *, out: str | Path | None = None) -> Path:
    """Render a run folder, or a folder that holds several runs, into itself (or into `out`).

    Returns:
        The path of `report.html`.

    Raises:
        BenchError: no run there, or one that cannot be read.
    """
    return render(folder.read_all([Path(place)]), Path(out or place))


def render(runs: Sequence[Run], out: Path) -> Path:
    """Write `report.html`, `report.md`, `report.tex` and `figures/` for these runs."""
    rows = folder.merged_rows(runs)
    main = tables.headline(rows)
    drawings, shown = draw(main, runs), audits.exhibits(runs)
    told = context.gather(runs, rows, main, drawings, shown)
    out.mkdir(parents=True, exist_ok=True)
    save_figures([*drawings, *(one for exhibit in shown for one in exhibit.drawings)], runs, out / "figures")
    put(out / "report.md", documents.markdown(told))
    put(out / "report.tex", documents.latex(told))
    put(out / "report.html", page("page.html", told))
    return out / "report.html"


def draw(main: pd.DataFrame, runs: Sequence[Run]) -> list[figures.Drawing]:
    """The figures of the page."""
    drawings = []
    if (main["status"] == "ok").any():
        drawings.append(charts.accuracy(main))
    if main["model"].nunique() > 1:
        drawings.append(heatmaps.heat(tables.grid(main)))
        known = [run.provenance.get("model") or {} for run in runs]
        sizes = {card["name"]: int(card["parameters"]) for card in known if card.get("name") and card.get("parameters")}
        front = tables.efficient(tables.leaderboard(main), sizes)
        drawings += [charts.pareto(front)] if front["parameters"].nunique() > 1 else []
    labels_worth = efficiency.needed(folder.merged_rows(runs))
    return [*drawings, efficiency.efficiency(labels_worth)] if len(labels_worth) else drawings


def save_figures(drawings: list[figures.Drawing], runs: Sequence[Run], place: Path) -> None:
    """Each figure as SVG with its numbers as CSV; of a single run also accuracy by class and confusion of each cell.

    Cells of changed pictures have none: an audit has dozens of conditions, and its exhibits show them.
    """
    place.mkdir(parents=True, exist_ok=True)
    cells = runs[0].cells if len(runs) == 1 else []
    plain = [cell for cell in cells if cell["condition"] == "clean"]
    extra = [drawing for cell in plain for drawing in _cell_figures(cell, place)]
    for drawing in [*drawings, *extra]:
        put(place / f"{drawing.name}.svg", drawing.svg)
        put(place / f"{drawing.name}.csv", escape.safe_csv(drawing.numbers))


def _cell_figures(cell: Cell, place: Path) -> list[figures.Drawing]:
    """Writes the numbers by class; returns the confusion matrix where it is small enough to be drawn."""
    if not cell.by_class:
        return []
    put(place / f"classes--{cell.path.stem}.csv", escape.safe_csv(classes.by_class(cell.predictions, cell.choices)))
    if len(cell.choices) > classes.FEW:
        pairs = classes.pairs(cell.predictions, cell.choices)
        put(place / f"confused--{cell.path.stem}.csv", escape.safe_csv(pairs))
        return []
    drawing = heatmaps.confusion("confusion", classes.matrix(cell.predictions, cell.choices), cell.choices)
    return [replace(drawing, name=f"confusion--{cell.path.stem}")]


def page(template: str, told: dict[str, Any]) -> str:
    """A template filled in, with style sheet, script and the policy that admits only them."""
    return environment().get_template(template).render(**told, **_assets())


@cache
def environment() -> Environment:
    """Jinja with escaping always on and unknown names an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)  # fmt: skip
    made.filters["plain"] = escape.plain
    return made


def _assets() -> dict[str, Any]:
    css, js = ((ASSETS / name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    policy = f"default-src 'none'; img-src data:; style-src '{_hash(css)}'; script-src '{_hash(js)}'"
    policy += "; base-uri 'none'; form-action 'none'"
    return {"css": Markup(css), "js": Markup(js), "policy": policy}  # noqa: S704 - our own files


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def put(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
