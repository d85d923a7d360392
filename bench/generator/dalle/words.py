"""Captions as word ids, for a generator that knows a small world.

The paper's text side is a byte-pair vocabulary of 16,384 that was never published. The bundled model was taught a few
dozen words, so each word is one id; punctuation is dropped and the case lowered, as in the paper. A word it was never
taught is `UNKNOWN`, and the caller can ask which those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import regex

UNKNOWN = "<unknown>"
PAD = -1
"""The id where a caption has ended; the model puts a vector of that position there."""
WORD = regex.compile(r"[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*")


@dataclass(frozen=True)
class Words:
    """A closed vocabulary; ids are places in `known`, whose first entry is `UNKNOWN`."""

    known: tuple[str, ...]
    context: int

    @classmethod
    def of(cls, captions: Iterable[str], context: int) -> Words:
        """Every word of these captions, in alphabetical order."""
        found = {word for caption in captions for word in split(caption)}
        return cls((UNKNOWN, *sorted(found)), context)

    def __call__(self, captions: Sequence[str]) -> np.ndarray:
        """Ids, int64 [caption, context], `PAD` after the end; what is longer is cut."""
        places = {word: place for place, word in enumerate(self.known)}
        rows = np.full((len(captions), self.context), PAD, dtype=np.int64)
        for row, caption in zip(rows, captions, strict=True):
            ids = [places.get(word, 0) for word in split(caption)][: self.context]
            row[: len(ids)] = ids
        return rows

    def strange(self, caption: str) -> list[str]:
        """What the model will not see of this caption: words it was never taught, and those beyond the context."""
        words = split(caption)
        return [word for place, word in enumerate(words) if word not in self.known or place >= self.context]


def split(caption: str) -> list[str]:
    """Lower-case words without punctuation."""
    found: list[str] = WORD.findall(caption.lower())
    return found
