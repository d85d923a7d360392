"""Drawing image tokens one by one, each from what was drawn before (arXiv 2102.12092, section 2.6).

The paper samples at temperature 1 with no cut named. Keys and values of earlier positions are kept, so that a token
costs one position; `cached=False` computes every position anew (for tests and timings; same numbers to rounding).
Each picture has its own seed and random stream: it is the same alone and in any batch, up to rounding of the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.errors import BenchError
from bench.generator.dalle.transformer import Cache, Transformer


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen from its logits."""

    temperature: float = 1.0
    """0 takes the likeliest."""
    top_k: int | None = None
    """Only the k likeliest codes."""
    top_p: float | None = None
    """Only the likeliest codes that together have this probability (nucleus)."""

    def check(self) -> Sampling:
        """Raises BenchError for a value that means nothing."""
        if self.temperature < 0:
            raise BenchError(f"temperature={self.temperature} is negative; give 0 (likeliest) or more.")
        if self.top_k is not None and self.top_k < 1:
            raise BenchError(f"top_k={self.top_k} leaves no code to choose; give 1 or more, or none.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise BenchError(f"top_p={self.top_p} is no probability; give more than 0 and at most 1, or none.")
        return self

    def probabilities(self, logits: Tensor) -> Tensor:
        """float64 [n, code] that sum to 1. Ties at a cut are kept in the order of the codes."""
        if self.temperature == 0:
            return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
        found = torch.softmax(logits.double() / self.temperature, dim=-1)
        if self.top_k is None and self.top_p is None:
            return found
        ordered, places = found.sort(dim=-1, descending=True, stable=True)
        kept = torch.ones_like(ordered, dtype=torch.bool)
        if self.top_k is not None:
            kept[..., self.top_k :] = False
        if self.top_p is not None:
            kept &= ordered.cumsum(-1) - ordered < self.top_p  # the one that crosses the line is kept
        found = torch.zeros_like(found).scatter(-1, places, ordered * kept)
        return found / found.sum(-1, keepdim=True)


class Drawn(NamedTuple):
    """What was drawn."""

    codes: Tensor
    """int64 [n, image]"""
    log_likelihood: Tensor
    """Of each token under the model at temperature 1, [n, image]; forced tokens have theirs as well."""


@torch.no_grad()
def draw_codes(
    model: Transformer,
    words: Tensor,
    seeds: Sequence[int],
    how: Sampling,
    *,
    known: Tensor | None = None,
    cached: bool = True,
) -> Drawn:
    """Image tokens for captions.

    Args:
        model: the transformer.
        words: ids [n, text].
        seeds: one a picture.
        how: the choice of a token.
        known: codes [n, image] that are forced, -1 where a token is to be drawn.
        cached: keep keys and values.

    Raises:
        BenchError: a number of seeds other than that of captions, or settings that mean nothing.
    """
    if len(seeds) != len(words):
        raise BenchError(f"{len(words)} captions came with {len(seeds)} seeds; give one seed a picture.")
    how.check()
    chances = np.stack([np.random.default_rng([seed, 5]).random(model.shape.image) for seed in seeds])
    uniform = torch.from_numpy(chances)
    codes = torch.zeros(len(words), model.shape.image, dtype=torch.int64)
    likelihood = torch.zeros(len(words), model.shape.image)
    cache = Cache(model.shape, len(words), model.start) if cached else None
    x = model.prefix(words)
    for place in range(model.shape.image):
        logits = model.to_codes(model.stream(x, cache)[:, -1]).float()
        chosen = _choose(how.probabilities(logits), uniform[:, place])
        if known is not None:
            chosen = torch.where(known[:, place] >= 0, known[:, place], chosen)
        codes[:, place] = chosen
        likelihood[:, place] = torch.log_softmax(logits, dim=-1).gather(1, chosen[:, None])[:, 0]
        newest = model.image_vectors(chosen[:, None], place)
        x = newest if cached else torch.cat([x, newest], dim=1)
    return Drawn(codes, likelihood)


def _choose(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """The code whose share of the unit interval holds the random number [n]; never one of no probability."""
    ends = probabilities.cumsum(-1)
    picked = torch.searchsorted(ends, (uniform * ends[:, -1])[:, None], right=True)[:, 0]
    last = (probabilities > 0).long().cumsum(-1).argmax(-1)
    return torch.minimum(picked, last)
