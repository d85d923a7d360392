"""What the parts of a bias audit see of one task, and the ledger in which they enter every test they make.

Whether a finding stands is decided once, over the whole audit: a part cannot know how many questions the others ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.audit import NotApplicableError, Session, Table
from bench.audit.label_sets import LabelSet
from bench.audit.measures.disparity import false_discovery
from bench.audit.measures.groups import MINIMUM, MOST_VALUES, Grouping, groupings
from bench.audit.measures.resampling import DRAWS
from bench.audit.measures.spread import spread
from bench.errors import FOREIGN
from bench.evaluation import Predictions, with_units
from bench.evaluation.rows import Row
from bench.evaluation.zero_shot import ZeroShot, text_classifier
from bench.metrics import Estimate
from bench.metrics.estimate import clusters_of
from bench.task import Samples, Task

if TYPE_CHECKING:
    import pandas as pd

PARAPHRASES = ("a picture of a {}.", "an image of a {}.", "this is a {}.", "here is a {}.", "a {}")
IGNORED = ("label", "source", "licence", "license", "caption", "captions", "correct", "pair", "picture", "split", "id")


@dataclass(frozen=True)
class Sliced:
    """What every audit of groups may be told."""

    attributes: Sequence[str] | None = None
    """Attribute columns to group pictures by; None for all with 2 to `most_values` values."""
    ignore: Sequence[str] = IGNORED
    """Attributes that are no groups: bookkeeping, or what was varied on purpose."""
    crossed: int = 2
    """Up to so many attributes are crossed."""
    minimum: int = MINIMUM
    """Pictures a group needs to be shown."""
    most_values: int = MOST_VALUES
    templates: Sequence[str] = PARAPHRASES
    """Paraphrases: figures are of their ensemble, spreads over each alone."""
    false_discoveries: float = 0.05
    """Share of false findings allowed over the whole audit."""
    draws: int = DRAWS
    seed: int = 0


@dataclass
class Ledger:
    """Every test of an audit."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def enter(self, task: str, part: str, what: str, group: str, p: float, effect: float) -> None:
        """One test: what was compared between the groups of `group`."""
        if np.isfinite(p):
            self.entries.append({"task": task, "part": part, "what": what, "group": group, "p": p, "effect": effect})

    def table(self, allowed: float) -> Table:
        """All tests with q over all of them; `finding` is q at or below the allowed share of false ones."""
        import pandas as pd

        frame = pd.DataFrame(self.entries, columns=["task", "part", "what", "group", "p", "effect"])
        q = false_discovery(frame["p"].to_numpy())
        about = {"tests": len(frame), "allowed": allowed, "findings": int((q <= allowed).sum())}
        return Table("tests", frame.assign(q=q, finding=q <= allowed), about)


@dataclass(frozen=True)
class Look:
    """One task under one audit: predictions, groups, classifiers of any labels."""

    session: Session
    task: Task
    how: Sliced
    audit: str
    ledger: Ledger

    @cached_property
    def samples(self) -> Samples:
        return self.session.samples(self.task)

    @cached_property
    def predictions(self) -> Predictions:
        """Those of the run on clean pictures.

        Raises:
            NotApplicableError: the task is not one of classes.
        """
        if self.task.protocol != "classification":
            raise NotApplicableError(f"Group performance needs classes; {self.task.name} is one of captions.")
        scored = next(self.session.predictions(self.task)).scored
        assert isinstance(scored, Predictions)
        return scored

    @cached_property
    def groupings(self) -> list[Grouping]:
        """Single attributes first, then crossed ones.

        Raises:
            NotApplicableError: the pictures have no attribute to group by.
        """
        how, attributes = self.how, self.samples.attributes
        ignore = [*how.ignore, *(["cluster"] if self.task.cluster else [])]
        free = [str(name) for name in attributes if name not in ignore]
        if not how.attributes and not free:
            raise NotApplicableError(f"The pictures of {self.task.name} have no attribute to group by.")
        return groupings(attributes, how.attributes, minimum=how.minimum, most=how.most_values, crossed=how.crossed,
                         ignore=ignore)  # fmt: skip

    @property
    def own_templates(self) -> tuple[str, ...]:
        """Templates under which the task's classes may be asked one by one; none where a probe answered, not words."""
        asked = isinstance(self.session.evaluation, ZeroShot)
        return tuple(dict.fromkeys([*self.task.templates, *self.how.templates])) if asked else ()

    def has_groups(self) -> bool:
        """Is this a task of classes whose pictures can be grouped?"""
        try:
            return bool(self.groupings and self.predictions)
        except FOREIGN:  # whatever a task raises; the evaluation's own row says it
            return False

    @property
    def single(self) -> list[Grouping]:
        """Of one attribute each, with two groups or more that are large enough."""
        return [one for one in self.groupings if len(one.attributes) == 1 and one.shown.sum() > 1]

    @cached_property
    def clusters(self) -> np.ndarray | None:
        """What pictures depend on each other, if the task says so."""
        return clusters_of(with_units(self.samples.attributes, self.task)) if self.task.cluster else None

    @cached_property
    def images(self) -> np.ndarray:
        """Unit vectors [image, dim]."""
        return self.session.images(self.task)

    def classifier(self, names: Sequence[str], templates: Sequence[str] | None = None) -> np.ndarray:
        """Unit vectors [name, dim], each the mean over templates."""
        groups = [[one.replace("{}", name) for one in templates or self.how.templates] for name in names]
        vectors = self.session.texts([text for group in groups for text in group])
        return text_classifier(list(vectors.reshape(len(names), -1, vectors.shape[1])))

    def logits(self, names: Sequence[str], templates: Sequence[str] | None = None) -> np.ndarray:
        """[image, name]: scale x cosine + bias, as zero-shot has them."""
        card = self.session.card
        return np.asarray(card.logit_scale * (self.images @ self.classifier(names, templates).T) + card.logit_bias)

    def row(self, metric: str, one: Estimate, *, group: str, note: str = "", own: bool = True, **more: Any) -> Row:
        """A row of this audit (`own`), or of the run's evaluation, sliced."""
        told = "; ".join(part for part in (f"{one.interval} interval" if one.interval else "", one.note, note) if part)
        evaluation = self.audit if own else None
        return self.session.row(self.task, metric, evaluation=evaluation, group=group, value=one.value, low=one.low,
                                high=one.high, n=one.n, protocol=told, **more)  # fmt: skip

    def hidden(self, metric: str, *, group: str, reason: str, own: bool = True) -> Row:
        """The row of a cell that is suppressed, or of a comparison that cannot be made."""
        return self.session.row(self.task, metric, evaluation=self.audit if own else None, group=group,
                                status="skipped", reason=reason)  # fmt: skip

    def enter(self, part: str, what: str, group: str, p: float, effect: float) -> None:
        self.ledger.enter(self.task.name, part, what, group, p, effect)

    def table(self, name: str, frame: pd.DataFrame, **about: Any) -> Table:
        """A table of this task."""
        return Table(f"{name}-{self.task.name}", frame, {"task": self.task.name, **about})


def spread_rows(look: Look, values: Mapping[str, Mapping[tuple[str, str], float]]) -> Iterator[Row]:
    """Smallest, median and largest of each figure over templates: template -> (metric, group) -> value."""
    for key in dict.fromkeys(key for own in values.values() for key in own):
        known = {template: own.get(key, float("nan")) for template, own in values.items()}
        if not np.isfinite(list(known.values())).any():
            continue
        found = spread(known)
        metric, group = key
        for name, value, template in (
            ("min", found.low, found.lowest), ("median", found.median, ""), ("max", found.high, found.highest)
        ):  # fmt: skip
            note = f"over {found.n} templates" + (f": {template!r}" if template else "")
            yield look.session.row(look.task, f"{metric}.prompt_{name}", evaluation=look.audit, group=group,
                                   value=value, n=found.n, protocol=note)  # fmt: skip


def described(labels: LabelSet) -> dict[str, Any]:
    """A label set in the `about` of a table."""
    return {"set": labels.name, "labels": dict(labels.categories), "note": labels.note}
