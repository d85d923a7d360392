"""The robustness audit: what becomes of a score when the pictures, their style or the prompt change.

Parts, each a cell that may fail alone:
- `changed`: pictures corrupted as in ImageNet-C, and swept (resolution, JPEG, rotation, ..., a wrong word written on
  them). Accuracy, loss against the same pictures unchanged, confidence and calibration under each condition; mCE where
  it is defined.
- `natural`: the same classes in other pictures (`Shift`), against reference models where there are any.
- `trust`: calibration and a fitted temperature; accuracy by template.
- `seen`: are test pictures in the training split, or in another set's vectors, and does that lift the score?

The rows hold numbers with intervals; tables (`audits/robustness--*.parquet`) hold the curves, lines and pictures.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.audit import AuditCell, Session
from bench.audit.robustness import changed, natural, seen, trust
from bench.audit.robustness.references import collect
from bench.audit.shift import Shift
from bench.task import Task

__all__ = ["Robustness"]


@dataclass(frozen=True)
class Robustness:
    """Settings; `conf/audit/robustness.yaml` says them again with the usual values."""

    corruptions: Sequence[str] = ("mce",)
    """Names of corruptions, kinds (`noise`, `blur`, ...), `mce` for the fifteen, `all` for nineteen; none if empty."""
    severities: Sequence[int] = (1, 2, 3, 4, 5)
    sweeps: Sequence[str] = ("resolution", "jpeg_quality", "rotation", "greyscale", "blur", "occlusion", "typographic")
    change: Sequence[str] = ("*",)
    """Names or globs of the tasks whose pictures are changed; one that begins with `!` leaves tasks out."""
    pictures: int | None = None
    """At most so many pictures of each of these tasks; None for all."""
    view: str = "native"
    constants: str = "imagenet"
    encode: str = "none"
    """As in `bench.audit.corruption.conditions`."""
    shifts: Sequence[Shift] = ()
    """Shifts between tasks of the run; those with an end that is not in the run are left out."""
    references: Sequence[str] = ()
    """Reference models for effective robustness: `testbed` (78 models on ImageNet's shifts), run folders, or CSV files
    (model, shift, in_distribution, shifted)."""
    transform: str = "logit"
    calibration: bool = True
    prompts: bool = True
    overlap: Sequence[str] = ("pixels", "thumbnail")
    """Detectors that look for test pictures in the train split: also `vectors`; none if empty."""
    training_vectors: str = ""
    """A .npy file of unit vectors (same model) of another training set, to look for test pictures in."""
    seed: int = 0
    name: str = "robustness"

    def cells(self, session: Session) -> Iterator[AuditCell]:
        tasks = session.tasks
        for task in tasks:
            yield from self._of_one(session, task)
        pairs = [shift for shift in self.shifts if {shift.source.name, shift.target.name} <= {t.name for t in tasks}]
        models = functools.cache(lambda: collect(self.references))
        for shift in pairs:
            looked = functools.partial(
                natural.look, session, shift, models, transform_name=self.transform, seed=self.seed
            )
            yield AuditCell(shift.target, looked, shift.name)

    def _of_one(self, session: Session, task: Task) -> Iterator[AuditCell]:
        if (self.corruptions or self.sweeps) and self._changes(task.name):
            yield AuditCell(task, functools.partial(changed.look, session, task, self._change()), "changed pictures")
        if self.calibration:
            yield AuditCell(task, functools.partial(trust.calibrated, session, task, seed=self.seed), "calibration")
        if self.prompts and len(task.templates) > 1 and task.protocol == "classification":
            yield AuditCell(task, functools.partial(trust.prompted, session, task), "prompts")
        if self.training_vectors or (self.overlap and "train" in task.splits and task.test != "train"):
            looked = functools.partial(
                seen.look, session, task, tuple(self.overlap), self.training_vectors, seed=self.seed
            )
            yield AuditCell(task, looked, "overlap")

    def _changes(self, name: str) -> bool:
        wanted = any(fnmatchcase(name, one) for one in self.change if not one.startswith("!"))
        return wanted and not any(fnmatchcase(name, one[1:]) for one in self.change if one.startswith("!"))

    def _change(self) -> changed.Change:
        return changed.Change(
            tuple(self.corruptions), tuple(self.severities), tuple(self.sweeps), self.pictures, self.view,
            self.constants, self.encode, self.seed,
        )  # fmt: skip
