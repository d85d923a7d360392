"""The whole flow as one short function. The first file to read.

    task.samples -> embed -> evaluation -> predictions -> rows

A cell is one task under one evaluation. A cell that fails becomes a row with its reason; the others go on. Rows,
predictions and sample pictures are on disk as soon as a cell is done, so an interrupted run keeps what it finished.
"""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bench import results
from bench.embeddings import CLEAN, Condition, Progress, embed
from bench.errors import BenchError
from bench.evaluation import Evaluation, Scored
from bench.evaluation.suited import cells
from bench.model import Encoder, Lookup
from bench.run_folder import RunFolder
from bench.store import Store
from bench.task import Samples, Task

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a run may be told besides model, tasks and evaluations."""

    run: str = "run"
    """Identifier of the run, on every row."""
    limit: int | None = None
    """At most so many pictures a split, drawn by `seed`; None for all. Noted in the protocol of every row."""
    seed: int = 0
    batch_size: int = 64
    debug: bool = False
    """Raise instead of recording a failure."""
    progress: Progress | None = None
    on_cell: Callable[[list[Row]], None] = field(default=lambda rows: None)
    """Called with the rows of each finished cell."""


def run_cells(
    encoder: Encoder | Lookup,
    tasks: Sequence[Task],
    evaluations: Sequence[Evaluation],
    *,
    store: Store | None = None,
    folder: RunFolder | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Every evaluation on every task: the checked table of rows (see `bench.results`)."""
    settings = settings or Settings()
    rows: list[Row] = []
    for task in tasks:
        samples = functools.cache(functools.partial(_load, task, settings))
        for evaluation in (part for one in evaluations for part in cells(one, task)):
            started = time.perf_counter()
            done = _cell(encoder, task, evaluation, samples, store or Store(), folder, settings)
            rows += done
            settings.on_cell(done)
            if folder is not None:
                folder.save_rows(results.frame(rows))
                folder.add_time(f"{task.name} {evaluation.name}", time.perf_counter() - started)
    return results.frame(rows)


def _cell(
    encoder: Encoder | Lookup, task: Task, evaluation: Evaluation, samples: Callable[[str], Samples], store: Store,
    folder: RunFolder | None, settings: Settings, condition: Condition = CLEAN,
) -> list[Row]:  # fmt: skip
    """Rows of one task under one evaluation; a failure is a row too."""
    base = describe(encoder.card.name, task, evaluation.name, settings.run, condition=condition.name)
    try:
        needs = evaluation.needs(task, samples)
        embedded = embed(
            task, needs, encoder, samples=samples, store=store, condition=condition,
            batch_size=settings.batch_size, progress=settings.progress,
        )  # fmt: skip
        predictions = evaluation(task, embedded)
        rows = list(score(task, predictions, base, limit=settings.limit))
        if folder is not None:
            scored = embedded.samples[predictions.split]
            folder.save_cell(task, evaluation.name, condition.name, predictions, scored, chance=rows[0]["chance"])
        return rows
    except Exception as error:  # isolation: whatever breaks one cell, the sweep goes on
        if settings.debug:
            raise
        return [failure(base, error)]


def score(task: Task, predictions: Scored, base: Row, *, limit: int | None = None) -> Iterator[Row]:
    """One row a metric, the task's headline first."""
    for name, estimate in predictions.estimates(task):
        headline = name == task.metric
        notes = [
            f"{estimate.interval} interval",
            estimate.note,
            predictions.protocol,
            f"limit {limit}" if limit else "",
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


def describe(model: str, task: Task, evaluation: str, run: str, *, condition: str = "clean") -> Row:
    """The columns that say which cell a row belongs to."""
    return {
        "run": run, "model": model, "task": task.name, "family": task.family, "split": task.test,
        "evaluation": evaluation, "condition": condition, "group": "all", "metric": task.metric, "headline": True,
        "chance": task.chance_level,
    }  # fmt: skip


def failure(base: Row, error: BaseException) -> Row:
    """The row of a cell that could not be computed."""
    if isinstance(error, BenchError):
        reason = str(error)
    else:
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno}; see it whole with debug=true)"
    return {**base, "status": "failed", "reason": reason}


def _load(task: Task, settings: Settings, split: str) -> Samples:
    return task.samples(split).draw(settings.limit, seed=settings.seed)
