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
    """A model of transformers (extra: models) that classifies answers, such as ViLT, by name on the hub or folder.

    An option's score is its probability among the model's own list of answers; an option that is not in the list has
    none. (Version 5 of transformers has no pipeline for this any more.)
    """

    name: str
    model: Any = None
    """A model that is loaded already, with its processor."""
    processor: Any = None

    @property
    def identity(self) -> str:
        return f"vqa {self.name}"

    def answer(self, picture: Image, question: str, options: Sequence[str]) -> np.ndarray:
        import torch

        model, processor = self._loaded
        with torch.inference_mode():
            logits = model(**processor(picture.convert("RGB"), question, return_tensors="pt")).logits[0]
        chances = logits.softmax(-1).double().numpy()
        place = {str(label).strip().lower(): int(i) for i, label in model.config.id2label.items()}
        return np.array([chances[place[one.lower()]] if one.lower() in place else 0.0 for one in options])

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        if self.model is not None:
            return self.model, self.processor
        try:
            from transformers import ViltForQuestionAnswering, ViltProcessor

            model: Any = ViltForQuestionAnswering.from_pretrained(self.name)
            return model.eval(), ViltProcessor.from_pretrained(self.name)
        except (ImportError, OSError, KeyError, ValueError) as error:
            raise UnavailableError(
                f"the model {self.name!r} cannot be loaded ({str(error).splitlines()[0]})"
            ) from error
