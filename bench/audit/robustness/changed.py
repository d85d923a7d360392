"""Changed pictures: accuracy, loss, confidence and calibration under every corruption and sweep of one task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.audit import NotApplicableError, Predicted, Session, Table
from bench.audit.corruption import CORRUPTIONS, SWEEPS, conditions, contact_sheet, sweep, typographic_sweep
from bench.audit.corruption.typographic import UNIT as LETTERS
from bench.audit.measures.bootstrap import accuracy_draws, interval
from bench.audit.measures.calibration import ece, null_level, outcomes
from bench.audit.measures.mce import ALEXNET, mce, why_not
from bench.audit.session import UNCHANGED
from bench.embeddings import Condition
from bench.evaluation import Predictions
from bench.evaluation.rows import Row
from bench.metrics import credit, top1, wilson
from bench.metrics.estimate import clusters_of
from bench.metrics.paired import paired_difference
from bench.task import Samples, Task
from bench.thumbnails import jpeg

CORRUPTED = "corrupted"
"""Condition of the rows that sum up all corruptions and severities."""


class Change(NamedTuple):
    """What is done to the pictures; see `Robustness`."""

    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    sweeps: tuple[str, ...]
    pictures: int | None
    view: str
    constants: str
    encode: str
    seed: int

    @property
    def note(self) -> str:
        """What the protocol says of corruptions."""
        size = "cropped to 224 pixels first" if self.view == "imagenet" else "at the picture's own size"
        return f"constants {self.constants}, {size}, encoded {self.encode}, seed {self.seed}"

    def conditions(self, task: Task, samples: Samples) -> list[Condition]:
        made = []
        if self.corruptions:
            made += conditions(
                self.corruptions, self.severities, seed=self.seed, view=self.view, constants=self.constants,
                encode=self.encode,
            )  # fmt: skip
        for name in self.sweeps:
            if name == "typographic":
                made += typographic_sweep(task.class_names, samples.labels, seed=self.seed)
            else:
                made += sweep(name, seed=self.seed)
        return [one for one in made if one.apply is not None]


class Under(NamedTuple):
    """What was seen under one condition: credit and scores of each picture."""

    name: str
    level: float
    credit: np.ndarray
    scored: Predictions


def look(session: Session, task: Task, change: Change) -> Iterator[Row | Predicted | Table]:
    """Predictions under every condition, their summary rows, the curves, and a sheet of pictures."""
    if task.protocol != "classification":
        raise NotApplicableError(f"Pictures are changed for classification; task {task.name!r} is {task.protocol}.")
    samples = session.samples(task).draw(change.pictures, seed=session.seed)
    asked = change.conditions(task, samples)
    found: list[Under] = []
    for predicted in session.predictions(task, [UNCHANGED, *asked], pictures=change.pictures):
        if not isinstance(predicted.scored, Predictions):
            raise NotApplicableError(f"{predicted.evaluation} of {task.name!r} gives no scores of classes.")
        kind, _, level = predicted.condition.name.partition("@")
        if found or len(samples) < len(session.samples(task)):  # on all pictures, unchanged is clean: the run has it
            yield replace(predicted, note=change.note if kind in CORRUPTIONS else f"seed {change.seed}")
        credits = credit(predicted.scored.scores, predicted.scored.labels)
        found.append(Under(kind, float(level or 0), credits, predicted.scored))
    clean, corrupted = found[0], [one for one in found[1:] if one.name in CORRUPTIONS]
    if corrupted:
        yield from _summary(session, task, clean, corrupted, change.note)
    about = {"task": task.name, "n": len(clean.credit), "chance": task.chance_level, "view": change.view,
             "constants": change.constants, "encode": change.encode,
             **_mce(task, clean, corrupted, change)}  # fmt: skip
    yield from _mce_rows(session, task, about)
    yield Table(f"curves-{task.name}", _curves(clean, found[1:], change.seed), about)
    yield Table(f"sheet-{task.name}", _sheet(samples, clean, asked), {"task": task.name})


def _summary(session: Session, task: Task, clean: Under, corrupted: list[Under], note: str) -> Iterator[Row]:
    """Mean over corruptions and severities, picture by picture: a picture's share of conditions it survives."""
    survived = np.mean([one.credit for one in corrupted], axis=0)
    clusters = clusters_of(clean.scored.attributes)
    lost = paired_difference(clean.credit, survived, clusters=clusters)
    drawn = accuracy_draws(np.column_stack([clean.credit, survived]), clusters=clusters)
    chance = task.chance_level
    above = wilson(float(clean.credit.mean()), len(survived))[0] > chance  # else there is nothing to keep
    kept = float((survived.mean() - chance) / (clean.credit.mean() - chance)) if above else float("nan")
    how = f"{len({one.name for one in corrupted})} corruptions, {len(corrupted)} conditions; {note}"

    def row(metric: str, value: float, low: float, high: float, interval_: str) -> Row:
        return session.row(task, metric, condition=CORRUPTED, value=value, low=low, high=high, n=len(survived),
                           chance=chance if metric == "top1" else None,
                           protocol=f"{interval_} interval; {how}")  # fmt: skip

    value = float(survived.mean())
    yield row("top1", value, *interval(drawn[:, 1], value), "Bayesian bootstrap")
    yield row("corruption_drop", lost.value, lost.low, lost.high, lost.interval)
    if np.isfinite(kept):
        shares = (drawn[:, 1] - chance) / np.where(drawn[:, 0] > chance, drawn[:, 0] - chance, np.nan)
        yield row("corruption_kept", kept, *interval(shares, kept), "Bayesian bootstrap")


def _mce(task: Task, clean: Under, corrupted: list[Under], change: Change) -> dict[str, Any]:
    """mCE with what it rests on, or why there is none."""
    errors: dict[str, dict[int, float]] = {}
    for one in corrupted:
        errors.setdefault(one.name, {})[int(one.level)] = 1 - float(one.credit.mean())
    pixels = 224 if change.view == "imagenet" else 0
    reason = why_not(errors, task=task.name, pixels=pixels) if errors else "no corruptions were asked for."
    if not reason and change.constants != "imagenet":
        reason = f"the corruptions have the constants of {change.constants}, AlexNet's errors those of ImageNet-C."
    if reason:
        return {"mce": None, "mce_reason": reason}
    found = mce(errors, task=task.name, pixels=pixels, clean=1 - float(clean.credit.mean()))
    files = "as JPEG in memory" if change.encode == "jpeg85" else "without the JPEG of the published files: easier"
    return {"mce": found.mce, "relative_mce": found.relative, "mce_note": f"against {ALEXNET.name}, {files}"}


def _mce_rows(session: Session, task: Task, about: dict[str, Any]) -> Iterator[Row]:
    for metric in ("mce", "relative_mce") if about["mce"] is not None else ():
        yield session.row(task, metric, condition=CORRUPTED, value=about[metric], n=about["n"],
                          protocol=f"no interval (a ratio of published errors); {about['mce_note']}")  # fmt: skip


def _curves(clean: Under, found: list[Under], seed: int) -> pd.DataFrame:
    """One line a condition; the unchanged pictures are `unchanged` at level 0."""
    clusters = clusters_of(clean.scored.attributes)
    lines = []
    for one in (clean, *found):
        accuracy = top1(one.scored.scores, one.scored.labels, one.scored.attributes)
        drop = paired_difference(clean.credit, one.credit, clusters=clusters)
        lines.append({
            "kind": CORRUPTIONS[one.name].kind if one.name in CORRUPTIONS else "sweep" if one.level else "unchanged",
            "name": one.name, "level": one.level, "unit": _unit(one.name), "value": accuracy.value,
            "low": accuracy.low, "high": accuracy.high, "drop": drop.value, "drop_low": drop.low,
            "drop_high": drop.high, "n": accuracy.n, **_confidence(one, seed),
        })  # fmt: skip
    return pd.DataFrame(lines)


def _confidence(one: Under, seed: int) -> dict[str, float]:
    """Mean confidence, ECE and its null level; empty where a picture has several labels."""
    if one.scored.labels.ndim != 1 or one.scored.independent:
        return dict.fromkeys(("confidence", "ece", "ece_null"), float("nan"))
    seen = outcomes(one.scored.scores, one.scored.labels)
    return {"confidence": float(seen.confidence.mean()), "ece": ece(seen.confidence, seen.correct),
            "ece_null": null_level(seen.confidence, draws=50, seed=seed)[0]}  # fmt: skip


def _unit(name: str) -> str:
    return "severity" if name in CORRUPTIONS else LETTERS if name == "typographic" else (
        SWEEPS[name].unit if name in SWEEPS else "")  # fmt: skip


def _sheet(samples: Samples, clean: Under, asked: list[Condition]) -> pd.DataFrame:
    """One picture that is recognised unchanged, under the strongest level of everything."""
    strongest: dict[str, Condition] = {}
    for one in asked:
        strongest[one.name.partition("@")[0]] = one
    right = np.flatnonzero(clean.credit == 1)
    index = int(right[0]) if len(right) else 0
    picture = samples.images[index]
    shown = contact_sheet(picture, [UNCHANGED, *strongest.values()], index=index)
    return pd.DataFrame({"name": [name for name, _ in shown], "id": samples.ids[index],
                         "jpeg": [jpeg(one) for _, one in shown]})  # fmt: skip
