"""Generators: things that make pictures from words, or from a scene whose truth is known.

A generator is one file here plus one YAML under `conf/generator/`. To add one, write a class with `name` and
`generate`; nothing else needs to know it. `scenes` is our own renderer: exact truth, no model, no download.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL.Image import Image


@runtime_checkable
class Generator(Protocol):
    """Makes one RGB picture from one prompt. The same prompt and seed give the same picture."""

    name: str

    def generate(self, prompt: str, *, seed: int) -> Image:
        """The picture for this prompt."""
        ...
