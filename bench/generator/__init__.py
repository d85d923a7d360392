"""Generators: things that make pictures from words, or from a scene whose truth is known.

A generator is one file here plus one YAML under `conf/generator/`. To add one, write a class with `card` and
`generate`; nothing else needs to know it. One that needs more than words (a folder of pictures already made looks for
the prompt's id, our own renderer draws the stored truth) has `draw` instead, and is asked by `Request`.

`scenes` is our own renderer: exact truth, no model, no download. The prompts are in `bench.generator.prompts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.generator.prompts import Prompt


@dataclass(frozen=True)
class GeneratorCard:
    """Which generator this is. `identity` holds all that decides a picture besides prompt and seed."""

    name: str
    identity: str
    notes: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name, "identity": self.identity, "notes": self.notes}


@runtime_checkable
class Generator(Protocol):
    """Makes RGB pictures from prompts, of one size. The same prompt and seed give the same picture in any batch."""

    @property
    def card(self) -> GeneratorCard: ...

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """One picture a prompt, in order; `seeds` is as long as `prompts`."""
        ...


@dataclass(frozen=True)
class Request:
    """A picture that is asked for: the prompt with its stored truth, which sample of it, and the seed for it."""

    prompt: Prompt
    seed: int
    sample: int = 0


@runtime_checkable
class Informed(Protocol):
    """A generator that is told more than words."""

    @property
    def card(self) -> GeneratorCard: ...

    def draw(self, requests: Sequence[Request]) -> list[Image | None]:
        """One picture a request, in order; None where it has none to give."""
        ...
