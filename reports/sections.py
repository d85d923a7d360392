"""What the templates show, as plain values: one function a part of the page. Templates decide how it looks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from reports import classes, tables, words
from reports.figures import STEPS
from reports.folder import Cell, Run
from reports.intervals import Interval
from reports.pictures import Budget, gallery

SHOWN_CLASSES = 10
"""Worst and best classes shown where there are more than `classes.FEW`."""
MORE = 300
"""Lines of further numbers in the page; an audit makes thousands, and all of them are in `rows.csv`."""
NOTES = {
    "retrieval": "Every caption of the split is a choice; a picture is right if the best caption is one of its own.",
    "matching": "The choices of a picture are its own captions, one true and the others changed.",
}
Part = dict[str, Any]


def answers(main: pd.DataFrame) -> list[Part]:
    """The sentence and the key figures of each model and evaluation."""
    found = []
    for row in tables.lines(tables.summaries(main)):
        figures = [
            ("Mean", *_pair(row, "mean"), "plain mean over the scored tasks"),
            ("From chance", *_pair(row, "adjusted"), "0 is chance, 100 is perfect; mean over tasks"),
            ("Reliability-weighted", *_pair(row, "weighted"), "from chance, tasks with wide intervals weigh less"),
            ("Above chance", f"{row['above']} of {row['scored']}", "", "by the whole 95% interval"),
        ]
        found.append({"model": row["model"], "evaluation": words.evaluation(str(row["evaluation"])),
                      "text": words.answer(row), "figures": figures if row["scored"] > 1 else []})  # fmt: skip
    return found


def _pair(row: Any, name: str) -> tuple[str, str]:
    return words.percent(row[name]), words.interval(row[f"{name}_low"], row[f"{name}_high"])


def task_table(main: pd.DataFrame, anchors: dict[str, str]) -> list[Part]:
    """A line a row: texts to show and numbers to sort by."""
    return [{
        **{name: row[name] for name in ("model", "task", "family", "status", "reason", "protocol", "split")},
        "label": row["label"], "name": row["name"], "metric": words.metric(row["metric"]),
        "evaluation": words.evaluation(row["evaluation"]),
        "value": words.percent(row["value"]), "interval": words.interval(row["low"], row["high"]),
        "chance": words.percent(row["chance"]), "n": row["n"], "verdict": row["verdict"] or row["status"],
        "verdict_text": words.VERDICTS.get(row["verdict"], row["status"]), "anchor": anchors.get(_row_key(row), ""),
        "sort": {name: _number(row[name]) for name in ("value", "chance", "n", "adjusted")},
        "adjusted": words.percent(row["adjusted"]),
    } for row in tables.lines(main)]  # fmt: skip


def _number(value: Any) -> str:
    return "" if pd.isna(value) else f"{float(value):.6g}"


def _row_key(row: Any) -> str:
    return "\0".join(str(row[name]) for name in ("run", "model", "task", "evaluation", "condition"))


def anchors(cells: list[Cell]) -> dict[str, str]:
    """An identifier for each cell's section, from its names and made unique by its position."""
    found = {}
    for position, cell in enumerate(cells):
        name = re.sub(r"[^a-z0-9]+", "-", f"{cell['task']}-{cell['evaluation']}".lower()).strip("-")[:40]
        found["\0".join(cell.key)] = f"cell-{position + 1}-{name}"
    return found


def problems(rows: pd.DataFrame) -> list[Part]:
    return [
        {**row, "evaluation": words.evaluation(row["evaluation"]), "tasks": words.listing(list(map(str, row["tasks"])))}
        for row in tables.lines(tables.problems(rows))
    ]


def cell_section(cell: Cell, row: Part | None, budget: Budget, *, pictures: int) -> Part:
    """Everything about one model on one task: classes, confusion, hints, pictures."""
    table, choices = cell.predictions, cell.choices
    section: Part = {
        "about": cell.about,
        "row": row,
        "evaluation": words.evaluation(cell["evaluation"]),
        "n": len(table),
        "classes": None,
        "confusion": None,
        "pairs": [],
        "hints": [],
        "note": "",
    }
    if cell.protocol != "classification":
        section["note"] = NOTES.get(cell.protocol, "")
    elif cell.several:
        section["note"] = "Pictures carry several labels, so there is no confusion of one class with another."
    elif len(table) < 2 * table["label"].nunique():
        section["note"] = "About one picture a class: accuracy by class would say nothing."
        section["hints"] = classes.hints(table, choices)
    else:
        section |= _by_class(table, choices)
    return section | gallery(cell, budget, most=pictures)


def _by_class(table: pd.DataFrame, choices: list[str]) -> Part:
    per_class = classes.by_class(table, choices)
    lines = [
        {**row, "text": words.percent(row["value"]), "interval": words.interval(row["low"], row["high"])}
        for row in tables.lines(per_class)
    ]
    few = len(choices) <= classes.FEW
    many = len(lines) > classes.FEW
    shown = {"all": [] if many else lines, "worst": lines[:SHOWN_CLASSES] if many else [],
             "best": lines[::-1][:SHOWN_CLASSES] if many else []}  # fmt: skip
    return {
        "classes": {"count": len(lines), **shown},
        "confusion": _heat(classes.matrix(table, choices), choices) if few else None,
        "pairs": _pairs(table, choices, most=5 if few else 10),
        "hints": classes.hints(table, choices),
    }


def _pairs(table: pd.DataFrame, choices: list[str], *, most: int = 10) -> list[Part]:
    found = classes.pairs(table, choices)
    found = found[(found["count"] > 1) | (found["n"] == 1)].head(most)
    return [{**row, "text": words.percent(row["share"]), "interval": words.interval(row["low"], row["high"])}
            for row in tables.lines(found)]  # fmt: skip


def _heat(counts: np.ndarray, choices: list[str]) -> Part:
    """Lines of (name, cells); a cell has its count, the shade of its share of the line, and whether it is right."""
    totals = counts.sum(axis=1)
    lines = []
    for i in np.flatnonzero(totals):
        shares = counts[i] / totals[i]
        cells = [
            {
                "count": int(c),
                "step": shade(s) if c else None,
                "right": int(j) == int(i),
                "share": words.percent(float(s)),
            }
            for j, (c, s) in enumerate(zip(counts[i], shares, strict=True))
        ]
        lines.append({"name": choices[i], "cells": cells})
    return {"choices": choices, "lines": lines}


def shade(value: float) -> int:
    return int(min(max(value, 0.0), 0.9999) * len(STEPS))


def grid(main: pd.DataFrame, anchors: dict[str, str], commands: dict[str, str]) -> Part:
    """Tasks x models, each cell with its value, interval, shade, verdict, place in the page and command."""
    models = list(dict.fromkeys(main["model"]))
    lines = []
    for label, rows in main.groupby("label", sort=False):
        by_model = {row["model"]: row for row in tables.lines(rows)}
        best = max((row["value"] for row in by_model.values() if row["status"] == "ok"), default=None)
        lines.append({"label": label, "cells": [_grid_cell(by_model.get(m), best, anchors, commands) for m in models]})
    return {"models": models, "lines": lines}


def _grid_cell(row: Part | None, best: float | None, anchors: dict[str, str], commands: dict[str, str]) -> Part:
    empty: Part = {
        "text": "–",
        "interval": "",
        "status": "not run",
        "step": None,
        "best": False,
        "anchor": "",
        "title": "",
    }
    if row is None:
        return empty
    if row["status"] != "ok":
        return empty | {"text": row["status"], "status": row["status"], "title": row["reason"]}
    return {
        "text": words.percent(row["value"]), "interval": words.interval(row["low"], row["high"]), "status": "ok",
        "step": shade(row["value"]), "best": row["value"] == best, "verdict": row["verdict"],
        "anchor": anchors.get(_row_key(row), ""), "title": commands.get(row["run"], ""),
    }  # fmt: skip


def leaderboard(main: pd.DataFrame) -> list[Part]:
    return [{**row, "evaluation": words.evaluation(row["evaluation"]), "rank": place + 1,
             **{f"{name}_text": words.estimate(Interval(row[name], row[f"{name}_low"], row[f"{name}_high"]))
                for name in ("mean", "adjusted", "weighted")}}
            for place, row in enumerate(tables.lines(tables.leaderboard(main)))]  # fmt: skip


def families(main: pd.DataFrame) -> list[Part]:
    return [{**row, "text": words.percent(row["value"]), "interval": words.interval(row["low"], row["high"]),
             "adjusted": words.percent(row["adjusted"]), "evaluation": words.evaluation(row["evaluation"])}
            for row in tables.lines(tables.families(main))]  # fmt: skip


def groups(rows: pd.DataFrame) -> list[Part]:
    """A line a sliced result: extremes, difference and ratio."""
    names = ("overall", "worst_value", "best_value", "difference", "ratio")
    return [
        row | {f"{name}_text": words.percent(row[name]) for name in names} | {"metric": words.metric(row["metric"])}
        for row in tables.lines(tables.by_group(rows))
    ]


def others(rows: pd.DataFrame) -> dict[str, list[Part]]:
    """Further metrics, changed pictures and groups, as lines; of each no more than MORE."""
    return {name: [_line(row) for row in tables.lines(table.head(MORE))] for name, table in tables.others(rows).items()}


def _line(row: Part) -> Part:
    shown = {name: words.percent(row[name]) for name in ("clean", "drop", "kept") if name in row}
    return row | shown | {
        "metric": words.metric(row["metric"]), "evaluation": words.evaluation(row["evaluation"]),
        "text": words.percent(row["value"]), "interval": words.interval(row["low"], row["high"]),
        "chance": words.percent(row["chance"]),
    }  # fmt: skip


def card(run: Run) -> Part:
    """The model's card in the order people ask: what is it, where from, how does it see and read."""
    facts = dict(run.provenance.get("model") or {})
    notes = [str(note) for note in facts.pop("notes", None) or ()]
    extra = facts.pop("extra", None) or {}
    order = ("family", "source", "licence", "parameters", "image_size", "dim", "preprocess", "tokenizer", "precision",
             "device", "logit_scale", "logit_bias", "weights", "identity")  # fmt: skip
    shown = {name: facts[name] for name in order if facts.get(name) not in (None, "")}
    shown |= {str(k): v for k, v in extra.items() if isinstance(v, (str, int, float)) and not isinstance(v, bool)}
    return {"name": facts.get("name") or ", ".join(run.models), "notes": notes,
            "facts": [(name.replace("_", " "), _shown(value)) for name, value in shown.items()]}  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def provenance(run: Run) -> Part:
    """When, where, with what and how long."""
    facts = run.provenance
    versions, platform = facts.get("versions") or {}, facts.get("platform") or {}
    known = ("run", "started", "seed", "command")
    shown = [(name.replace("_", " "), str(facts[name])) for name in known if facts.get(name) not in (None, "")]
    if facts.get("seconds") is not None:
        shown.append(("time", words.duration(float(facts["seconds"]))))
    if "joules" in facts:
        shown.append(("energy", words.energy(facts["joules"])))
    shown += [(str(name), str(value)) for name, value in platform.items()]
    stages = [(str(name), words.duration(float(value))) for name, value in (facts.get("stages") or {}).items()]
    tasks = [{"name": name, **task} for name, task in (facts.get("tasks") or {}).items()]
    return {"run": run.name, "facts": shown, "versions": sorted(versions.items()), "stages": stages, "tasks": tasks,
            "command": command(run)}  # fmt: skip


def command(run: Run) -> str:
    """The line that repeats this run."""
    return str(run.provenance.get("command", ""))
