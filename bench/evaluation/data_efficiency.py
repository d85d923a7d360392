"""Data efficiency: how many labelled pictures of each class a probe needs to match zero-shot (CLIP paper, Figure 7).

Few-shot probes on the same draws (nested, see `few_shot`) give a curve of accuracy over k; between the k that were
measured it is taken as linear in log k, as in the paper. Where the largest k leaves it open, the linear probe on all
training pictures, its penalty chosen by `linear_probe`, is the curve's last point, at their mean number a class. The
answer is where the mean curve over draws first reaches zero-shot. If it starts above, the answer is "fewer than" the
least k and stands at it without a lower bound; if it never reaches it, "more than" the last point without an upper
bound; nothing is extrapolated.

The interval holds every k at which the difference to zero-shot may be 0: where the curve of the difference's upper
bounds first crosses 0, to where that of its lower bounds does. The bounds cover another draw (Student's t) and another
test set (paired: both answered the same pictures). Differs from the paper: the probe sees features after the
projection, those of zero-shot, at a fixed penalty up to the largest k.

Rows: the headline and its like of the probe at the largest k, then `examples_per_class`, and `gap@k` for each k (the
last may be all there are), the probe's headline minus zero-shot's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench import metrics
from bench.embeddings import Embedded, Needs
from bench.evaluation import Predictions
from bench.evaluation.few_shot import Drawn, FewShot
from bench.evaluation.linear_probe import LinearProbe
from bench.evaluation.zero_shot import ZeroShot
from bench.metrics import Estimate
from bench.metrics.estimate import Z95
from bench.task import Samples, Task

if TYPE_CHECKING:
    import pandas as pd

METRIC = "examples_per_class"


class Gap(NamedTuple):
    """The probe's headline minus zero-shot's at one k: mean over draws and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DataEfficiency:
    """`k`, `draws`, `seed`, `penalty` as in few_shot; `ensemble` as in zero_shot."""

    k: Sequence[int] = (1, 2, 4, 8, 16)
    draws: int = 5
    seed: int = 0
    penalty: float = 1.0
    ensemble: bool = True
    device: str = "cpu"
    name: str = "data_efficiency"

    def __post_init__(self) -> None:
        self._probe()

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        texts = ZeroShot(ensemble=self.ensemble).needs(task, samples).texts
        return Needs(splits=self._full().needs(task, samples).splits, texts=texts)

    def __call__(self, task: Task, embedded: Embedded) -> Curve:
        words = ZeroShot(ensemble=self.ensemble)(task, embedded)
        curve = Curve(words, tuple(sorted(self.k)), tuple(part(task, embedded) for part in self._probe().parts()))
        learnt = [len(embedded.samples[one]) for one in self._full().needs(task, embedded.samples.__getitem__).splits]
        whole = (sum(learnt) - len(embedded.samples[task.test])) // len(task.classes)
        if whole <= curve.k[-1] or curve.gap(task, curve.probes[-1]).low >= 0:
            return curve
        return replace(curve, whole=(whole, self._full()(task, embedded)))

    def _full(self) -> LinearProbe:
        return LinearProbe(features="projected", seed=self.seed, device=self.device)

    def _probe(self) -> FewShot:
        return FewShot(k=tuple(sorted(self.k)), draws=self.draws, seed=self.seed, penalty=self.penalty,
                       device=self.device)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Zero-shot's predictions and those of the probe at each k, on the same pictures.

    `whole`: how many a class there are, and the predictions of the probe that learnt from all.
    """

    words: Predictions
    k: tuple[int, ...]
    probes: tuple[Drawn, ...]
    whole: tuple[int, Predictions] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        return self.words.choices

    @property
    def split(self) -> str:
        return self.words.split

    @property
    def protocol(self) -> str:
        """Of the probe at the largest k, or of one that did not converge; and of zero-shot."""
        last = next((one.protocol for one in self.probes if "NOT" in one.protocol), self.probes[-1].protocol)
        whole = f"; at {self.whole[0]} per class all there are, {self.whole[1].protocol}" if self.whole else ""
        return f"{last}{whole}; against zero-shot with {self.words.protocol}"

    def estimates(self, task: Task) -> Iterator[tuple[str, Estimate]]:
        yield from self.probes[-1].estimates(task)
        several, probes = list(self.k), list(self.probes)
        if self.whole is not None:
            several.append(self.whole[0])
            probes.append(Drawn((self.whole[1],)))
        gaps = [self.gap(task, probe) for probe in probes]
        n = len(self.words.labels)
        yield METRIC, crossing(several, gaps, n)
        for k, gap in zip(several, gaps, strict=True):
            yield f"gap@{k}", Estimate(gap.value, gap.low, gap.high, n, "paired, t over draws", math.nan)

    def table(self) -> pd.DataFrame:
        """That of the probe at the largest k."""
        return self.probes[-1].table()

    def gap(self, task: Task, probe: Drawn) -> Gap:
        """The probe minus zero-shot by the task's metric."""
        zero = next(self.words.estimates(task))[1]
        each = [next(one.estimates(task))[1] for one in probe.draws]
        values = np.array([one.value - zero.value for one in each])
        between, count = 0.0, len(values)
        if count > 1:
            from scipy.stats import t

            between = float(values.var(ddof=1)) / count * (float(t.ppf(0.975, count - 1)) / Z95) ** 2
        reach = Z95 * math.sqrt(between + self._within(task, probe, [zero, *each]))
        middle = float(values.mean())
        return Gap(middle, middle - reach, middle + reach)

    def _within(self, task: Task, probe: Drawn, estimates: Sequence[Estimate]) -> float:
        """Variance of the difference over test sets: paired by picture; of other metrics as if they were apart."""
        if task.metric not in ("top1", "mean_per_class") or "cluster" in self.words.attributes or task.cluster:
            sizes = [((one.high - one.low) / 2 / Z95) ** 2 for one in estimates]
            return sizes[0] + float(np.mean(sizes[1:]))
        labels = self.words.labels
        weights = np.ones(len(labels))
        if task.metric == "mean_per_class":
            _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
            weights = len(labels) / (len(counts) * counts[place])
        credit = np.mean([metrics.credit(one.scores, labels) for one in probe.draws], axis=0)
        return float((weights * (credit - metrics.credit(self.words.scores, labels))).var() / len(labels))


def crossing(k: Sequence[int], gaps: Sequence[Gap], n: int) -> Estimate:
    """The least number of examples at which the gap is 0 or more, with its interval; see the module for its ends."""
    value, early, late = (first(k, [getattr(gap, name) for gap in gaps]) for name in ("value", "high", "low"))
    note = "log-linear between k"
    if value < k[0]:
        note = f"FEWER THAN {k[0]}; {note}"
    elif value > k[-1]:
        note = f"MORE THAN {k[-1]}; {note}"
    shown = min(max(value, k[0]), k[-1])
    low = early if early >= k[0] else math.nan
    high = max(late, shown) if late <= k[-1] else math.nan
    low = min(low, shown) if low == low else low
    return Estimate(shown, low, high, n, "t over draws and paired test set", math.nan, note)


def first(k: Sequence[int], heights: Sequence[float]) -> float:
    """Where the curve, linear in log k, first reaches 0; 0 if it starts there, infinity if it never does."""
    if heights[0] >= 0:
        return 0.0 if heights[0] > 0 else float(k[0])
    for i in range(1, len(k)):
        below, above = heights[i - 1], heights[i]
        if above >= 0:
            share = -below / (above - below)
            return float(k[i - 1] * (k[i] / k[i - 1]) ** share)
    return math.inf
