"""Zero-shot readers by an image-text model: slots by their statements, and prompts against their foils.

A bare cosine is never compared across prompts; only statements about one picture are. Statements closer than `TIE` are
tied. What a model of this kind is blind to (Yuksekgonul et al. 2023, arXiv 2210.01936) its reliability card shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.evaluation.matching import settle
from bench.generator.prompts import Prompt, Slot
from bench.metrics.retrieval import TIE
from bench.scoring import Material, Reading, best

Texts = Callable[[Sequence[str]], np.ndarray]
"""Unit vectors [text, dim] of any strings."""


@dataclass(frozen=True)
class ClipReader:
    """Of a slot's statements the one that fits the picture best."""

    texts: Texts
    model: str
    name: str = "clip"

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return len(slot.options) > 1

    def read(self, material: Material) -> list[Reading]:
        vectors = np.asarray(material.vectors(), dtype=np.float64)
        says = list(
            dict.fromkeys(text for one in material.prompts for slot in one.slots for text in slot.options.values())
        )
        index = {text: i for i, text in enumerate(says)}
        known = self.texts(says).astype(np.float64)
        return [
            self._one(prompt, vector, known, index) for prompt, vector in zip(material.prompts, vectors, strict=True)
        ]

    def _one(self, prompt: Prompt, vector: np.ndarray, known: np.ndarray, index: dict[str, int]) -> Reading:
        found = {}
        for slot in prompt.slots:
            if self.reads(prompt, slot):
                cosine = known[[index[text] for text in slot.options.values()]] @ vector
                found[slot.name] = best(list(slot.options), settle(cosine[None])[0])
        return Reading(found)


class Win(NamedTuple):
    """One sentence against another, on one picture."""

    picture: int
    foil: int
    margin: float
    """Cosine of the true sentence less that of the false one."""
    credit: float
    """1 won, 0 lost, half for a tie."""


def wins(
    prompts: Sequence[Prompt], vectors: np.ndarray, texts: Texts, *, shown: Sequence[int] | None = None
) -> Iterator[Win]:
    """Each picture's true sentence against the false ones.

    Args:
        vectors: [picture, dim]
        shown: what a picture of known truth shows: -1 its prompt, else the number of the foil. Then only prompt and
            foil are compared on a picture of a foil.
    """
    says = list(dict.fromkeys(text for one in prompts for text in (one.text, *(foil.text for foil in one.foils))))
    index = {text: i for i, text in enumerate(says)}
    known = texts(says).astype(np.float64)
    for i, prompt in enumerate(prompts):
        own = known[[index[text] for text in (prompt.text, *(foil.text for foil in prompt.foils))]] @ vectors[i].astype(
            np.float64
        )
        truth = -1 if shown is None else shown[i]
        for foil in range(len(prompt.foils)) if truth < 0 else (truth,):
            margin = float(own[0] - own[1 + foil]) * (1 if truth < 0 else -1)
            yield Win(i, foil, margin, 0.5 if abs(margin) <= TIE else float(margin > 0))
