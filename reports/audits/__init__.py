"""What audits found, as exhibits: one module an audit, named as `bench.audit` names it.

A module has `exhibits(runs) -> list[Exhibit]`, which reads rows (`run.rows`) and the tables the audit left
(`run.table(audit, name)`), of one run or of several models side by side. It never computes a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from reports.exhibits import Exhibit
from reports.folder import Run

AUDITS: dict[str, str] = {
    "robustness": "reports.audits.robustness",
    "disparity": "reports.audits.disparity",
    "bias": "reports.audits.bias",
    "composition": "reports.audits.composition",
}
"""Audit -> module, in the order of the page. Imported only where a run has tables of it."""


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """The exhibits of every audit that these runs hold."""
    found: list[Exhibit] = []
    for name, module in AUDITS.items():
        audited = [run for run in runs if name in run.audits]
        if audited:
            found += import_module(module).exhibits(audited)
    return found
