"""Which property went where: what was asked for a slot against what was read there, and whose it was.

A wrong value is `another's` if another slot of the same prompt asked for it (bound to the wrong thing), `nobody's` if
none did, `nothing` if the thing is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.generator.prompts import GONE

WHOSE = ("own", "another's", "nobody's", "nothing")


def confusion(slots: pd.DataFrame) -> pd.DataFrame:
    """Columns scorer, category, kind, asked, read, count (of shares). `slots`: see `judged.SLOT`."""
    lines = [
        {
            "scorer": row.scorer,
            "category": row.category,
            "world": row.world,
            "kind": row.kind,
            "asked": row.asked,
            "read": value or "nothing",
            "count": share,
        }
        for row in slots.itertuples(index=False)
        for value, share in row.read.items()
    ]
    columns = ["scorer", "category", "world", "kind", "asked", "read"]
    table = pd.DataFrame(lines, columns=pd.Index([*columns, "count"]))
    return table.groupby(columns, sort=False, as_index=False)["count"].sum()


def whose(slots: pd.DataFrame) -> pd.DataFrame:
    """Columns scorer, category, kind, whose, value (share of readings), n: of prompts with several slots of a kind."""
    lines = [
        one
        for _, own in slots.groupby(["scorer", "id", "kind"], sort=False)
        if len(own) > 1
        for one in _of_picture(own)
    ]
    table = pd.DataFrame(lines, columns=pd.Index(["scorer", "category", "world", "kind", "whose", "share"]))
    columns = ["scorer", "category", "world", "kind"]
    total = table.groupby(columns, sort=False)["share"].sum().rename("n")
    summed = (
        table.groupby([*columns, "whose"], sort=False)["share"]
        .sum()
        .reset_index()
        .merge(total.reset_index(), on=columns)
    )
    return summed.assign(value=summed["share"] / summed["n"]).drop(columns="share")


def _of_picture(own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    asked = set(own["asked"])
    for row in own.itertuples(index=False):
        for value, share in row.read.items():
            whose = (
                "own"
                if value == row.asked
                else "nothing"
                if value == GONE
                else "another's"
                if value in asked
                else "nobody's"
            )
            yield {
                "scorer": row.scorer,
                "category": row.category,
                "world": row.world,
                "kind": row.kind,
                "whose": whose,
                "share": share,
            }
