"""Tasks whose pictures a generator draws from prompts: `bench generator=...` (see `tasks.compositional`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench.drawing import KNOWN, Prompted
from bench.generator.folder import Folder
from bench.task import Task
from tasks.compositional import prompts

COMPOSITIONAL = Task(
    name="compositional",
    family="generated",
    load=Prompted(prompts),
    classes=(),
    templates=("{}",),
    splits={"test": None, KNOWN: None},
    licence="MIT (prompts; example captions of OpenAI's announcement quoted singly)",
    reference="OpenAI, DALL-E: Creating Images from Text, 2021-01-05; Ramesh et al. 2021, arXiv 2102.12092",
    metric="matching",
    protocol="matching",
    cluster=("meaning",),
    notes="A picture's captions are its prompt and sentences that are false in one fact.",
)


def compositional(
    *, meanings: int = 4, samples: int = 2, seed: int = 0, categories: Sequence[str] = (), tiers: Sequence[str] = (),
    annotated: str | None = None,
) -> list[Task]:  # fmt: skip
    """The suite as `conf/task/compositional.yaml` describes it.

    Raises:
        BenchError: an unknown category or tier.
    """
    chosen = partial(prompts, seed=seed, meanings=meanings, categories=tuple(categories), tiers=tuple(tiers))
    chosen()  # a wrong name is said before anything starts
    known = None if annotated is None else Folder(annotated, "annotated")
    return [COMPOSITIONAL.renamed("compositional", load=Prompted(chosen, samples=samples, seed=seed, annotated=known))]
