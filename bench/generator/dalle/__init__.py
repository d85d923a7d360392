"""DALL-E (Ramesh et al. 2021, arXiv 2102.12092), small but whole: the generator.

| module      | what it holds                                                    |
|-------------|------------------------------------------------------------------|
| vae         | pictures to codes and back                                       |
| words       | captions to word ids                                             |
| masks       | the sparse attention patterns                                    |
| transformer | one stream of text and image tokens                              |
| sampling    | token by token, with a cache                                     |
| completion  | a rectangle of a given picture drawn anew                        |
| rerank      | the best of N by an encoder, and the gain over N                 |
| checkpoint  | the bundled weights and their card                               |
| convert     | OpenAI's and FLAVA's VAE as safetensors, nothing run             |

It was taught a small world: eight shapes in eight colours, with sizes, textures, counts, relations, stacks and
garments (`bench.generator.compositions`). Words it never saw it cannot draw; `strange` names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.generator import GeneratorCard

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from bench.generator.dalle.checkpoint import Checkpoint
    from bench.generator.dalle.completion import Completed, Rectangle
    from bench.generator.dalle.sampling import Sampling


class Dalle:
    """A checkpoint that draws. `path` is a folder with `card.json` and `model.safetensors`; none is the bundled one.

    `temperature`: none takes that of the card.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        batch_size: int = 64,
    ) -> None:
        self.path, self.batch_size = path, batch_size
        self.temperature, self.top_k, self.top_p = temperature, top_k, top_p

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The models; read on first use."""
        from bench.generator.dalle.checkpoint import BUNDLED, load

        return load(Path(self.path) if self.path is not None else BUNDLED)

    @cached_property
    def how(self) -> Sampling:
        """How tokens are chosen. Raises BenchError for settings that mean nothing."""
        from bench.generator.dalle.sampling import Sampling

        temperature = self.checkpoint.card.temperature if self.temperature is None else self.temperature
        return Sampling(temperature, self.top_k, self.top_p).check()

    @cached_property
    def card(self) -> GeneratorCard:
        """What draws."""
        card = self.checkpoint.card
        settings = f"temperature {self.how.temperature:g}; top-k {self.how.top_k}; top-p {self.how.top_p}"
        return GeneratorCard(card.name, "dalle", card.weights, settings, card.side, card.licence)

    def at(self, temperature: float) -> Dalle:
        """The same checkpoint at another temperature."""
        other = Dalle(self.path, temperature=temperature, top_k=self.top_k, top_p=self.top_p,
                      batch_size=self.batch_size)  # fmt: skip
        other.checkpoint = self.checkpoint
        return other

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | None]:
        """A picture for each prompt and seed."""
        from bench.generator.dalle.checkpoint import pictures
        from bench.generator.dalle.sampling import draw_codes

        if len(prompts) != len(seeds):
            raise BenchError(f"{len(prompts)} prompts came with {len(seeds)} seeds; give one seed a prompt.")
        model, found = self.checkpoint, []
        side = model.card.transformer.side
        for start in range(0, len(prompts), self.batch_size):
            part = slice(start, start + self.batch_size)
            drawn = draw_codes(model.transformer, self.words(prompts[part]), seeds[part], self.how)
            found += pictures(model.vae, drawn.codes.view(-1, side, side))
        return found

    def complete(
        self, prompts: Sequence[str], given: Sequence[Image], rectangle: Rectangle, seeds: Sequence[int]
    ) -> tuple[list[Image], Completed]:
        """The given pictures with a rectangle of cells drawn anew, and the tokens with what is to be known of them."""
        from bench.generator.dalle.checkpoint import pictures
        from bench.generator.dalle.completion import complete

        model = self.checkpoint
        done = complete(model.transformer, self.words(prompts), self.codes(given), rectangle, seeds, self.how)
        return pictures(model.vae, done.codes), done

    def below(self, prompts: Sequence[str], tops: Sequence[Image], seeds: Sequence[int]) -> list[Image]:
        """Whole pictures whose upper half is given (`tops` are twice as wide as high): native completion."""
        from PIL import Image as Pictures

        from bench.generator.dalle.completion import Rectangle

        whole = []
        for top in tops:
            canvas = Pictures.new("RGB", (top.width, top.width), "white")
            canvas.paste(top)
            whole.append(canvas)
        side = self.checkpoint.card.transformer.side
        return self.complete(prompts, whole, Rectangle(side // 2, 0, side, side), seeds)[0]

    def codes(self, given: Sequence[Image]) -> torch.Tensor:
        """Codes of pictures, int64 [n, h, w]; each is scaled to the model's size."""
        import torch

        side = self.checkpoint.card.side
        scaled = [np.asarray(one.convert("RGB").resize((side, side)), dtype=np.float32) / 255 for one in given]
        return self.checkpoint.vae.encode(torch.from_numpy(np.stack(scaled)).permute(0, 3, 1, 2))

    def decode(self, codes: torch.Tensor) -> list[Image]:
        """Codes [n, h, w] -> pictures: what the VAE leaves of a picture is `decode(codes([picture]))`."""
        from bench.generator.dalle.checkpoint import pictures

        return pictures(self.checkpoint.vae, codes)

    def words(self, prompts: Sequence[str]) -> torch.Tensor:
        """Word ids of prompts, int64 [n, text]."""
        import torch

        return torch.from_numpy(self.checkpoint.card.vocabulary(prompts))

    def strange(self, prompt: str) -> list[str]:
        """Words of the prompt that the model does not see."""
        return self.checkpoint.card.vocabulary.strange(prompt)
