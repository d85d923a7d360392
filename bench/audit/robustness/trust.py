"""Can one trust its confidence, and how much of the score is the prompt's? Clean pictures of one task."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.audit import NotApplicableError, Session, Table
from bench.audit.measures.calibration import calibration, cross_fitted, fit_temperature, outcomes, reliability
from bench.audit.measures.prompts import by_class, sensitivity
from bench.evaluation import Predictions
from bench.evaluation.rows import Row
from bench.evaluation.suited import suited
from bench.evaluation.zero_shot import ZeroShot, logits, single, text_classifier
from bench.metrics import Estimate, credit
from bench.metrics.estimate import clusters_of
from bench.task import Task

VALIDATION = "val"


def calibrated(session: Session, task: Task, *, seed: int = 0) -> Iterator[Row | Table]:
    """Calibration rows before and after a fitted temperature (`scaled_...`), and the reliability diagram as a table."""
    scored = _one_label(session, task)
    clusters = clusters_of(scored.attributes)
    scaled, temperature, how = _scaled(session, task, scored, seed)
    for prefix, scores, note in (("", scored.scores, "softmax of the model's logits"), ("scaled_", scaled, how)):
        for metric, one in calibration(scores, scored.labels, clusters=clusters, seed=seed).items():
            yield _row(session, task, f"{prefix}{metric}", one, note)
    yield session.row(task, "temperature", value=temperature, n=len(scored.labels), protocol=f"no interval; {how}")
    tables = []
    for which, scores in (("as it is", scored.scores), ("temperature fitted", scaled)):
        seen = outcomes(scores, scored.labels)
        tables.append(reliability(seen.confidence, seen.correct).assign(which=which))
    yield Table(f"reliability-{task.name}", pd.concat(tables, ignore_index=True), {"task": task.name, "how": how})


def prompted(session: Session, task: Task) -> Iterator[Row | Table]:
    """Accuracy of every template, what the ensemble adds, and which classes lose by it."""
    scored, how = _one_label(session, task), suited(session.evaluation, task)
    if not isinstance(how, ZeroShot) or not how.ensemble:
        raise NotApplicableError("Templates are compared with their ensemble: evaluation=zero_shot, ensemble=true.")
    names = [name for one in task.classes for name in one.names]
    owners = np.repeat(np.arange(len(task.classes)), [len(one.names) for one in task.classes])
    images, clusters = np.asarray(session.images(task)), clusters_of(scored.attributes)
    credits = []
    for template in task.templates:
        vectors = session.texts([template.replace("{}", name) for name in names])
        classifier = text_classifier([vectors[owners == i] for i in range(len(task.classes))])
        credits.append(credit(logits(images, classifier, session.card), scored.labels))
    ensemble = credit(scored.scores, scored.labels)
    found = sensitivity(np.stack(credits), ensemble, task.templates, clusters=clusters)
    values = found.templates["value"]
    yield _row(session, task, "prompt_spread", found.spread, found.spread.note)
    yield _row(session, task, "ensemble_gain", found.gain, f"over the mean of {len(values)} templates")
    for metric, value in (
        ("prompt_best", values.max()),
        ("prompt_median", values.median()),
        ("prompt_worst", values.min()),
    ):
        yield session.row(task, metric, value=float(value), n=len(ensemble), protocol=f"no interval; of {len(values)}")
    plain = credits[task.templates.index(single(task))]
    about = {"task": task.name, "ensemble": float(ensemble.mean()), "disagreement": found.disagreement,
             "plain": single(task)}  # fmt: skip
    yield Table(f"templates-{task.name}", found.templates, about)
    yield Table(f"template-classes-{task.name}", by_class(ensemble, plain, scored.labels, task.class_names), about)


def _one_label(session: Session, task: Task) -> Predictions:
    scored = next(session.predictions(task)).scored
    if not isinstance(scored, Predictions) or scored.labels.ndim != 1 or scored.independent:
        raise NotApplicableError(f"Needs one label a picture and a softmax over choices; {task.name!r} has not.")
    return scored


def _scaled(session: Session, task: Task, scored: Predictions, seed: int) -> tuple[np.ndarray, float, str]:
    """Scores at a fitted temperature, the temperature (of two halves: the geometric mean) and how it was fitted."""
    if VALIDATION in task.splits and task.test != VALIDATION:
        held = next(session.predictions(task.renamed(task.name, test=VALIDATION))).scored
        assert isinstance(held, Predictions)
        temperature = fit_temperature(held.scores, held.labels)
        return scored.scores / temperature, temperature, f"temperature fitted on {len(held.labels)} validation pictures"
    scores, (one, other) = cross_fitted(scored.scores, scored.labels, seed=seed)
    return scores, float(np.sqrt(one * other)), "temperature fitted on the other half of the test pictures, crosswise"


def _row(session: Session, task: Task, metric: str, one: Estimate, note: str) -> Row:
    return session.row(task, metric, value=one.value, low=one.low, high=one.high, n=one.n,
                       chance=None if np.isnan(one.chance) else one.chance,
                       protocol=f"{one.interval} interval; {note}")  # fmt: skip
