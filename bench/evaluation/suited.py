"""Zero-shot means what the task is for: classes, captions to find, or captions to tell apart.

So `bench task=winoground` needs no second word, and a sweep over all tasks scores each by its own protocol. The rows
say which it was.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.evaluation import Evaluation
from bench.evaluation.matching import Matching
from bench.evaluation.retrieval import Retrieval
from bench.evaluation.zero_shot import ZeroShot
from bench.task import Task


def suited(evaluation: Evaluation, task: Task) -> Evaluation:
    """The evaluation itself, or what zero-shot means on a task of captions."""
    if not isinstance(evaluation, ZeroShot) or task.protocol == "classification":
        return evaluation
    ensemble = evaluation.ensemble
    return Retrieval(ensemble=ensemble) if task.protocol == "retrieval" else Matching(ensemble=ensemble)


def cells(evaluation: Evaluation, task: Task) -> list[Evaluation]:
    """What is run for one evaluation on one task: few-shot has a cell for each k, others are one."""
    chosen = suited(evaluation, task)
    parts: Callable[[], list[Evaluation]] | None = getattr(chosen, "parts", None)
    return [chosen] if parts is None else parts()
