"""From what an evaluation gave to rows of the results table (`bench.results`)."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from bench.errors import BenchError
from bench.evaluation import Scored
from bench.task import Task

Row = dict[str, Any]


def describe(model: str, task: Task, evaluation: str, run: str, *, condition: str = "clean") -> Row:
    """The columns that say which cell a row belongs to."""
    return {
        "run": run, "model": model, "task": task.name, "family": task.family, "split": task.test,
        "evaluation": evaluation, "condition": condition, "group": "all", "metric": task.metric, "headline": True,
        "chance": task.chance_level,
    }  # fmt: skip


def score(task: Task, predictions: Scored, base: Row, *, note: str = "") -> Iterator[Row]:
    """One row a metric, the task's headline first. `note` is added to the protocol of each."""
    for name, estimate in predictions.estimates(task):
        headline = name == task.metric
        notes = [
            f"{estimate.interval} interval",
            estimate.note,
            predictions.protocol,
            note,
            task.notes,
        ]
        yield {
            **base,
            "split": predictions.split,
            "metric": name,
            "headline": headline,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "n": estimate.n,
            "chance": task.chance if headline and task.chance is not None else estimate.chance,
            "protocol": "; ".join(note for note in notes if note),
            "status": "ok",
        }


def failure(base: Row, error: BaseException, *, status: str = "failed") -> Row:
    """The row of a cell that could not be computed."""
    return {**base, "status": status, "reason": reason_of(error)}


def reason_of(error: BaseException) -> str:
    """A BenchError as it is; of anything else its kind, its words and where it was raised."""
    if isinstance(error, BenchError):
        reason = str(error)
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno}; see it whole with debug=true)"
    return reason.encode("utf-8", "backslashreplace").decode("utf-8")  # a damaged name may not be text
