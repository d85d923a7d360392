"""All that the templates of a report know: the parts of `sections` gathered for these runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from bench.errors import BenchError
from reports import compare, escape, exhibits, figures, parity, sections, svg, tables, words
from reports.folder import Cell, Run
from reports.pictures import Budget

OPEN = 24
"""Up to so many sections are unfolded when the page opens."""
DETAILED = 60
"""Up to so many cells have a section of their own; beyond, each run's own page has them."""
AUDITED = 3_000_000
"""Bytes of JPEG that the exhibits of audits may take."""
READING = (
    "Every value has a 95% interval: were the pictures drawn anew from the same source many times, about 95 of "
    "100 such intervals would hold the true value. It covers the choice of pictures, not of prompts, classes or tasks.",
    "Chance is the value of a guess without looking. A task counts as above or below chance only if its whole interval "
    "is; otherwise it is “at chance”, and its value should not be ranked.",
    "“From chance” is (value − chance) / (1 − chance): 0% is guessing, 100% is perfect, so that tasks with few "
    "and with many classes can be averaged. In the reliability-weighted mean (random effects) a task weighs the less, "
    "the wider its interval.",
    "Means treat these tasks as given: their intervals say how well the mean over these very tasks is known.",
    "Probabilities under pictures are the softmax over the model’s scaled similarities. They need not be calibrated.",
)


def gather(
    runs: Sequence[Run],
    rows: pd.DataFrame,
    main: pd.DataFrame,
    drawings: list[figures.Drawing],
    shown: Sequence[exhibits.Exhibit] = (),
) -> dict[str, Any]:
    """All that the templates know."""
    models = list(dict.fromkeys(rows["model"]))
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["task"]))}
    clean = [cell for run in runs for cell in run.cells if cell["condition"] == "clean"]
    cells = sorted(
        clean or (cell for run in runs for cell in run.cells), key=lambda cell: order.get(cell["task"], len(order))
    )
    cells = cells if len(cells) <= DETAILED else []
    budget, places = Budget(), sections.anchors(cells)
    table = sections.task_table(main, places)
    ranks = rank_intervals(runs) if len(models) > 1 else {}
    commands = {run.name: sections.command(run) for run in runs}
    detailed = list(_details(runs, cells, table, places, budget))
    return {
        "title": f"{_heading(models)}: evaluation report",
        "heading": _heading(models),
        "eyebrow": _eyebrow(runs, main),
        "models": len(models),
        "evaluations": main["evaluation"].nunique(),
        "answers": sections.answers(main),
        "exhibits": exhibits.page(shown, Budget(left=AUDITED)),
        "exhibits_markdown": exhibits.markdown(shown),
        "problems": sections.problems(rows),
        "table": table,
        "families": sections.families(main),
        "grid": sections.grid(main, places, commands) if len(models) > 1 else None,
        "leaderboard": _leaderboard(main, ranks),
        "shared": words.count(len(tables.common(main)), "task"),
        "verdict": _verdict(main, ranks),
        "sections": detailed,
        "contents": _contents(detailed),
        "glance": _glance(detailed),
        "left_out": budget.refused,
        "others": sections.others(rows),
        "parity": _parity(rows),
        "gaps": sections.groups(rows),
        "cards": _cards(runs),
        "runs": [sections.provenance(run) for run in runs],
        "reading": READING,
        "protocols": _protocols(main),
        "drawings": [{"name": d.name, "title": d.title, "alt": d.alt, "inline": svg.inline(d)} for d in drawings],
    }


def _details(
    runs: Sequence[Run], cells: list[Cell], table: list[dict[str, Any]], places: dict[str, str], budget: Budget
) -> Iterator[dict[str, Any]]:
    by_anchor = {row["anchor"]: row for row in table if row["anchor"]}
    commands = {run.name: sections.command(run) for run in runs} if len(runs) > 1 else {}
    each = 8 if len(cells) <= OPEN else 4
    share = budget.left // max(1, len(cells))
    for cell in cells:
        anchor = places["\0".join(cell.key)]
        own = Budget(left=share)
        section = sections.cell_section(cell, by_anchor.get(anchor), own, pictures=each)
        budget.refused += own.refused
        yield section | {"anchor": anchor, "open": len(cells) <= OPEN, "command": commands.get(str(cell["run"]), "")}


def _contents(detailed: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each task once, with the place of its first section."""
    first: dict[str, str] = {}
    for section in detailed:
        first.setdefault(str(section["about"]["task"]), section["anchor"])
    return list(first.items())


def _glance(detailed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A picture drawn at random of each task: what it looks like, before any number. Like tasks show other pictures."""
    first: dict[str, dict[str, Any]] = {}
    for section in detailed:
        if section["random"]:
            first.setdefault(str(section["about"]["task"]), section)
    return [
        {**section["random"][place % len(section["random"])], "task": task, "anchor": section["anchor"]}
        for place, (task, section) in enumerate(first.items())
    ]


def _heading(models: list[str]) -> str:
    return escape.plain(models[0]) if len(models) == 1 else f"{len(models)} models compared"


def _eyebrow(runs: Sequence[Run], main: pd.DataFrame) -> str:
    hows = words.listing([words.evaluation(how) for how in dict.fromkeys(main["evaluation"])])
    started = min((str(run.provenance["started"])[:10] for run in runs if run.provenance.get("started")), default="")
    pictures = words.count(main["n"].sum(), "picture")
    number = words.count(len(runs), "run") if len(runs) > 1 else f"run {runs[0].name}"
    return " · ".join(part for part in (f"{hows[:1].upper()}{hows[1:]} report", started, number, pictures) if part)


def _verdict(main: pd.DataFrame, places: dict[str, tuple[int, int]]) -> str:
    """The lead of a sweep: who has the highest mean over shared tasks, and whether its rank is beyond doubt."""
    board = tables.leaderboard(main)
    board = board[board["scored"] > 0]
    if len(board) < 2:
        return "Fewer than two models have scored tasks."
    first, second = board.iloc[0], board.iloc[1]
    values = [
        f"{words.percent(row['mean'])} {words.interval(row['mean_low'], row['mean_high'])}" for row in (first, second)
    ]
    shared = words.count(len(tables.common(main)), "shared task")
    said = (
        f"{first['model']} has the highest mean over {shared}, {values[0]}, before {second['model']} with {values[1]}."
    )
    _, last = places.get(_system(first, places), (1, 0))
    if last == 1:
        return f"{said} On the same pictures, it is surely first."
    return f"{said} On the same pictures, its rank may be anything from 1 to {last}." if last else said


def rank_intervals(runs: Sequence[Run]) -> dict[str, tuple[int, int]]:
    """The ranks of each system that the pictures of the clean, shared tasks allow; none where nothing is shared."""
    clean = [replace(run, cells=tuple(cell for cell in run.cells if cell["condition"] == "clean")) for run in runs]
    try:
        ranks = compare.compare([("", clean)]).ranks
    except BenchError:  # one system only, other data, or a cell twice: there is no common ground to rank on
        return {}
    return {str(row["system"]): (int(row["rank_low"]), int(row["rank_high"])) for row in tables.lines(ranks)}


def _system(row: Any, places: dict[str, tuple[int, int]]) -> str:
    """A row of the leaderboard by its name in a comparison."""
    return str(row["model"]) if str(row["model"]) in places else f"{row['model']} · {row['evaluation']}"


def _leaderboard(main: pd.DataFrame, places: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """Lines of the leaderboard with their rank intervals."""
    ranks = [places.get(_system(row, places), ()) for row in tables.lines(tables.leaderboard(main))]
    texts = ["–".join(map(str, dict.fromkeys(rank))) for rank in ranks]
    return [line | {"rank_text": text} for line, text in zip(sections.leaderboard(main), texts, strict=True)]


SOURCES = {"open_clip": "open_clip's table", "clip_paper": "the CLIP paper"}


def _parity(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Values of published weights beside the published values, the largest difference first; empty for other models."""
    return [
        line
        | {"value": words.percent(line["value"], digits=2), "published": words.percent(line["published"], digits=2)}
        | {"gap": words.percent(line["difference"], digits=2), "allowed": words.percent(line["tolerance"], digits=2)}
        | {"remark": "; ".join(filter(None, (SOURCES[line["source"]], line["remark"])))}
        for line in tables.lines(parity.compare(rows))
    ]


def _cards(runs: Sequence[Run]) -> list[dict[str, Any]]:
    found = {str(card["name"]): card for card in map(sections.card, runs)}
    return list(found.values())


def _protocols(main: pd.DataFrame) -> list[tuple[str, str]]:
    noted = main[(main["protocol"] != "") & (main["status"] == "ok")]
    return [
        (str(text), words.listing(list(dict.fromkeys(tasks))))
        for text, tasks in noted.groupby("protocol", sort=False)["task"]
    ]
