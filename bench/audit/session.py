"""Session: what an audit may ask for. Vectors come from the store where they are there; nothing is encoded twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.embeddings import CLEAN, Condition, Needs, Progress, embed, embed_under
from bench.evaluation import Evaluation, Scored
from bench.evaluation.rows import Row, describe
from bench.evaluation.suited import suited
from bench.model import Encoder, Lookup, ModelCard
from bench.store import Store
from bench.task import Samples, Task

UNCHANGED = Condition("unchanged", identity="clean")
"""The baseline where an audit looks at some of the scored pictures only: the same pictures, as they are."""


@dataclass(frozen=True)
class Predicted:
    """Predictions of an evaluation on pictures of a task under a condition, to be scored and kept."""

    task: Task
    evaluation: str
    scored: Scored
    samples: Samples
    condition: Condition = CLEAN
    note: str = ""
    """What the protocol of its rows says besides."""


@dataclass(frozen=True)
class Session:
    """One model, the tasks of the run and how they are evaluated."""

    encoder: Encoder | Lookup
    tasks: tuple[Task, ...]
    evaluation: Evaluation
    store: Store
    load: Callable[[Task, str], Samples]
    """Samples of a split, cut by the run's `limit`; the last few are kept."""
    run: str = "run"
    seed: int = 0
    limit: int | None = None
    batch_size: int | None = None
    progress: Progress | None = None

    @property
    def card(self) -> ModelCard:
        return self.encoder.card

    def samples(self, task: Task, split: str | None = None) -> Samples:
        """Labels and attributes of a split (the scored one); pictures are decoded only when asked for."""
        return self.load(task, split or task.test)

    def predictions(
        self,
        task: Task,
        conditions: Sequence[Condition] = (CLEAN,),
        *,
        evaluation: Evaluation | None = None,
        pictures: int | None = None,
    ) -> Iterator[Predicted]:
        """What the run's evaluation (or another) says of the task under each condition, in order.

        Args:
            pictures: look at no more than so many of the scored pictures, drawn by the run's seed.
        """
        how = suited(evaluation or self.evaluation, task)

        def samples(split: str) -> Samples:
            found = self.load(task, split)
            return found.draw(pictures, seed=self.seed) if split == task.test else found

        several = embed_under(conditions, task, how.needs(task, samples), self.encoder, samples=samples,
                              store=self.store, batch_size=self.batch_size, progress=self.progress)  # fmt: skip
        for condition, embedded in several:
            yield Predicted(task, how.name, how(task, embedded), embedded.samples[task.test], condition)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors [text, dim] of any strings, in order."""
        embedded = embed(self.tasks[0], Needs(splits=(), texts=tuple(texts)), self.encoder, samples=self._none,
                         store=self.store, progress=self.progress)  # fmt: skip
        return embedded.texts(texts)

    def images(self, task: Task, condition: Condition = CLEAN) -> np.ndarray:
        """Unit vectors [image, dim] of the scored split, in the order of `samples(task)`."""
        return self.split_images(task, task.test, condition)

    def split_images(self, task: Task, split: str, condition: Condition = CLEAN, *, whole: bool = False) -> np.ndarray:
        """The same of any split; a condition applies to the scored one only. `whole`: not cut by the run's limit."""
        load = task.samples if whole else partial(self.load, task)
        several = embed_under([condition], task, Needs(splits=(split,)), self.encoder,
                              samples=load, store=self.store, batch_size=self.batch_size,
                              progress=self.progress)  # fmt: skip
        return next(several)[1].images[split]

    def row(self, task: Task, metric: str, *, evaluation: str | None = None, condition: str = "clean",
            group: str = "all", **columns: Any) -> Row:  # fmt: skip
        """A row about a task that only wants its value, interval and n: `session.row(task, "ece", value=..., n=...)`.

        `evaluation` is the run's own as suits the task, unless given.
        """
        name = evaluation or suited(self.evaluation, task).name
        return {**describe(self.card.name, task, name, self.run, condition=condition), "chance": None, "group": group,
                "metric": metric, "headline": False, "status": "ok", **columns}  # fmt: skip

    @staticmethod
    def _none(split: str) -> Samples:
        raise AssertionError(f"no split is needed for texts, {split!r} was asked for")
