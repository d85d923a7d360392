"""Natural shift: the same classes in other pictures (Taori et al. 2020; CLIP paper, section 3.3).

A `Shift` says which classes of two tasks are the same. All accuracies of one comparison are taken with **one
classifier**, the source's, on the pictures of the shared classes only:

- `subset`: the softmax is over the shared classes, in distribution and under shift. This is the protocol of the
  published figures, and the axis that effective robustness needs; a set's own 200 classes against all 1,000 of
  ImageNet can turn its sign around.
- `everything`: the softmax is over all classes of the source, as in use, where nobody says what cannot appear.

Where several classes of the source are one of the target (ObjectNet's chair is three of ImageNet's), the best of them
stands for it, as in the testbed (max pooling). A shared class may also gather several of the target's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.errors import BenchError
from bench.evaluation import Predictions
from bench.metrics import credit
from bench.metrics.estimate import clusters_of
from bench.task import ClassName, Task


class Shared(NamedTuple):
    """One class that two tasks share: its keys in either."""

    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True)
class Shift:
    """From the pictures of one task to those of another.

    To declare one: `Shift(PHOTOS, DRAWINGS, by_name(PHOTOS.classes, DRAWINGS.classes))`.

    Raises:
        BenchError: a key that is no class of its task, a class used twice, or fewer than two shared classes.
    """

    source: Task
    target: Task
    classes: tuple[Shared, ...]
    reference: str = ""
    """Published reference models to hold it against, a name of `bench.audit.measures.baselines`; none if empty."""
    notes: str = ""

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise BenchError(
                f"Shift {self.name!r}: {len(self.classes)} shared class(es), and with fewer than two every answer is "
                "right. Give a class map (Shared(source keys, target keys)) that joins more."
            )
        for task, side in ((self.source, 0), (self.target, 1)):
            keys = [key for one in self.classes for key in one[side]]
            known = {one.key for one in task.classes}
            strange = [key for key in keys if key not in known]
            twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
            if strange or twice:
                raise BenchError(
                    f"Shift {self.name!r}: "
                    + (f"{strange[0]!r} is no class of {task.name!r}." if strange else f"{twice[0]!r} is used twice.")
                )

    @property
    def name(self) -> str:
        return f"{self.source.name}->{self.target.name}"

    def source_places(self) -> list[list[int]]:
        """Positions in the source's class list, for each shared class."""
        return _places(self.source, [one.source for one in self.classes])

    def target_places(self) -> list[list[int]]:
        """Positions in the target's class list, for each shared class."""
        return _places(self.target, [one.target for one in self.classes])


class Part(NamedTuple):
    """Credits [picture] of the pictures of shared classes, in the order of the predictions."""

    subset: np.ndarray
    """Against the shared classes only."""
    everything: np.ndarray
    """Against all classes of the classifier."""
    labels: np.ndarray
    """Shared class of each, int [picture]."""
    clusters: np.ndarray | None
    scores: np.ndarray
    """Of the shared classes, [picture, shared class]."""


def in_distribution(shift: Shift, predictions: Predictions) -> Part:
    """The source's pictures of shared classes, by the source's classifier."""
    return _part(predictions.scores, predictions, shift.source_places(), shift.source_places())


def under_shift(shift: Shift, predictions: Predictions, scores: np.ndarray | None = None) -> Part:
    """The target's pictures of shared classes.

    Args:
        predictions: of the target task.
        scores: [picture, source class], the source's classifier on the same pictures. Without it the target's own
            classifier is used (its own names and prompts), and `everything` is over the target's classes.
    """
    if scores is None:
        return _part(predictions.scores, predictions, shift.target_places(), shift.target_places())
    if scores.shape != (len(predictions.labels), len(shift.source.classes)):
        raise BenchError(
            f"Shift {shift.name!r}: scores of the source's classifier on the target's pictures are [picture, source "
            f"class], here {(len(predictions.labels), len(shift.source.classes))}; given {scores.shape}."
        )
    return _part(scores, predictions, shift.source_places(), shift.target_places())


def by_key(source: Sequence[ClassName], target: Sequence[ClassName]) -> tuple[Shared, ...]:
    """Classes with the same key in both, in the order of the target (a set and its copies)."""
    known = {one.key for one in source}
    return tuple(Shared((one.key,), (one.key,)) for one in target if one.key in known)


def by_name(source: Sequence[ClassName], target: Sequence[ClassName]) -> tuple[Shared, ...]:
    """Classes with one name in common, whatever the keys. A name that two classes of one task have joins nothing."""
    names, others = _by_name(source), _by_name(target)
    pairs = dict.fromkeys((names[name], others[name]) for name in others if name in names)
    used = [key for pair in pairs for key in (("source", pair[0]), ("target", pair[1]))]
    clear = [(one, other) for one, other in pairs if used.count(("source", one)) == used.count(("target", other)) == 1]
    return tuple(Shared((one,), (other,)) for one, other in clear)


def by_map(classes: Mapping[str, str | Iterable[str]]) -> tuple[Shared, ...]:
    """From target key -> source key, or keys."""
    return tuple(
        Shared((keys,) if isinstance(keys, str) else tuple(keys), (target,)) for target, keys in classes.items()
    )


def _by_name(classes: Sequence[ClassName]) -> dict[str, str]:
    owners: dict[str, set[str]] = {}
    for one in classes:
        for name in one.names:
            owners.setdefault(name.casefold(), set()).add(one.key)
    return {name: next(iter(keys)) for name, keys in owners.items() if len(keys) == 1}


def _places(task: Task, groups: Iterable[tuple[str, ...]]) -> list[list[int]]:
    position = {one.key: i for i, one in enumerate(task.classes)}
    return [[position[key] for key in group] for group in groups]


def _part(scores: np.ndarray, predictions: Predictions, columns: list[list[int]], rows: list[list[int]]) -> Part:
    """`columns` are the classifier's places of each shared class, `rows` those in the labels."""
    if predictions.labels.ndim != 1:
        raise BenchError("A shift needs one label a picture; these pictures have several.")
    own = {place: shared for shared, places in enumerate(rows) for place in places}
    shared = np.array([own.get(int(label), -1) for label in predictions.labels])
    keep = np.flatnonzero(shared >= 0)
    if not len(keep):
        raise BenchError("No picture belongs to a shared class. Check the class map of the shift.")
    kept = scores[keep]
    best = kept[:, [places[0] for places in columns]]
    for number, places in enumerate(columns):
        if len(places) > 1:
            best[:, number] = kept[:, places].max(axis=1)
    rest = np.setdiff1d(np.arange(scores.shape[1]), [place for places in columns for place in places])
    labels = shared[keep]
    clusters = clusters_of(predictions.attributes)
    return Part(
        credit(best, labels),
        credit(np.concatenate([best, kept[:, rest]], axis=1), labels),
        labels,
        None if clusters is None else clusters[keep],
        best,
    )
