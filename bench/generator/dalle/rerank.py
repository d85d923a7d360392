"""The best of N samples by a contrastive model (arXiv 2102.12092, sections 2.6 and 3.1).

What that gains, by a judge who is never the reranker: `bench.metrics.reranking`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    from PIL.Image import Image


class Scorer(Protocol):
    """What reranking needs of a `bench.model.Encoder`: vectors of unit length."""

    def encode_images(self, images: Sequence[Image]) -> np.ndarray: ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray: ...


def scores(encoder: Scorer, prompt: str, pictures: Sequence[Image]) -> np.ndarray:
    """Cosine of each picture with the prompt, float [picture]."""
    found: np.ndarray = encoder.encode_images(pictures) @ encoder.encode_texts([prompt])[0]
    return found


def best(encoder: Scorer, prompt: str, pictures: Sequence[Image], keep: int = 1) -> list[int]:
    """Places of the `keep` pictures that fit best, best first; ties in the given order."""
    if not 1 <= keep <= len(pictures):
        raise BenchError(f"keep={keep} of {len(pictures)} pictures; give 1 to {len(pictures)}.")
    return [int(place) for place in np.argsort(-scores(encoder, prompt, pictures), kind="stable")[:keep]]
