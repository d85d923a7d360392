"""The same report as Markdown and LaTeX, for repositories and papers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reports import escape

Context = dict[str, Any]


def markdown(context: Context) -> str:
    """`report.md`: the answer, the tables, what failed, confusions in words, provenance."""
    md = escape.markdown
    parts = [f"# {md(context['heading'])}", md(context["eyebrow"])]
    if context["models"] > 1:
        parts += [md(context["verdict"]), _leaderboard(context), _grid(context)]
    else:
        parts += [md(answer["text"]) for answer in context["answers"]]
    if context["problems"]:
        parts += [
            "## Not computed",
            "\n".join(
                f"- **{md(one['tasks'])}** ({md(one['model'])}), {one['status']}: {md(one['reason'])}"
                for one in context["problems"]
            ),
        ]
    parts += context["exhibits_markdown"]
    names = {drawing["name"] for drawing in context["drawings"]}
    parts += [
        "## Results by task",
        *(["![Accuracy with 95% intervals](figures/accuracy.svg)"] if "accuracy" in names else []),
        *(["![What zero-shot is worth in labels](figures/data-efficiency.svg)"] if "data-efficiency" in names else []),
    ]
    parts += [
        _results(context),
        *_details(context),
        *_provenance(context),
        "## How to read this",
        *map(md, context["reading"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _results(context: Context) -> str:
    head = [
        "task",
        "model",
        "family",
        "evaluation",
        "metric",
        "value",
        "95% interval",
        "chance",
        "from chance",
        "n",
        "verdict",
    ]
    lines = [
        [
            row["name"],
            row["model"],
            row["family"],
            row["evaluation"],
            row["metric"],
            row["value"],
            row["interval"],
            row["chance"],
            row["adjusted"],
            f"{row['n']:,}",
            row["verdict_text"],
        ]
        for row in context["table"]
    ]
    return pipe(head, lines, right=range(5, 10))


def _leaderboard(context: Context) -> str:
    names = ("rank_text", "model", "evaluation", "mean_text", "adjusted_text", "weighted_text")
    lines = [[*(row[name] for name in names), f"{row['above']} of {row['scored']}"] for row in context["leaderboard"]]
    head = ["rank", "model", "evaluation", "mean", "from chance", "reliability-weighted", "above chance"]
    return pipe(head, lines, right=(0, *range(3, 7)))


def _grid(context: Context) -> str:
    grid = context["grid"]
    lines = [[line["label"], *(f"{cell['text']} {cell.get('interval', '')}".strip() for cell in line["cells"])]
             for line in grid["lines"]]  # fmt: skip
    return pipe(["task", *grid["models"]], lines, right=range(1, len(grid["models"]) + 1))


def _details(context: Context) -> list[str]:
    """Most confused pairs and hints; pictures are in the page."""
    parts: list[str] = []
    for section in context["sections"]:
        if not (section["pairs"] or section["hints"]):
            continue
        parts.append(f"### {escape.markdown(section['about']['task'])} ({escape.markdown(section['about']['model'])})")
        if section["pairs"]:
            lines = [[one["label_name"], one["guess_name"], f"{one['count']:,}", f"{one['text']} {one['interval']}"]
                     for one in section["pairs"][:5]]  # fmt: skip
            parts.append(pipe(["picture of", "called", "times", "share of the class"], lines, right=(2, 3)))
        parts += ["\n".join(f"- {escape.markdown(hint)}" for hint in section["hints"])]
    return ["## In detail", *parts] if parts else []


def _provenance(context: Context) -> list[str]:
    parts = ["## Model and provenance"]
    for card in context["cards"]:
        facts = [*card["facts"], *(("note", note) for note in card["notes"])]
        parts += [
            f"**{escape.markdown(card['name'])}**",
            "\n".join(f"- {escape.markdown(k)}: {escape.markdown(v)}" for k, v in facts),
        ]
    for run in context["runs"]:
        if run["command"]:
            parts.append(fenced(escape.plain(run["command"])))
    return parts


def fenced(code: str) -> str:
    """A code block whose fence is longer than any run of backticks inside it."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{code}\n{fence}"


def pipe(head: Sequence[str], lines: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> str:
    """A Markdown table; columns in `right` are right-aligned."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    rows = [[escape.markdown(cell) for cell in line] for line in [head, *lines]]
    return "\n".join(f"| {' | '.join(line)} |" for line in [rows[0], rule, *rows[1:]])


def columns(head: Sequence[str], lines: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> str:
    """The same table for a terminal: columns padded with spaces."""
    rows = [[escape.plain(cell) for cell in line] for line in [head, *lines]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    padded = [
        [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        for row in rows
    ]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def latex(context: Context) -> str:
    """`report.tex`: the results as a booktabs table to include in a paper."""
    several = context["models"] > 1
    columns = [*(["model"] if several else []), "task", "metric", "value", "95\\% interval", "chance", "$n$"]
    lines = []
    for row in context["table"]:
        cells = [
            *([row["model"]] if several else []),
            row["name"],
            row["metric"],
            row["value"] if row["status"] == "ok" else row["status"],
            row["interval"],
            row["chance"],
            f"{row['n']:,}",
        ]
        lines.append(" & ".join(escape.latex(str(cell).replace("−", "-")) for cell in cells) + r" \\")
    layout = "l" * (len(columns) - 4) + "rrrr"
    return "\n".join([
        "% Needs \\usepackage{booktabs,longtable} and \\usepackage[T1]{fontenc}.",
        rf"\begin{{longtable}}{{{layout}}}", r"\toprule", " & ".join(columns) + r" \\", r"\midrule", r"\endhead",
        *lines, r"\bottomrule", r"\end{longtable}", "",
    ])  # fmt: skip
