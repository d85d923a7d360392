"""Generators: things that make pictures from words, or from a scene whose truth is known.

A generator is one module here plus one YAML under `conf/generator/`. To add one, write a class with `card` and
`generate`; nothing else needs to know it.

| module        | what it is                                                                      |
|---------------|---------------------------------------------------------------------------------|
| dalle/        | the bundled DALL-E: discrete VAE, transformer, sampling, completion, reranking  |
| folder        | pictures already made by any system, with a manifest                            |
| scenes        | our own renderer: exact truth, no model, no download; the bundled tasks draw it |
| compositions  | captioned scenes in three tiers, with several wordings each                     |
| reader        | reads such scenes back from pixels; `verdicts` holds them against what was asked |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image


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


@runtime_checkable
class Generator(Protocol):
    """Makes RGB pictures from prompts. The same prompt and seed give the same picture, in any batch."""

    card: GeneratorCard

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | None]:
        """One picture for each prompt and seed, in order; None where there is none (missing, refused, failed)."""
        ...
