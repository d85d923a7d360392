"""Evaluations: from vectors to predictions. No model, no picture is touched here.

How to add one: a module with a frozen dataclass that has `name`, `needs` and `__call__` as below, and
`conf/evaluation/<name>.yaml` that names it by `_target_`. The contract test picks it up. What it gives is a `Scored`:
`Predictions` where a picture has a few choices (classes, or its own captions), `retrieval.Retrieved` where it has all
the captions of a split. An evaluation that is several cells (few-shot: one for each k) has `parts()`, which gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from bench import metrics
from bench.errors import BenchError, unknown
from bench.metrics import Estimate
from bench.task import Samples, Task

if TYPE_CHECKING:
    import pandas as pd

    from bench.embeddings import Embedded, Needs

TOP = 5
"""Best choices of a picture that are kept in the table of predictions."""


class Scored(Protocol):
    """What an evaluation gives, whatever its form: enough for rows, for the run folder and for reports."""

    @property
    def choices(self) -> tuple[str, ...]: ...

    @property
    def split(self) -> str: ...

    @property
    def protocol(self) -> str:
        """How it was made, in words, for the rows."""
        ...

    def estimates(self, task: Task) -> Iterator[tuple[str, Estimate]]:
        """The metrics of the task by name, its headline first."""
        ...

    def table(self) -> pd.DataFrame:
        """One row a picture: id, label, prediction, correct, confidence, the TOP best choices, `attribute.*`."""
        ...


@dataclass(frozen=True)
class Predictions:
    """What a model says of each picture of one split.

    `scores` is float [image, choice], higher is better: logits (logit scale times cosine, plus bias), so that a softmax
    over a row is the model's probability. `labels` is int64 [image] or bool [image, choice]. `independent`: each
    choice is a question of its own (a probe of several labels), and its probability the sigmoid of its score.
    """

    scores: np.ndarray
    labels: np.ndarray
    choices: tuple[str, ...]
    ids: tuple[str, ...]
    attributes: pd.DataFrame
    split: str
    protocol: str = ""
    independent: bool = False

    def estimates(self, task: Task) -> Iterator[tuple[str, Estimate]]:
        attributes = with_units(self.attributes, task)
        names = metrics.applicable(
            task.metric, len(self.choices), protocol=task.protocol, several=self.labels.ndim == 2,
            grouped=bool(task.group), paired="pair" in attributes,
        )  # fmt: skip
        for name in names:
            metric = metrics.INDEPENDENT.get(name) if self.independent else None
            yield name, (metric or metrics.METRICS[name])(self.scores, self.labels, attributes)

    def table(self) -> pd.DataFrame:
        import pandas as pd

        scores = np.asarray(self.scores, dtype=np.float64)
        probabilities = sigmoid(scores) if self.independent else softmax(scores)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        top = np.take_along_axis(scores, best, axis=1)
        there = np.isfinite(top)  # a picture with fewer captions than others has -inf in their place
        table = pd.DataFrame({
            "id": list(self.ids),
            "label": [np.flatnonzero(row).tolist() if row.ndim else row for row in self.labels],
            "prediction": best[:, 0],
            "correct": metrics.credit(scores, self.labels),
            "confidence": np.take_along_axis(probabilities, best[:, :1], axis=1)[:, 0],
            "top": _lists(best, there),
            "top_scores": _lists(top, there),
            "top_probabilities": _lists(np.take_along_axis(probabilities, best, axis=1), there),
        })  # fmt: skip
        return with_attributes(table, self.attributes)


@runtime_checkable
class Evaluation(Protocol):
    """The contract: say what you need before the model is touched, then turn vectors into predictions."""

    @property
    def name(self) -> str: ...

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        """Splits and texts to embed. `samples(split)` loads a split (once a run) if its attributes decide the texts."""
        ...

    def __call__(self, task: Task, embedded: Embedded) -> Scored: ...


def require(task: Task, protocol: str, evaluation: str) -> None:
    """Refuse a task of another protocol."""
    if task.protocol != protocol:
        raise BenchError(
            f"Evaluation {evaluation!r} is for {protocol}; task {task.name!r} is one of {task.protocol}. "
            "evaluation=zero_shot picks what fits the task."
        )


def with_units(attributes: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The attributes with what `Task.group` names also as `group`, and what `Task.cluster` names as `cluster`."""
    for name in (*([task.group] if task.group else []), *task.cluster):
        if name not in attributes:
            raise unknown(f"attribute of task {task.name!r}", name, map(str, attributes.columns))
    if task.group:
        attributes = attributes.assign(group=attributes[task.group])
    if task.cluster:
        attributes = attributes.assign(cluster=attributes[list(task.cluster)].astype(str).agg(" | ".join, axis=1))
    return attributes


def with_attributes(table: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([table, attributes.reset_index(drop=True).add_prefix("attribute.")], axis=1)


def _lists(values: np.ndarray, there: np.ndarray) -> list[list[float]]:
    if there.all():
        return values.tolist()  # type: ignore[no-any-return]
    return [row[known].tolist() for row, known in zip(values, there, strict=True)]


def sigmoid(scores: np.ndarray) -> np.ndarray:
    """Of each score by itself, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(scores / 2)))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Row-wise softmax [image, choice], stable."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
