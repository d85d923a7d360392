"""Numbers and sentences, the same in every format. Shares are percentages with one decimal; a minus is a real minus."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports.intervals import Interval

METRIC_NAMES = {"top1": "top-1", "top5": "top-5", "mean_per_class": "mean per class"}
EVALUATION_NAMES = {"zero_shot": "zero-shot", "linear_probe": "linear probe", "few_shot": "few-shot",
                    "data_efficiency": "data efficiency"}  # fmt: skip
VERDICTS = {"above": "above chance", "at": "at chance", "below": "below chance", "unknown": "no interval"}


def percent(value: float, *, digits: int = 1) -> str:
    """A share as percentage; other magnitudes with three significant digits; a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{100 * value:.{digits}f}%" if -1 <= value <= 1 else f"{value:.3g}"
    return "−" + text[1:] if text.startswith("-") and float(text.rstrip("%")) else text.lstrip("-")


def interval(low: float, high: float) -> str:
    """`[81.0, 84.2]` in percent, or nothing."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    inside = -1 <= low <= 1 and -1 <= high <= 1
    bounds = [percent(bound).rstrip("%") if inside else f"{bound:.3g}" for bound in (low, high)]
    return f"[{bounds[0]}, {bounds[1]}]"


def estimate(one: Interval) -> str:
    """`83.1% [81.0, 84.2]`."""
    return f"{percent(one.value)} {interval(one.low, one.high)}".strip()


def count(number: float, noun: str, plural: str = "") -> str:
    """`1 task`, `12 tasks`, `12,000 pictures`."""
    return f"{int(number):,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """`48 s`, `2 min 05 s`, `3 h 12 min`."""
    if seconds is None:
        return ""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def energy(joules: float | None) -> str:
    """`1.3 Wh`, with what was counted; or that it was not."""
    if joules is None:
        return "not known: this machine shows no counter"
    return f"{joules / 3600:.3g} Wh of the processor packages, other programs included"


def metric(name: str) -> str:
    return METRIC_NAMES.get(name, name.replace("_", " "))


def evaluation(name: str) -> str:
    return EVALUATION_NAMES.get(name, name.replace("_", " "))


def p_value(p: float) -> str:
    if not np.isfinite(p):
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def listing(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def answer(summary: Any) -> str:
    """What a run says, in two or three sentences. `summary` is a row of `tables.summaries`."""
    if summary["scored"] == 0:
        return f"No task could be scored: {count(summary['tasks'], 'task')} failed or skipped."
    if summary["scored"] == 1:
        return _one_task(summary)
    average = Interval(summary["mean"], summary["mean_low"], summary["mean_high"])
    where = f"all {summary['scored']} tasks" if summary["above"] == summary["scored"] else (
        f"{summary['above']} of {count(summary['scored'], 'task')}")  # fmt: skip
    rest = [
        f"{text} on {summary[name]}"
        for name, text in (("at", "at chance"), ("below", "below chance"), ("unknown", "without interval"))
        if summary[name]
    ]
    first = f"Above chance on {', '.join([where, *rest])}; {estimate(average)} on average."
    return f"{first} {_extremes(summary)}{_gaps(summary)}"


def _one_task(summary: Any) -> str:
    value = Interval(summary["mean"], summary["mean_low"], summary["mean_high"])
    verdict = next(name for name in VERDICTS if summary[name])
    chance = percent(summary["best_chance"])
    return f"{summary['best']}: {estimate(value)}, {VERDICTS[verdict]} ({chance}).{_gaps(summary)}"


def _extremes(summary: Any) -> str:
    best = f"{summary['best']} ({percent(summary['best_value'])}, chance {percent(summary['best_chance'])})"
    worst = f"{summary['worst']} ({percent(summary['worst_value'])}, chance {percent(summary['worst_chance'])})"
    return f"Measured from chance, it is strongest on {best} and weakest on {worst}."


def _gaps(summary: Any) -> str:
    gaps = [f"{count(summary[kind], 'task')} {kind}" for kind in ("failed", "skipped") if summary[kind]]
    return f" {listing(gaps)}; the reasons stand below." if gaps else ""


def share_or_none(value: float) -> float | None:
    """A JSON number, or null for NaN."""
    return None if pd.isna(value) else float(value)
