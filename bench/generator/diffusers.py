"""Any text-to-image pipeline of the diffusers library (extra: generators). Loaded where it is first used.

A seed is a generator of its own for each picture, made on the CPU, so that a picture does not depend on its batch or
device but for rounding. A picture that a safety checker blacks out comes back blank, and is counted as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from bench.generator import GeneratorCard

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Diffusers:
    """A pipeline by name or folder. `settings` go to its call (num_inference_steps, guidance_scale, height ...)."""

    name: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    settings: dict[str, Any] = field(default_factory=dict)
    pipeline: Any = None
    """A pipeline that is loaded already."""

    @property
    def card(self) -> GeneratorCard:
        said = "; ".join(f"{key} {value!r}" for key, value in sorted(self.settings.items()))
        return GeneratorCard(self.name, "diffusers", f"revision {self.revision}", f"{said}; {self.dtype}")

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        import torch

        dice = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        made = self._pipeline(prompt=list(prompts), generator=dice, **dict(self.settings))
        pictures: list[Image] = list(made.images)
        if len(pictures) != len(prompts):
            raise BenchError(
                f"Pipeline {self.name!r} gave {len(pictures)} pictures for {len(prompts)} prompts; it must "
                "give one a prompt (generator.settings.num_images_per_prompt is 1)."
            )
        return pictures

    @cached_property
    def _pipeline(self) -> Any:
        if self.pipeline is not None:
            return self.pipeline
        import torch

        try:
            from diffusers import DiffusionPipeline
        except ImportError as error:
            raise BenchError(
                "generator=diffusers needs the diffusers library: pip install 'zeroshot-bench[generators]'."
            ) from error
        device = ("cuda" if torch.cuda.is_available() else "cpu") if self.device == "auto" else self.device
        dtype = {"auto": torch.float16 if device.startswith("cuda") else torch.float32}.get(self.dtype) or getattr(
            torch, self.dtype
        )
        try:
            loaded = DiffusionPipeline.from_pretrained(self.name, revision=self.revision, torch_dtype=dtype)
        except (OSError, ValueError) as error:
            raise BenchError(
                f"Pipeline {self.name!r} cannot be loaded: {str(error).splitlines()[0]} Give the name of a "
                "repository on the hub that is at hand, or a folder."
            ) from error
        return loaded.to(device)
