"""Data statement: who is in the set, how attributes came to be, what is missing (after Gebru et al. 2021)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.audit import NotApplicableError, Table
from bench.audit.look import Look


def statement(look: Look) -> Table:
    """A line a group with its count; `about` holds the rest."""
    import pandas as pd

    if not len(look.predictions.labels):
        raise NotApplicableError(f"{look.task.name} has no picture.")
    lines: list[dict[str, Any]] = []
    missing: dict[str, int] = {}
    for grouping in look.groupings:
        if len(grouping.attributes) == 1:
            missing[grouping.name] = grouping.missing
        lines += [
            {"grouping": grouping.name, "name": name, "group": grouping.label(g), "n": int(grouping.sizes[g]),
             "shown": bool(grouping.shown[g])}
            for g, name in enumerate(grouping.names)
        ]  # fmt: skip
    task, clusters = look.task, look.clusters
    return look.table(
        "statement", pd.DataFrame(lines), missing=missing, pictures=len(look.samples), family=task.family,
        minimum=look.how.minimum, reference=task.reference, licence=task.licence, notes=task.notes,
        clusters=None if clusters is None else len(np.unique(clusters)), cluster=list(task.cluster),
        templates=list(look.how.templates), classes=len(task.classes), draws=look.how.draws,
        ignored=[str(name) for name in look.samples.attributes if name in look.how.ignore],
    )  # fmt: skip
