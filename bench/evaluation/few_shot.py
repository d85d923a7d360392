"""Few-shot: a logistic probe on k labelled pictures of each class, over several draws (CLIP paper, section 3.1.5).

`start=nothing` is the plain probe. `start=text` adds the probe's logits to those of the zero-shot classifier and
penalises the difference, without an intercept: with no label it is zero-shot, so one sees what a label is worth on top
of words.

Each k is a cell of its own, `few_shot@4` or `few_shot_from_text@4`; the draws of one seed are nested, so that 4 per
class contain the 2 of the same draw. A row's value is the mean over draws; its interval covers both another draw
(Student's t over draws) and another test set (the mean variance of a draw's own interval: too wide rather than too
narrow, since the draws share the test set).

There is no honest way to tune a penalty on one picture a class, so it is fixed: 1, scikit-learn's default and MIEB's,
on features brought to LENGTH, about that of CLIP's before they are normalised. On features of unit length that is 0.01.
A penalty of 1 would be too strong there, most of all beside the logits of words (measured: from text, 16 a class of
Fashion-MNIST, 42 % by 1 and 72.5 % by 0.01).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench import metrics
from bench.embeddings import Embedded, Needs
from bench.errors import BenchError, unknown
from bench.evaluation import Predictions, require
from bench.evaluation.probing import named, predictions, training_split, two_columns
from bench.evaluation.zero_shot import ZeroShot, text_classifier
from bench.logistic import LogisticPath
from bench.metrics import Estimate
from bench.metrics.estimate import Z95, widened
from bench.task import Samples, Task

if TYPE_CHECKING:
    import pandas as pd

LENGTH = 10.0
"""Root of the mean squared length of features for which the penalty is meant."""
STARTS = {"nothing": "few_shot", "text": "few_shot_from_text"}


@dataclass(frozen=True)
class FewShot:
    """`k` labelled pictures a class, each in `draws` draws of `seed`; `features` projected or penultimate.

    `penalty` is meant for features of LENGTH, and is scaled to the length of those that there are.
    """

    k: Sequence[int] = (1, 2, 4, 8, 16)
    draws: int = 5
    seed: int = 0
    start: str = "nothing"
    penalty: float = 1.0
    features: str = "projected"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise unknown("start of few_shot", self.start, STARTS)
        if self.start == "text" and self.features != "projected":
            raise BenchError("few_shot from text needs evaluation.features=projected: only those live beside texts.")
        if not self.k or min(self.k) < 1 or len(set(self.k)) < len(self.k) or self.draws < 1 or self.penalty <= 0:
            raise BenchError(
                f"few_shot needs different k of 1 or more, draws of 1 or more and a penalty above 0; given "
                f"k={list(self.k)}, draws={self.draws}, penalty={self.penalty}."
            )

    @property
    def name(self) -> str:
        return named(STARTS[self.start], self.features, "projected") + (f"@{self.k[0]}" if len(self.k) == 1 else "")

    def parts(self) -> list[FewShot]:
        """One evaluation for each k."""
        return [replace(self, k=(one,)) for one in self.k]

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "classification", self.name)
        train = training_split(task, self.name)
        texts = ZeroShot().needs(task, samples).texts if self.start == "text" else ()
        return Needs(splits=(train, task.test), texts=texts, features=self.features)

    def __call__(self, task: Task, embedded: Embedded) -> Drawn:
        assert len(self.k) == 1, "a cell has one k: see parts()"
        train = training_split(task, self.name)
        labels = embedded.samples[train].labels
        check(task, labels, self.k[0])
        features, seen = np.asarray(embedded.images[train]), np.asarray(embedded.images[task.test])
        words = self._words(task, embedded)
        drawn = [draw(labels, self.k[0], seed=self.seed, number=number) for number in range(self.draws)]
        return Drawn(tuple(self._fit(task, embedded.samples[task.test], features[rows], labels[rows], seen, words)
                           for rows in drawn))  # fmt: skip

    def _fit(
        self, task: Task, samples: Samples, features: np.ndarray, labels: np.ndarray, seen: np.ndarray,
        words: np.ndarray | None,
    ) -> Predictions:  # fmt: skip
        offset = None if words is None else _columns(features @ words.T)
        path = LogisticPath(features, labels, len(task.classes), offset=offset, intercept=words is None,
                            device=self.device)  # fmt: skip
        penalty = self.penalty * float(np.mean(np.square(features, dtype=np.float64).sum(1))) / LENGTH**2
        fit = path.solve([penalty])[0]
        logits = fit.logits(seen) if words is None else fit.logits(seen) + _columns(seen @ words.T)
        state = "" if fit.converged else "; NOT CONVERGED"
        note = (f"{self.k[0]} per class, {self.draws} draws of seed {self.seed}, {self.features} features, "
                f"from {self.start}, lambda {penalty:.3g}{state}")  # fmt: skip
        return predictions(task, samples, two_columns(logits, labels), split=task.test, protocol=note)

    def _words(self, task: Task, embedded: Embedded) -> np.ndarray | None:
        """The zero-shot classifier [class, dim] at the scale of its logits."""
        if self.start != "text":
            return None
        groups = [embedded.texts(task.prompts(i)) for i in range(len(task.classes))]
        return np.asarray(embedded.card.logit_scale * text_classifier(groups))


@dataclass(frozen=True)
class Drawn:
    """The predictions of several draws on the same test pictures, scored as one."""

    draws: tuple[Predictions, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        return self.draws[0].choices

    @property
    def split(self) -> str:
        return self.draws[0].split

    @property
    def protocol(self) -> str:
        """That of a draw which did not converge, if there is one."""
        return next((one.protocol for one in self.draws if "NOT" in one.protocol), self.draws[0].protocol)

    def estimates(self, task: Task) -> Iterator[tuple[str, Estimate]]:
        for several in zip(*(one.estimates(task) for one in self.draws), strict=True):
            yield several[0][0], pooled([estimate for _, estimate in several])

    def table(self) -> pd.DataFrame:
        """The first draw's table, with the mean over draws as `correct`: what paired tests compare."""
        table = self.draws[0].table()
        table["correct"] = np.mean([metrics.credit(one.scores, one.labels) for one in self.draws], axis=0)
        return table


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """Mean of estimates in [0, 1] over draws, and its interval (see the module)."""
    values, first = [one.value for one in estimates], estimates[0]
    mean, count = float(np.mean(values)), len(values)
    within = float(np.mean([((one.high - one.low) / 2 / Z95) ** 2 for one in estimates]))
    between = 0.0
    if count > 1:
        from scipy.stats import t

        between = float(np.var(values, ddof=1)) / count * (float(t.ppf(0.975, count - 1)) / Z95) ** 2
    spread = f"{first.interval} and t over {count} draws (sd {math.sqrt(np.var(values)):.4f})"
    low, high = widened(mean, within + between, first.n)
    return first._replace(value=mean, low=low, high=high, interval=spread)


def draw(labels: np.ndarray, k: int, *, seed: int, number: int) -> np.ndarray:
    """Positions of k pictures of each class that occurs, in order; the first k of a shuffle that k does not change."""
    random = np.random.default_rng([seed, number])
    chosen = [random.permutation(np.flatnonzero(labels == one))[:k] for one in np.unique(labels)]
    return np.sort(np.concatenate(chosen))


def check(task: Task, labels: np.ndarray, k: int) -> None:
    """Refuse labels of which a class has fewer than k, or several a picture."""
    if labels.ndim == 2:
        raise BenchError(f"few_shot needs one label a picture; task {task.name!r} has several.")
    counts = np.bincount(labels, minlength=len(task.classes))
    if counts.min() < k:
        few = np.flatnonzero(counts < k)
        more = f" and {len(few) - 1} more classes have too few" if len(few) > 1 else ""
        raise BenchError(
            f"few_shot@{k} needs {k} training pictures of every class; class {task.class_names[few[0]]!r} of task "
            f"{task.name!r} has {counts[few[0]]}{more}. Choose k of at most {counts.min()} "
            "(evaluation.k=[1,2]), or raise or drop `limit`."
        )


def _columns(logits: np.ndarray) -> np.ndarray:
    """Two classes as one column, class 1 against class 0."""
    return logits[:, 1:] - logits[:, :1] if logits.shape[1] == 2 else logits
