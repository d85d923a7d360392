"""Linear probe: logistic regression on frozen features, as in the CLIP paper (section 3.2, appendix A.3).

The penalty is one of 97 values, 8 a decade from 1e-6 to 1e6, in scikit-learn's terms 1 / C. The paper's search looks at
every 16th, then at both neighbours of the best at half the distance, and so on to the finest step; `search=path` looks
at all. Accuracy on the validation split decides (ties go to the stronger penalty); the probe is then fitted anew on
train and validation together and the test split is looked at once.

Not from the paper, which leaves it open: without a validation split one in five training pictures, of each class, is
held out. The features are those before the projection, as they are, without normalisation (openai/CLIP#211).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench import metrics
from bench.embeddings import Embedded, Needs
from bench.errors import unknown
from bench.evaluation import Predictions, require
from bench.evaluation.probing import held_out, named, predictions, told, training_split, two_columns, validation_split
from bench.logistic import Fit, LogisticPath
from bench.task import Samples, Task

STEPS_A_DECADE = 8
GRID = tuple(float(10 ** (i / STEPS_A_DECADE)) for i in range(-6 * STEPS_A_DECADE, 6 * STEPS_A_DECADE + 1))
"""The penalties: 97 values, 96 steps."""
COARSEST = 16
SEARCHES = ("coarse_to_fine", "path")


@dataclass(frozen=True)
class LinearProbe:
    """`features`: penultimate or projected. `seed` draws the held-out share where there is no validation split."""

    features: str = "penultimate"
    search: str = "coarse_to_fine"
    seed: int = 0
    device: str = "cpu"

    @property
    def name(self) -> str:
        return named("linear_probe", self.features, "penultimate")

    def __post_init__(self) -> None:
        if self.search not in SEARCHES:
            raise unknown("search of linear_probe", self.search, SEARCHES)

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "classification", self.name)
        own = validation_split(task)
        splits = (training_split(task, self.name), *([own] if own else []), task.test)
        return Needs(splits=splits, features=self.features)

    def __call__(self, task: Task, embedded: Embedded) -> Predictions:
        features, labels, fitted, held, how = self._learning(task, embedded)
        chosen, accuracies, unfinished = self._choose(task, features, labels, fitted, held)
        final = self._path(task, features, labels, "refit").solve([chosen])[0]
        samples = embedded.samples[task.test]
        scores = two_columns(final.logits(embedded.images[task.test]), samples.labels)
        note = "; ".join([f"{self.features} features", _told(final), f"of {len(accuracies)} tried, best on {how}",
                          f"path {_path(accuracies)}", *unfinished])  # fmt: skip
        return predictions(task, samples, scores, split=task.test, protocol=note)

    def _learning(self, task: Task, embedded: Embedded) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, str]:
        """Features and labels of all there is to learn from; positions to fit on and to choose by; how they came."""
        train = training_split(task, self.name)
        own = validation_split(task)
        features, labels = np.asarray(embedded.images[train]), embedded.samples[train].labels
        if own is None:
            fitted, held = held_out(labels, seed=self.seed)
            return features, labels, fitted, held, f"{len(held)} held out of train (seed {self.seed})"
        together = np.concatenate([features, embedded.images[own]])
        every = np.arange(len(together))
        labels = np.concatenate([labels, embedded.samples[own].labels])
        return (
            together,
            labels,
            every[: len(features)],
            every[len(features) :],
            f"{len(together) - len(features)} of val",
        )

    def _path(self, task: Task, features: np.ndarray, labels: np.ndarray, what: str) -> LogisticPath:
        report = told(f"{task.name} {self.name} {what}")
        return LogisticPath(features, labels, len(task.classes), device=self.device, report=report)

    def _choose(
        self, task: Task, features: np.ndarray, labels: np.ndarray, fitted: np.ndarray, held: np.ndarray
    ) -> tuple[float, dict[float, float], list[str]]:
        """The penalty that is best on the held-out pictures, the value of each that was tried, and what to warn of."""
        unfinished: list[str] = []
        path = self._path(task, features[fitted], labels[fitted], "search")
        seen = features[held]

        def value(fit: Fit) -> float:
            if not fit.converged:
                unfinished.append(f"NOT CONVERGED in the search at lambda {fit.penalty:.3g}")
            scores = two_columns(fit.logits(seen), labels)
            return headline(task, scores, labels[held])

        chosen, accuracies = search(lambda several: [value(fit) for fit in path.solve(several)],
                                    every=self.search == "path")  # fmt: skip
        return chosen, accuracies, unfinished


def search(values: Callable[[list[float]], list[float]], *, every: bool = False) -> tuple[float, dict[float, float]]:
    """Coarse to fine over GRID: the best penalty and the value of each that was tried.

    `values` maps penalties to the values that decide. With `every`, all are tried, still coarse ones first, so that
    each begins between solved neighbours.
    """
    tried: dict[int, float] = {}
    step, wanted = COARSEST, list(range(0, len(GRID), COARSEST))
    while True:
        tried |= dict(zip(wanted, values([GRID[i] for i in wanted]), strict=True))
        best = max(tried, key=lambda i: (tried[i], i))
        if step == 1:
            return GRID[best], {GRID[i]: tried[i] for i in sorted(tried)}
        step //= 2
        around = range(step, len(GRID), 2 * step) if every else (best - step, best + step)
        wanted = [i for i in around if 0 <= i < len(GRID) and i not in tried]


def headline(task: Task, scores: np.ndarray, labels: np.ndarray) -> float:
    """What decides: accuracy, or mean average precision where pictures carry several labels."""
    if labels.ndim == 2:
        return metrics.average_precision(scores, labels)
    return float(metrics.credit(scores, labels).mean())


def _path(values: dict[float, float]) -> str:
    """Each penalty that was tried with its value on the validation pictures; of a full path every eighth."""
    step = 1 if len(values) <= 20 else STEPS_A_DECADE
    return ", ".join(f"{one:.2g}: {100 * values[one]:.1f}%" for one in list(values)[::step])


def _told(fit: Fit) -> str:
    state = "" if fit.converged else "NOT CONVERGED, "
    return (f"lambda {fit.penalty:.3g} ({state}objective {fit.objective:.6g}, gradient {fit.gradient:.1e}, "
            f"gap {fit.gap / max(fit.objective, 1e-300):.0e})")  # fmt: skip
