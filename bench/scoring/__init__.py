"""Scorers: who says what a generated picture shows. Each reads the slots of a prompt, and has its own reliability card.

`exact` parses the pictures of our renderer's world; `clip` asks the model of the run which of a slot's statements fits
best; `ocr` reads words; `vqa` asks a model that answers questions. Foils are compared in `foils`; people's ratings come
from a CSV (`ratings`).

A reading is a share of each value: one where the scorer is sure, equal shares where values tie, so that a scorer that
cannot tell four values apart earns a quarter and not all or nothing. What is not there is read as `GONE`.

How to add one: a module with a class that has `name`, `model`, `reads` and `read`, and a line in
`bench.audit.composition`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.errors import BenchError
from bench.generator.prompts import GONE, Prompt, Slot

if TYPE_CHECKING:
    from PIL.Image import Image

Shares = Mapping[str, float]


class UnavailableError(BenchError):
    """A scorer needs something that is not on this machine; the report says what."""


@dataclass(frozen=True)
class Reading:
    """What a scorer says of one picture: the shares of values of each slot that it reads."""

    slots: Mapping[str, Shares]
    whole: float = 1.0
    """0 where the picture is wrong besides its slots: something is in it that nobody asked for."""

    def credit(self, slot: Slot) -> float:
        """Share of right values."""
        return float(sum(share for value, share in self.slots[slot.name].items() if value in slot.right))

    def all_right(self, prompt: Prompt) -> float:
        """Chance that all is right if ties are broken at random; NaN where a slot was not read."""
        if any(slot.name not in self.slots for slot in prompt.slots):
            return float("nan")
        return self.whole * float(np.prod([self.credit(slot) for slot in prompt.slots]))


@dataclass(frozen=True)
class Material:
    """Pictures to be read, each with its prompt: decoded one by one when asked for, or as vectors [picture, dim]."""

    prompts: Sequence[Prompt]
    images: Sequence[Image]
    vectors: Callable[[], np.ndarray]


class Scorer(Protocol):
    """The contract."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str:
        """Identity of the model behind it; empty if there is none. Who reranks must not judge."""
        ...

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        """Does it say anything about this slot?"""
        ...

    def read(self, material: Material) -> list[Reading]:
        """A reading for each picture, of the slots that it reads."""
        ...


def best(values: Sequence[str], scores: np.ndarray) -> Shares:
    """Equal shares of the values with the highest score; `scores` must have been settled (equal where they tie)."""
    top = np.flatnonzero(scores == scores.max())
    return {values[int(i)]: 1 / len(top) for i in top}


def surely(value: str | None) -> Shares:
    return {value if value else GONE: 1.0}
