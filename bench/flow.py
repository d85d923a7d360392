"""The whole flow as one short function. The first file to read.

    task.samples -> embed -> evaluation -> predictions -> rows
                                        -> audits      -> rows, tables

A cell is one task under one evaluation. A cell that fails becomes a row with its reason; the others go on. Rows,
predictions and sample pictures are on disk as soon as a cell is done, so an interrupted run keeps what it finished.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from bench import clock, results
from bench.audit import Audit, AuditCell, NotApplicableError, Predicted, Session, Table
from bench.embeddings import Progress, embed
from bench.errors import FOREIGN, BenchError
from bench.evaluation import Evaluation
from bench.evaluation.rows import Row, describe, failure, score
from bench.evaluation.suited import cells
from bench.model import Encoder, Lookup
from bench.run_folder import RunFolder
from bench.splits import Splits
from bench.store import ShareDoneError, Store
from bench.task import Samples, Task


@dataclass(frozen=True)
class Settings:
    """What a run may be told besides model, tasks and evaluations."""

    run: str = "run"
    """Identifier of the run, on every row."""
    limit: int | None = None
    """At most so many pictures a split, drawn by `seed`; None for all. Noted in the protocol of every row."""
    seed: int = 0
    batch_size: int | None = None
    reduced: int | None = None
    """JPEG files are decoded at a reduced scale that suits a model of so many pixels a side; None: as they are."""
    debug: bool = False
    """Raise instead of recording a failure."""
    progress: Progress | None = None
    on_cell: Callable[[list[Row]], None] = field(default=lambda rows: None)
    """Called with the rows of each finished cell."""
    on_audit: Callable[[str, list[Row], float], None] = field(default=lambda name, rows, seconds: None)
    """Called with the name of an audit, the rows of each finished part of it, and the seconds that it took."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BenchError(f"limit={self.limit} is not possible; give 1 or more pictures, or null for all.")

    @property
    def note(self) -> str:
        """What the protocol of every row says."""
        facts = (self.limit and f"limit {self.limit}", self.reduced and "JPEG decoded at reduced scale")
        return "; ".join(one for one in facts if one)

    def drawn(self, samples: Samples) -> Samples:
        """What the run looks at of a split."""
        samples = samples.reduced(self.reduced) if self.reduced else samples
        return samples.draw(self.limit, seed=self.seed)


def run_cells(
    encoder: Encoder | Lookup,
    tasks: Sequence[Task],
    evaluations: Sequence[Evaluation],
    *,
    audits: Sequence[Audit] = (),
    store: Store | None = None,
    folder: RunFolder | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Every evaluation on every task, then every audit: the checked table of rows (see `bench.results`)."""
    settings, store = settings or Settings(), store or Store()
    splits = Splits(tasks, settings.drawn)
    rows: list[Row] = []

    def done(new: list[Row], stage: str, seconds: float) -> None:
        rows.extend(new)
        if folder is not None:
            with clock.stage("writing"):
                folder.save_rows(results.frame(rows))
                folder.add_time(stage, seconds)

    def once(cell: str, about: Sequence[Task], work: Callable[[], list[Row]]) -> list[Row]:
        if folder is None or folder.journal is None:
            return work()
        return folder.journal.once(cell, splits.fingerprints, work, lambda: splits.read(about))

    for task in tasks:
        samples = functools.partial(splits.load, task)
        for number, evaluation in enumerate(part for one in evaluations for part in cells(one, task)):
            started = time.perf_counter()
            splits.forget()
            work = functools.partial(_cell, encoder, task, evaluation, samples, store, folder, settings)
            with clock.stage(evaluation.name):
                new = once(f"{task.name} {evaluation.name} {number}", [task], work)
            done(new, f"{task.name} {evaluation.name}", time.perf_counter() - started)
            settings.on_cell(new)
    session = Session(encoder, tuple(tasks), evaluations[0], store, splits.load, run=settings.run, seed=settings.seed,
                      limit=settings.limit, batch_size=settings.batch_size, progress=settings.progress)  # fmt: skip
    for audit in audits:
        splits.forget()  # parts of an audit share what they load
        for number, cell in enumerate(_parts(audit, session)):
            started = time.perf_counter()
            work = functools.partial(_audit, cell, audit, session, folder, settings)
            with clock.stage(f"audit {audit.name}"):
                new = once(f"{cell.task.name} {audit.name} {cell.name} {number}", tasks, work)
            seconds = time.perf_counter() - started
            done(new, f"{cell.task.name} {audit.name}", seconds)
            settings.on_audit(audit.name, new, seconds)
    return results.frame(rows)


def _cell(
    encoder: Encoder | Lookup, task: Task, evaluation: Evaluation, samples: Callable[[str], Samples], store: Store,
    folder: RunFolder | None, settings: Settings,
) -> list[Row]:  # fmt: skip
    """Rows of one task under one evaluation; a failure is a row too."""
    base = describe(encoder.card.name, task, evaluation.name, settings.run)
    try:
        needs = evaluation.needs(task, samples)
        embedded = embed(
            task, needs, encoder, samples=samples, store=store, batch_size=settings.batch_size,
            progress=settings.progress,
        )  # fmt: skip
        predictions = evaluation(task, embedded)
        rows = list(score(task, predictions, base, note=settings.note))
        results.frame(rows)  # what is wrong with them is wrong with this cell
        if folder is not None:
            scored = embedded.samples[predictions.split]
            with clock.stage("writing"):
                folder.save_cell(task, evaluation.name, "clean", predictions, scored, chance=rows[0]["chance"])
        return rows
    except FOREIGN as error:  # isolation: whatever breaks one cell, the sweep goes on
        waiting = isinstance(error, ShareDoneError)
        if settings.debug and not waiting:
            raise
        return [failure(base, error, status="skipped" if waiting else "failed")]


def _parts(audit: Audit, session: Session) -> Iterator[AuditCell]:
    """The parts of an audit; where they cannot be told, one that says why."""
    try:
        yield from audit.cells(session)
    except FOREIGN as error:
        reason = error

        def fail() -> Iterator[Row]:
            raise reason

        if session.tasks:
            yield AuditCell(session.tasks[0], fail)


def _audit(cell: AuditCell, audit: Audit, session: Session, folder: RunFolder | None, settings: Settings) -> list[Row]:
    """Rows of one part of an audit; what it found before a failure is kept."""
    rows: list[Row] = []
    try:
        for found in cell.run():
            if isinstance(found, Table):
                if folder is not None:
                    folder.save_table(audit.name, found.name, found.frame, found.about)
            elif isinstance(found, Predicted):
                rows += _predicted(found, session, folder, settings)
            else:
                rows.append(found)
        results.frame(rows)
    except FOREIGN as error:
        skipped = isinstance(error, NotApplicableError | ShareDoneError)
        if settings.debug and not skipped:
            raise
        base = describe(session.card.name, cell.task, audit.name, settings.run, condition=cell.name or "clean")
        rows = _sound(rows)
        rows.append(failure(base, error, status="skipped" if skipped else "failed"))
    return rows


def _sound(rows: list[Row]) -> list[Row]:
    """The rows up to the first that is none."""
    while rows:
        try:
            results.frame(rows)
            break
        except BenchError:
            rows = rows[:-1]
    return rows


def _predicted(found: Predicted, session: Session, folder: RunFolder | None, settings: Settings) -> list[Row]:
    condition = found.condition.name
    base = describe(session.card.name, found.task, found.evaluation, settings.run, condition=condition)
    note = "; ".join(one for one in (found.note, settings.note) if one)
    rows = list(score(found.task, found.scored, base, note=note))
    if folder is not None:
        folder.save_cell(found.task, found.evaluation, condition, found.scored, found.samples,
                         chance=rows[0]["chance"])  # fmt: skip
    return rows
