"""Generators: things that make pictures from words, or from a scene whose truth is known.

A generator is one module here plus one YAML under `conf/generator/`. To add one, write a class with `card` and
`generate`; nothing else needs to know it. One that needs more than words (our own renderer draws the stored truth) has
`draw` instead, and is asked by `Request`; one that can go on from a given upper half has `below` as well.

| module        | what it is                                                                      |
|---------------|---------------------------------------------------------------------------------|
| dalle/        | the bundled DALL-E: discrete VAE, transformer, sampling, completion, reranking  |
| folder        | pictures already made by any system, with a manifest                            |
| diffusers     | pipelines of the diffusers library                                              |
| renderer      | our own renderer as a generator: draws the stored truth of a prompt             |
| scenes        | our own renderer: exact truth, no model, no download; the bundled tasks draw it |
| compositions  | captioned scenes in three tiers, with several wordings each                     |
| prompts       | prompts with stored truth: slots, foils, rule                                   |
| reader        | reads such scenes back from pixels; `verdicts` holds them against what was asked |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.generator.prompts import Prompt


@dataclass(frozen=True)
class GeneratorCard:
    """What drew the pictures. Every field but `notes` and `extra` is part of `identity`."""

    name: str
    family: str
    """dalle, folder ..."""
    weights: str = ""
    """SHA-256 of the weights, or of the manifest of a folder."""
    settings: str = ""
    """Canonical description of the sampling, e.g. `temperature 1; top-k none; top-p none`."""
    size: int | None = None
    """Pixels along a side, where it is always the same."""
    licence: str = ""
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Hash of all that determines a picture beside prompt and seed."""
        return digest(self.name, self.family, self.weights, self.settings, str(self.size))

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "identity": self.identity}


@runtime_checkable
class Generator(Protocol):
    """Makes RGB pictures from prompts. The same prompt and seed give the same picture, in any batch."""

    @property
    def card(self) -> GeneratorCard: ...

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> Sequence[Image | None]:
        """One picture for each prompt and seed, in order; None where there is none (missing, refused, failed)."""
        ...


@runtime_checkable
class Completing(Protocol):
    """A generator that also goes on from an image prompt."""

    def below(self, prompts: Sequence[str], tops: Sequence[Image], seeds: Sequence[int]) -> Sequence[Image | None]:
        """Whole pictures whose upper half is given: `tops` are twice as wide as high."""
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

    def draw(self, requests: Sequence[Request]) -> Sequence[Image | None]:
        """One picture a request, in order; None where it has none to give."""
        ...
