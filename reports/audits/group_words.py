"""Sentences about groups, which claim a difference only where the test stands after all tests were counted.

A finding needs both: the false-discovery control over the whole audit, and an interval that leaves out 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import words
from reports.tables import lines


def found(tests: pd.DataFrame, part: str, task: str) -> pd.DataFrame:
    """The tests of a part, smallest q first; empty columns if there is none."""
    if tests.empty:
        return pd.DataFrame({"what": [], "group": [], "q": [], "p": [], "finding": [], "effect": []})
    own = tests[(tests["part"] == part) & (tests["task"] == task)]
    return own.sort_values("q", kind="stable")


def q_of(tests: pd.DataFrame, what: str, group: str) -> tuple[float, bool]:
    """q and whether it is a finding; NaN and False where no test was made."""
    own = tests[(tests["what"] == what) & (tests["group"] == group)] if len(tests) else tests
    return (float(own["q"].iloc[0]), bool(own["finding"].iloc[0])) if len(own) else (float("nan"), False)


def difference(what: str, line: dict[str, Any], ends: tuple[str, str], *, finding: bool) -> str:
    """One sentence about the difference of a rate: `line` has value, low, high; `ends` describe lowest and highest.

    Without a finding it says what cannot be excluded, never that there is no difference.
    """
    by = line["grouping"].replace(" & ", " and ")
    if line["value"] != line["value"]:
        return f"{what} by {by}: no comparison ({line['reason']})."
    size = f"{points(line['value'])} {span(line)}"
    if finding and line["low"] > 0:
        return f"{what} differ by {by}: {ends[0]} to {ends[1]}, a difference of {size}."
    if line["low"] > 0:
        return (
            f"{what} by {by}: observed {ends[0]} to {ends[1]}, {size}. By itself the interval leaves out 0; among all "
            "the tests of this audit it does not stand as a finding."
        )
    if line["high"] < 0.05:
        return f"{what} hardly differ by {by}: the difference is at most {points(line['high'])}, by its 95% interval."
    return (
        f"{what} by {by}: no difference is shown. Observed are {size}; anything from none to {points(line['high'])} "
        "fits these pictures."
    )


def points(value: float) -> str:
    """`10.2 points`: a difference of percentages."""
    return f"{words.percent(value).rstrip('%')} points"


def span(line: dict[str, Any]) -> str:
    """The interval of a difference."""
    return words.interval(line["low"], line["high"])


def end(cells: pd.DataFrame, group: str) -> str:
    """`19.5% (none)`."""
    own = cells[cells["group"] == group]
    return f"{words.percent(own['value'].iloc[0])} ({own['name'].iloc[0].replace(' & ', ', ')})" if len(own) else group


def over_templates(table: pd.DataFrame, metric: str, group: str) -> str:
    """`9.0–12.4–21.0%`: smallest, median and largest over templates; empty where there is none."""
    own = table[(table["metric"] == metric) & (table["group"] == group)]["value"].dropna() if len(table) else table
    if not len(own):
        return ""
    three = [float(one) for one in np.quantile(own.to_numpy(dtype=float), [0, 0.5, 1])]
    share = all(-1 <= one <= 1 for one in three) and not metric.startswith(("association", "max_skew"))
    texts = [words.percent(one).rstrip("%") if share else signed(one) for one in three]
    return " · ".join(texts) + ("%" if share else "")


def signed(value: float, *, plus: bool = False) -> str:
    """Two decimals with a real minus."""
    return f"{value:+.2f}".replace("-", "−") if plus else f"{value:.2f}".replace("-", "−")


def listed(items: list[str], most: int = 5) -> str:
    """Names as a sentence part, the first few of them."""
    more = len(items) - most
    return words.listing(items[:most]) + (f" and {more} more" if more > 0 else "")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return lines(table) if len(table) else []
