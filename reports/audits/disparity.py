"""`audit=disparity` on the page."""

from __future__ import annotations

from collections.abc import Sequence

from reports.audits.performance import basis, performance
from reports.exhibits import Exhibit
from reports.folder import Run

AUDIT = "disparity"


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """For each model and task: whom it fails, and what that rests on."""
    shown: list[Exhibit] = []
    for run, task, name, suffix in places(runs, AUDIT):
        shown += performance(run, AUDIT, task, name, suffix) + basis(run, AUDIT, task, suffix)
    return shown


def places(runs: Sequence[Run], audit: str) -> list[tuple[Run, str, str, str]]:
    """(run, task, name for figures, what titles add) of everything that was audited."""
    found = [(number, run, table.removeprefix("statement-")) for number, run in enumerate(runs)
             for table in run.named(audit, "statement-")]  # fmt: skip
    several_tasks, several_runs = len({task for _, _, task in found}) > 1, len(runs) > 1
    return [
        (run, task, f"{audit}-{number}-{task}" if several_runs else f"{audit}-{task}",
         "".join([f" · {task}" if several_tasks else "", f" · {run.models[0]}" if several_runs else ""]))
        for number, run, task in found
    ]  # fmt: skip
