"""Our own renderer as a generator: it draws the stored truth, so that every score has its line of perfection.

It has nothing to give where a prompt is outside its world (`Prompt.scene` is None), and says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.generator import GeneratorCard, Request, brush, outlines, scenes, vocabulary
from bench.generator.prompts import Prompt
from bench.generator.scenes import draw
from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Renderer:
    """`size`: side of the pictures in pixels."""

    size: int = 128

    @property
    def card(self) -> GeneratorCard:
        code = digest(*map(inspect.getsource, (brush, outlines, scenes, vocabulary)))
        return GeneratorCard(
            "scenes",
            "renderer",
            code,
            size=self.size,
            licence="MIT",
            notes=("draws the stored truth: the line of perfection",),
        )

    def draw(self, requests: Sequence[Request]) -> list[Image | None]:
        return [
            None if one.prompt.scene is None else draw(one.prompt.scene, size=self.size, seed=one.seed)
            for one in requests
        ]


def upper_half(prompt: Prompt, *, size: int, seed: int) -> Image | None:
    """The image prompt: `size` x `size` / 2 pixels, to be kept as the upper half of the picture; None without one."""
    if prompt.given is None:
        return None
    return draw(prompt.given, size=size, seed=seed).crop((0, 0, size, size // 2))
