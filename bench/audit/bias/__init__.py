"""`audit=bias`: whom does the model fail, whom does it insult, what does it associate, and how sure is that?

A part a question, each a module here: group performance (shared with `audit=disparity`), counterparts (pictures that
differ in one attribute only), harmful labels and what one more label changes, words that go with groups, association
and retrieval skew, and, where pictures of a generator are given, who is in them. Every test of every part enters one
ledger; what counts as a finding is decided over all of them at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.audit import AuditCell, Finding, Session
from bench.audit.bias import associations, counterparts, generated, harm, retrieval, words
from bench.audit.group_performance import PART, performance
from bench.audit.label_sets import Design, LabelSet
from bench.audit.look import Ledger, Look, Sliced
from bench.audit.measures.threshold import MULTIPLES
from bench.audit.statement import statement
from bench.task import Task


@dataclass(frozen=True)
class Bias(Sliced):
    """See the module. A part without its word list is left out."""

    harm: LabelSet | None = None
    """What a picture could be called, in categories; `harmless` are the categories that nobody minds."""
    harmless: Sequence[str] = ("person",)
    designs: Sequence[Mapping[str, Any]] = ({"name": "+ child", "add": {"child": "child"}},)
    """Changes to that set whose effect is shown: name, and any of add (label: category), drop, rename."""
    occupations: LabelSet | None = None
    """Labels whose thresholds are swept."""
    multiples: Sequence[float] = MULTIPLES
    """Thresholds, as multiples of the probability of a label if all were alike."""
    concepts: Sequence[LabelSet] | None = None
    """Two categories of words each, for association tests."""
    adjectives: LabelSet | None = None
    """Words of retrieval prompts, put into `query` and then into the templates."""
    query: str = "{} person"
    top: int | None = None
    """Pictures at the top of a ranking that count; None for a tenth of the pool, at most 1,000."""
    desired: str = "pool"
    """Desired shares at the top: those of the pool, or equal ones."""
    generated: str | None = None
    """Folder of generated pictures with a manifest (columns prompt, file); the task's labels are then the attribute."""
    reference: Mapping[str, float] = field(default_factory=dict)
    """Shares that the generated pictures are compared with: class -> share; all alike if empty."""
    parity_classes: int = 50
    name: str = "bias"

    def cells(self, session: Session) -> Iterator[AuditCell]:
        ledger = Ledger()
        for task in session.tasks:
            look = Look(session, task, self, self.name, ledger)
            yield AuditCell(task, lambda look=look: [statement(look)], "statement")  # type: ignore[misc]
            if look.has_groups():  # if not, the statement has said why
                yield from (AuditCell(task, run, part) for part, run in self._parts(look, task))
        yield AuditCell(session.tasks[-1], lambda: [ledger.table(self.false_discoveries)], "tests")

    def _parts(self, look: Look, task: Task) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
        """The questions that can be asked of this task, with what answers each."""
        yield PART, partial(performance, look, parity_classes=self.parity_classes)
        if task.cluster and task.protocol == "classification":
            yield counterparts.PART, partial(counterparts.counterparts, look)
        if self.harm is not None:
            designs = [Design(**{str(key): value for key, value in one.items()}) for one in self.designs]
            yield harm.PART, partial(harm.harm, look, self.harm, designs, tuple(self.harmless))
        if self.occupations is not None:
            yield words.PART, partial(words.words, look, self.occupations, tuple(self.multiples))
        if self.concepts:
            yield associations.PART, partial(associations.associations, look, tuple(self.concepts))
        if self.adjectives is not None:
            yield (
                retrieval.PART,
                partial(
                    retrieval.retrieval, look, self.adjectives, query=self.query, top=self.top, desired=self.desired
                ),
            )
        if self.generated is not None:
            yield generated.PART, partial(generated.generated, look, self.generated, dict(self.reference))
