"""Slots read by a model that answers questions about pictures (TIFA, Hu et al. 2023; VQAScore, Lin et al. 2024).

The question and its possible answers are stored with the slot, so that no language model writes them. Yes-bias cannot
enter: an answer is chosen among the slot's options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bench.generator.prompts import Prompt, Slot
from bench.scoring import Material, Reading, UnavailableError, best, surely

if TYPE_CHECKING:
    from PIL.Image import Image


class Answerer(Protocol):
    """A model that answers questions about pictures."""

    @property
    def identity(self) -> str: ...

    def answer(self, picture: Image, question: str, options: Sequence[str]) -> np.ndarray:
        """A score for each option [option]; all equal (or all zero) where it has nothing to say."""
        ...


@dataclass(frozen=True)
class Vqa:
    """Questions about every slot that has one."""

    answerer: Answerer
    name: str = "vqa"

    @property
    def model(self) -> str:
        return self.answerer.identity

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return bool(slot.question) and len(slot.options) > 1

    def read(self, material: Material) -> list[Reading]:
        return [self._one(prompt, material.images[i]) for i, prompt in enumerate(material.prompts)]

    def _one(self, prompt: Prompt, picture: Image) -> Reading:
        found = {}
        for slot in (one for one in prompt.slots if self.reads(prompt, one)):
            scores = np.asarray(self.answerer.answer(picture, slot.question, list(slot.options)), dtype=np.float64)
            found[slot.name] = best(list(slot.options), scores) if scores.any() else surely(None)
        return Reading(found)


@dataclass(frozen=True)
class TransformersAnswerer:
    """A `visual-question-answering` pipeline of transformers (extra: models), by name on the hub or folder."""

    name: str
    pipeline: Any = None
    """A pipeline that is loaded already."""
    answers: int = 100
    """Answers that a model with a fixed list of them is asked for."""

    @property
    def identity(self) -> str:
        return f"vqa {self.name}"

    def answer(self, picture: Image, question: str, options: Sequence[str]) -> np.ndarray:
        given = self._pipeline(image=picture, question=question, top_k=self.answers)
        scores = {str(one["answer"]).strip().lower(): float(one.get("score") or 1.0) for one in given}
        return np.array([scores.get(option.lower(), 0.0) for option in options])

    @cached_property
    def _pipeline(self) -> Any:
        if self.pipeline is not None:
            return self.pipeline
        try:
            from transformers import pipeline

            return pipeline("visual-question-answering", model=self.name)
        except (ImportError, OSError, KeyError, ValueError) as error:
            raise UnavailableError(f"the model {self.name!r} cannot be loaded ({str(error).splitlines()[0]})") from error
