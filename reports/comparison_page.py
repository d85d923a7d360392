"""A comparison in words, as JSON, and as files: `compare.html`, `compare.md`, `compare.csv`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports import documents, escape, page, words
from reports.compare import SURE, Comparison
from reports.tables import lines

Part = dict[str, Any]
CONTROL_NAMES = {
    "holm": "Holm; with 95% confidence no win is false",
    "fdr": "false discovery rate (Benjamini and Hochberg); about 5% of the wins may be false",
}


def sentence(pair: Part) -> str:
    """What the comparison of one pair says: a line of `Comparison.overall` in words."""
    a, b, decided = pair["a"], pair["b"], pair["wins_a"] + pair["wins_b"] + pair["undecided"]
    ahead, behind, sign = (a, b, 1) if not pair["difference"] < 0 else (b, a, -1)
    wins = {a: pair["wins_a"], b: pair["wins_b"]}
    won = f"Of {words.count(decided, 'task')}, {ahead} surely wins {wins[ahead]} and {behind} {wins[behind]}; "
    won += f"{pair['undecided']} undecided."
    if not pair["tasks"]:
        return f"{won} No task was run by all, so there is no mean difference."
    low, high = sorted((sign * pair["low"], sign * pair["high"]))
    gap = f"{points(abs(pair['difference'])).lstrip('+')} {points_interval(low, high)}"
    over = f"over {words.count(pair['tasks'], 'shared task')}"
    if pair["p"] >= SURE:
        return f"{ahead} and {behind} cannot be told apart {over}: {ahead} leads by {gap}, which may be chance. {won}"
    return f"{ahead} is better than {behind} by {gap} {over}. {won}"


def points(value: float) -> str:
    """A difference in percentage points with its sign."""
    if not np.isfinite(value):
        return "–"
    rounded = round(100 * value, 1)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded):.1f} points"


def points_interval(low: float, high: float) -> str:
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"[{points(low).removesuffix(' points')}, {points(high).removesuffix(' points')}]"


def task_lines(comparison: Comparison) -> list[Part]:
    """What tables show of each task and pair."""
    shown = []
    for row in lines(comparison.tasks):
        winner = {"a": row["a"], "b": row["b"], "none": "undecided"}.get(row["winner"], row["status"])
        label = row["task"] if row["condition"] == "clean" else f"{row['task']} · {row['condition']}"
        ok = row["status"] == "ok"
        shown.append(row | {
            "label": label, "winner_name": winner, "ok": ok, "value_a_text": words.percent(row["value_a"]),
            "value_b_text": words.percent(row["value_b"]), "gap": points(row["difference"]).removesuffix(" points"),
            "interval": points_interval(row["low"], row["high"]), "p_text": words.p_value(row["p"]),
            "p_adjusted_text": words.p_value(row["p_adjusted"]), "won_text": words.percent(row["won"], digits=0),
            "n_text": f"{int(row['n']):,}" if ok else "", "differ": int(row["only_a"] + row["only_b"]) if ok else "",
        })  # fmt: skip
    return shown


def rank_lines(comparison: Comparison) -> list[Part]:
    """What tables show of each system; a rank interval of one rank is that rank."""
    shown = []
    for row in lines(comparison.ranks):
        rank = "–".join(str(place) for place in dict.fromkeys((row["rank_low"], row["rank_high"])))
        interval = words.interval(row["low"], row["high"])
        shown.append(row | {"text": words.percent(row["mean"]), "interval": interval, "rank": rank})
    return shown


def as_markdown(comparison: Comparison) -> str:
    """The comparison as Markdown."""
    parts = [escape.markdown(sentence(pair)) for pair in lines(comparison.overall)]
    parts += [documents.pipe(head, table, right=right) for head, table, right in _tables(comparison)]
    return "\n\n".join([*parts, f"Control over tasks: {CONTROL_NAMES[comparison.control]}."]) + "\n"


def as_text(comparison: Comparison) -> str:
    """The comparison for a terminal."""
    parts = [escape.plain(sentence(pair)) for pair in lines(comparison.overall)]
    parts += [documents.columns(head, table, right=right) for head, table, right in _tables(comparison)]
    return "\n\n".join([*parts, f"Control over tasks: {CONTROL_NAMES[comparison.control]}."]) + "\n"


def _tables(comparison: Comparison) -> Iterator[tuple[list[str], list[list[Any]], Sequence[int]]]:
    """Ranks, then one table a pair: head, lines, right-aligned columns."""
    if len(comparison.systems) > 2 and len(comparison.ranks):
        ranks = [[row["rank"], row["system"], row["text"], row["interval"]] for row in rank_lines(comparison)]
        yield ["rank", "system", "mean", "95% interval"], ranks, (2, 3)
    for a, b in dict.fromkeys((row["a"], row["b"]) for row in lines(comparison.tasks)):
        names = ("label", "n_text", "value_a_text", "value_b_text", "gap", "interval", "p_text", "p_adjusted_text")
        table = [
            [*(row[name] for name in names), row["winner_name"] if row["ok"] else f"{row['status']}: {row['reason']}"]
            for row in task_lines(comparison)
            if (row["a"], row["b"]) == (a, b)
        ]
        yield ["task", "n", a, b, "difference", "95% interval", "p", "p adjusted", "winner"], table, range(1, 8)


def as_json(comparison: Comparison) -> str:
    """`{systems, control, shared_tasks, overall, tasks, ranks}`; missing numbers are null."""
    tables = {name: json.loads(getattr(comparison, name).to_json(orient="records", double_precision=15))
              for name in ("overall", "tasks", "ranks")}  # fmt: skip
    head = {"systems": comparison.systems, "control": comparison.control, "shared_tasks": comparison.shared}
    return json.dumps(head | tables, indent=1, ensure_ascii=False, allow_nan=False)


def write(comparison: Comparison, out: Path) -> Path:
    """Write the three files; returns the page."""
    out.mkdir(parents=True, exist_ok=True)
    page.put(out / "compare.md", "# Comparison\n\n" + as_markdown(comparison))
    page.put(out / "compare.csv", escape.safe_csv(comparison.tasks))
    overall, shown = lines(comparison.overall), task_lines(comparison)
    context = {
        "title": "Comparison of " + words.listing(comparison.systems),
        "systems": comparison.systems,
        "sentences": [sentence(pair) for pair in overall],
        "ranks": rank_lines(comparison),
        "pairs": [
            {
                "a": pair["a"],
                "b": pair["b"],
                "lines": [row for row in shown if (row["a"], row["b"]) == (pair["a"], pair["b"])],
            }
            for pair in overall
        ],
        "control": CONTROL_NAMES[comparison.control],
        "shared": comparison.shared,
    }
    page.put(out / "compare.html", page.page("compare.html", context))
    return out / "compare.html"
