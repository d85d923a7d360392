"""A rectangle of a given picture drawn anew under a caption.

Tokens come in raster order, so the model continues a picture truly only where everything unknown comes after everything
known: whole rows down to the bottom, or as the paper shows it, a rectangle that reaches the bottom right corner. A
rectangle elsewhere is an extension: known tokens are forced when their turn comes, and those that come later cannot
guide those before. `Completed.native` says which it was; the likelihood of the whole stream can rank samples, as it
does see how well the later known tokens follow.

Known tokens are never changed. The picture is the decoder's for all tokens: pixels of known cells near the rectangle
can differ from the given ones by what the VAE loses and by its window; their tokens cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.errors import BenchError
from bench.generator.dalle.sampling import Sampling, draw_codes
from bench.generator.dalle.transformer import Transformer


@dataclass(frozen=True)
class Rectangle:
    """Cells of the token grid: `top` and `left` are in it, `bottom` and `right` are not."""

    top: int
    left: int
    bottom: int
    right: int

    def unknown(self, side: int) -> Tensor:
        """bool [side, side], True inside. Raises BenchError if empty or beyond the grid."""
        inside = 0 <= self.top < self.bottom <= side and 0 <= self.left < self.right <= side
        if not inside:
            raise BenchError(
                f"{self} is no rectangle of the grid of {side} x {side} tokens; "
                f"give 0 <= top < bottom <= {side} and 0 <= left < right <= {side}."
            )
        mask = torch.zeros(side, side, dtype=torch.bool)
        mask[self.top : self.bottom, self.left : self.right] = True
        return mask

    def is_native(self, side: int) -> bool:
        """Whether it reaches the bottom right corner, as in the paper."""
        return self.bottom == side and self.right == side


@dataclass(frozen=True)
class Completed:
    """Codes [n, side, side], whether the rectangle was native, and each stream's log-likelihood [n]."""

    codes: Tensor
    native: bool
    log_likelihood: Tensor


def complete(
    model: Transformer, words: Tensor, codes: Tensor, rectangle: Rectangle, seeds: Sequence[int], how: Sampling
) -> Completed:
    """Redraw the rectangle of each picture.

    Args:
        model: the transformer.
        words: caption ids [n, text].
        codes: the given pictures' codes [n, side, side].
        rectangle: what is drawn anew.
        seeds: one a picture.
        how: the choice of a token.
    """
    side = model.shape.side
    known = torch.where(rectangle.unknown(side), -1, codes).flatten(1)
    drawn = draw_codes(model, words, seeds, how, known=known)
    found = drawn.codes.view(-1, side, side)
    return Completed(found, rectangle.is_native(side), drawn.log_likelihood.sum(1))
