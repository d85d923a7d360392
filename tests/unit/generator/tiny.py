"""A DALL-E of a few thousand weights, the same each time."""

from __future__ import annotations

import torch

from bench.generator.dalle.transformer import DalleShape, Transformer

TINY = DalleShape(text=5, words=11, side=4, codes=13, layers=4, heads=2, head=8, kernel=3)


def tiny_transformer(shape: DalleShape = TINY, seed: int = 0) -> Transformer:
    """Random weights large enough that every part of the model matters."""
    torch.manual_seed(seed)
    model = Transformer(shape)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return model.eval()


def tiny_words(samples: int = 3, shape: DalleShape = TINY, seed: int = 1) -> torch.Tensor:
    """Captions of different lengths, padded with -1."""
    words = torch.randint(shape.words, (samples, shape.text), generator=torch.Generator().manual_seed(seed))
    for row in range(samples):
        words[row, 2 + row % (shape.text - 1) :] = -1
    return words


def tiny_codes(samples: int = 3, shape: DalleShape = TINY, seed: int = 2) -> torch.Tensor:
    return torch.randint(shape.codes, (samples, shape.image), generator=torch.Generator().manual_seed(seed))
