"""Audits: what a single score does not say. How does the model break, whom does it fail, what does it associate?

An audit looks at the tasks of a run after they were evaluated. It gets vectors and predictions from a `Session` (under
any condition of the pictures, for any texts) and yields what it finds; it never calls a model itself, and after the
vectors there is only numpy and pandas, so that every statistic here can be tested in milliseconds.

What a cell of an audit may yield, in any order and number:
- `Predicted`: predictions under a condition, as `Session.predictions` gives them. The flow makes their rows and keeps
  them in the run folder. Not under CLEAN on all pictures: these the run has already.
- a row (a dict with columns of `bench.results`, begun by `Session.row`): a number with its interval. `condition` says
  what was done to the pictures, `group` which of them are meant.
- `Table`: what a report needs besides rows (a curve, a matrix, pictures as JPEG bytes in a column `jpeg`).

How to add one: a module here with a frozen dataclass that has `name` and `cells(session)`; `conf/audit/<name>.yaml`
that names it by `_target_` and states every setting; `reports/audits/<name>.py` that turns its rows and tables into
exhibits of the page. `tests/contract/test_audits.py` runs all of them in a toy world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bench.audit.session import Predicted, Session
from bench.errors import BenchError
from bench.evaluation.rows import Row
from bench.task import Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "AuditCell", "NotApplicableError", "Predicted", "Session", "Table"]


class NotApplicableError(BenchError):
    """The audit does not apply to this task; its row says why, and it is no failure."""


@dataclass(frozen=True)
class Table:
    """A table for reports: `audits/<audit>--<name>.parquet`. `about` (JSON) says what a reader must know of it."""

    name: str
    frame: pd.DataFrame
    about: dict[str, Any] = field(default_factory=dict)


Finding = Row | Predicted | Table


@dataclass(frozen=True)
class AuditCell:
    """A part of an audit that may fail alone: `run` yields what it finds about `task`."""

    task: Task
    run: Callable[[], Iterable[Finding]]
    name: str = ""
    """Tells cells of one task apart: a shift's other end, say. Shown as `condition` of the row of a failure."""


@runtime_checkable
class Audit(Protocol):
    """The contract."""

    @property
    def name(self) -> str: ...

    def cells(self, session: Session) -> Iterator[AuditCell]:
        """The parts of the audit, in order. Nothing heavy happens before a part's `run` is called."""
        ...
