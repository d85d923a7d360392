"""What the probes share: which splits they need, a share of train held out, rows as predictions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import numpy as np

from bench.embeddings import Embedded
from bench.errors import BenchError
from bench.evaluation import Predictions
from bench.task import Samples, Task

PATIENCE = 10.0
"""Seconds without news that nobody minds."""
SHARE = 5
"""One in so many training pictures is held out where a task has no validation split."""


def named(evaluation: str, features: str, usual: str) -> str:
    """The evaluation's name, with its features where they are not the usual ones: their rows are told apart by it."""
    return evaluation if features == usual else f"{evaluation}_{features}"


def training_split(task: Task, evaluation: str) -> str:
    """The split to learn from. Raises BenchError where there is none."""
    if "train" not in task.splits or task.test == "train":
        raise BenchError(
            f"Evaluation {evaluation!r} learns from a split 'train'; task {task.name!r} has "
            f"{', '.join(sorted(task.splits))} and is scored on {task.test!r}. evaluation=zero_shot needs none."
        )
    return "train"


def validation_split(task: Task) -> str | None:
    """The task's own validation split, unless it is the one that is scored."""
    return "val" if "val" in task.splits and task.test != "val" else None


def held_out(labels: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions to fit and to hold out, each class in the ratio 4 to 1; a class of one picture is fitted.

    `labels` int64 [image], or bool [image, class]: then the rarest class first, each completed by pictures that no
    rarer one has decided on, and last those without a label.
    """
    random = np.random.default_rng(seed)
    strata: Iterable[np.ndarray] = (labels == one for one in np.unique(labels))
    if labels.ndim == 2:
        strata = [*labels.T[np.argsort(labels.sum(0), kind="stable")], ~np.any(labels, axis=1)]
    held, decided = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for members in strata:
        # Rounded to the nearest, at least one where two are there, so that every class is seen on both sides.
        wanted = max(round(members.sum() / SHARE), 1) if members.sum() > 1 else 0
        free = random.permutation(np.flatnonzero(members & ~decided))
        held[free[: max(wanted - held[members].sum(), 0)]] = True
        decided |= members
    if not held.any():
        raise BenchError("No class has two training pictures, so none can be held out to choose the penalty.")
    return np.flatnonzero(~held), np.flatnonzero(held)


def two_columns(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Logits of a probe as scores [image, class]: two classes come as one column, class 1 against class 0."""
    if logits.shape[1] == 1 and labels.ndim == 1:
        return np.concatenate([np.zeros_like(logits), logits], axis=1)
    return logits


def predictions(task: Task, samples: Samples, scores: np.ndarray, *, split: str, protocol: str) -> Predictions:
    """Scores of one split as predictions; several labels a picture are independent questions."""
    return Predictions(
        scores=scores, labels=samples.labels, choices=task.class_names, ids=samples.ids,
        attributes=samples.attributes, split=split, protocol=protocol, independent=samples.labels.ndim == 2,
    )  # fmt: skip


def features_of(embedded: Embedded, split: str) -> np.ndarray:
    return np.asarray(embedded.images[split])


def told(who: str) -> Callable[[str, int, int], None]:
    """Progress of a long fit on stderr, a line every PATIENCE seconds, with the time that is left if all goes on so."""
    began = last = time.monotonic()
    before = ("", 0)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal began, last, before
        now = time.monotonic()
        if stage != before[0] or done < before[1]:
            began = now
        before = (stage, done)
        if now - last < PATIENCE or not done:
            return
        last = now
        left = (now - began) / done * (total - done)
        print(f"{who}: {stage} {done} of about {total}, about {left:.0f} s left", file=sys.stderr, flush=True)

    return tell
