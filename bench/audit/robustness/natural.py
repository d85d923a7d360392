"""One natural shift: accuracy on the shared classes in distribution and under shift, against reference models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bench.audit import NotApplicableError, Session, Table
from bench.audit.measures import baselines
from bench.audit.measures.bootstrap import accuracy_draws, interval
from bench.audit.measures.effective import GAP_CLOSED, Effective, Reference, effective_robustness
from bench.audit.shift import Part, Shift, in_distribution, under_shift
from bench.errors import BenchError
from bench.evaluation import Predictions
from bench.evaluation.rows import Row
from bench.evaluation.suited import suited
from bench.evaluation.zero_shot import ZeroShot, logits, text_classifier
from bench.metrics import Estimate, wilson
from bench.metrics.estimate import clustered, widened
from bench.task import Task

FEWEST = 2


def look(
    session: Session, shift: Shift, models: Callable[[], pd.DataFrame], *, transform_name: str = "logit", seed: int = 0
) -> Iterator[Row | Table]:
    """Rows under condition `source->target` about the target, and `shift-...` as a table of one line."""
    how = suited(session.evaluation, shift.source)
    if not isinstance(how, ZeroShot):
        raise NotApplicableError("A shift needs one classifier for both ends: evaluation=zero_shot has it, others not.")
    source, target = (_predictions(session, task) for task in (shift.source, shift.target))
    prompts = how.prompts(shift.source)
    vectors = session.texts([text for group in prompts for text in group])
    starts = np.cumsum([0, *map(len, prompts)])
    classifier = text_classifier([vectors[start:stop] for start, stop in pairwise(starts)])
    scores = logits(np.asarray(session.images(shift.target)), classifier, session.card)
    before, after, own = in_distribution(shift, source), under_shift(shift, target, scores), under_shift(shift, target)
    line: dict[str, Any] = {
        "model": session.card.name, "shift": shift.name, "source": shift.source.name, "target": shift.target.name,
        "classes": len(shift.classes), "notes": shift.notes,
    }  # fmt: skip
    estimates = {
        "in_distribution": _accuracy(before.subset, before), "shifted": _accuracy(after.subset, after),
        "in_distribution_all": _accuracy(before.everything, before), "shifted_all": _accuracy(after.everything, after),
        "shifted_own_prompts": _accuracy(own.subset, own), "shift_drop": _drop(before, after, seed),
    }  # fmt: skip
    others, why = _reference(shift, models(), session.card.name)
    if others is not None:
        try:
            found = effective_robustness(
                others, before.subset, after.subset, transform_name=transform_name,
                clusters=(before.clusters, after.clusters), seed=seed,
            )  # fmt: skip
        except BenchError as error:
            why = str(error)
        else:
            estimates |= {"expected": found.expected, "effective_robustness": found.effective,
                          "gap_closed": found.gap_closed}  # fmt: skip
            line |= _fit_columns(found)
            yield _models(shift, others)
    for metric, one in estimates.items():
        if np.isfinite(one.value):
            yield session.row(shift.target, metric, condition=shift.name, value=one.value, low=one.low, high=one.high,
                              n=one.n, chance=1 / len(shift.classes) if metric.startswith(("in_", "shifted")) and not
                              metric.endswith("_all") else None, protocol=_protocol(metric, one, line))  # fmt: skip
        line |= {metric: one.value, f"{metric}_low": one.low, f"{metric}_high": one.high, f"{metric}_n": one.n}
    yield Table(f"shift-{shift.source.name}-{shift.target.name}", pd.DataFrame([line]),
                {"reason": why, "formula": GAP_CLOSED, "transform": transform_name})  # fmt: skip


def _predictions(session: Session, task: Task) -> Predictions:
    scored = next(session.predictions(task)).scored
    if not isinstance(scored, Predictions):
        raise NotApplicableError(f"Task {task.name!r} is not one of classes.")
    return scored


def _accuracy(credits: np.ndarray, part: Part) -> Estimate:
    if part.clusters is None:
        value = float(credits.mean())
        return Estimate(value, *wilson(value, len(credits)), len(credits), "Wilson")
    value, variance, units = clustered(credits, part.clusters)
    return Estimate(value, *widened(value, variance, units), len(credits), f"{units} clusters, Wilson form")


def _drop(before: Part, after: Part, seed: int) -> Estimate:
    """Accuracy in distribution less that under shift; the two sets of pictures are independent."""
    drawn = [
        accuracy_draws(part.subset, clusters=part.clusters, seed=seed + i) for i, part in enumerate((before, after))
    ]
    value = float(before.subset.mean() - after.subset.mean())
    return Estimate(value, *interval(drawn[0] - drawn[1], value), len(after.subset), "Bayesian bootstrap")


def _reference(shift: Shift, models: pd.DataFrame, model: str) -> tuple[Reference | None, str]:
    """The user's models of this shift before the testbed's, without the model itself; or why there are none."""
    own, testbed = (
        table[table["shift"].isin([shift.name, shift.reference]) & (table["model"] != model)]
        for table in (models, baselines.models())
    )
    if len(own) >= FEWEST:
        return Reference.of(own, name="own reference models", on_boundary="drop"), ""
    if len(testbed):
        name = f"ImageNet testbed, {shift.reference}"
        return Reference.of(testbed, name=name, source=baselines.SOURCE, on_boundary="drop"), ""
    return None, (
        f"Effective robustness of {shift.name} needs at least {FEWEST} reference models; there are {len(own)}. Run "
        "them with audit=robustness and name their run folders: audit.references=[RUN_A,RUN_B]."
    )


def _fit_columns(found: Effective) -> dict[str, Any]:
    fit = found.fit
    return {
        "reference": fit.name, "transform": fit.transform, "slope": fit.slope, "intercept": fit.intercept,
        "models": fit.n, "fit_low": fit.low, "fit_high": fit.high, "r2": fit.r2, "residual": fit.residual,
        "dropped": fit.dropped, "extrapolated": found.extrapolated,
    }  # fmt: skip


def _models(shift: Shift, others: Reference) -> Table:
    frame = pd.DataFrame({
        "model": list(others.models), "in_distribution": others.in_distribution, "shifted": others.shifted,
    })  # fmt: skip
    about = {"reference": others.name, "source": others.source}
    return Table(f"reference-{shift.source.name}-{shift.target.name}", frame, about)


def _protocol(metric: str, one: Estimate, line: dict[str, Any]) -> str:
    what = f"{line['classes']} shared classes"
    if metric.endswith("_all"):
        what += ", softmax over all classes of the source"
    elif metric == "shifted_own_prompts":
        what += ", the target's own class names and prompts"
    elif metric in ("expected", "effective_robustness", "gap_closed"):
        what += f", {line['transform']} line of {line['models']} models ({line['reference']})"
        what += ", extrapolated" if line["extrapolated"] else ""
    return f"{one.interval} interval; {what}"
