"""Which property went where: what was asked for a slot against what was read there, and whose it was.

A wrong value is `another's` if another slot of the same prompt asked for it (bound to the wrong thing), `nobody's` if
none did, `nothing` if the thing is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.generator.prompts import GONE
from bench.scoring.estimates import records

GROUP = ["scorer", "category", "world", "kind"]
WHOSE = ("own", "another's", "nobody's", "nothing")


def confusion(slots: pd.DataFrame) -> pd.DataFrame:
    """Columns scorer, category, world, kind, asked, read, count (of shares). `slots`: see `judged.SLOT`."""
    lines = [
        {**{name: row[name] for name in (*GROUP, "asked")}, "read": value or "nothing", "count": share}
        for row in records(slots)
        for value, share in row["read"].items()
    ]
    columns = [*GROUP, "asked", "read"]
    table = pd.DataFrame(lines, columns=pd.Index([*columns, "count"]))
    return table.groupby(columns, sort=False)["count"].sum().reset_index()


def whose(slots: pd.DataFrame) -> pd.DataFrame:
    """Columns scorer, category, world, kind, whose, value (share of readings), n. Of prompts with several of a kind."""
    several = (own for _, own in slots.groupby(["scorer", "id", "kind"], sort=False) if len(own) > 1)
    lines = [one for own in several for one in _of_picture(records(own))]
    table = pd.DataFrame(lines, columns=pd.Index([*GROUP, "whose", "share"]))
    total = table.groupby(GROUP, sort=False)["share"].sum().rename("n").reset_index()
    summed = table.groupby([*GROUP, "whose"], sort=False)["share"].sum().reset_index().merge(total, on=GROUP)
    return summed.assign(value=summed["share"] / summed["n"]).drop(columns="share")


def _of_picture(own: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    asked = {row["asked"] for row in own}
    for row in own:
        for value, share in row["read"].items():
            whose = "own" if value == row["asked"] else "nothing" if value == GONE else (
                "another's" if value in asked else "nobody's")  # fmt: skip
            yield {**{name: row[name] for name in GROUP}, "whose": whose, "share": share}
