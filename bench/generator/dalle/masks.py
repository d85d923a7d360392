"""Who may look at whom: the sparse attention of DALL-E (arXiv 2102.12092, appendix B.1, figure 11).

Text is causal, every image token sees all text in every layer, and among image tokens, with q - k the distance back in
raster order and `side` the tokens of a row:

| kind        | an image token sees                                                  | layers of 64 |
|-------------|----------------------------------------------------------------------|--------------|
| row         | 0 to `side` back: to the same column of the row above                | 47           |
| column      | its own column, upwards                                              | 16           |
| convolution | the causal half of a `kernel` x `kernel` window around it            | 1, the last  |

Choice: "with wraparound, similar to the row masks" is read in raster order, so that a window that leaves the grid on
one side goes on in the neighbouring row (ruDALL-E wraps within the row instead).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

LayerKind = Literal["row", "column", "convolution"]


def layer_kinds(layers: int) -> tuple[LayerKind, ...]:
    """The published order: layer i (from 1) is column if (i - 2) mod 4 is 0, else row; the last is convolutional."""
    inner: list[LayerKind] = ["column" if (number - 2) % 4 == 0 else "row" for number in range(1, layers)]
    return (*inner, "convolution")


def image_mask(kind: LayerKind, side: int, kernel: int) -> Tensor:
    """bool [side^2 query, side^2 key]: True where the query may see the key."""
    place = torch.arange(side * side)
    back = place[:, None] - place[None, :]
    if kind == "row":
        return (back >= 0) & (back <= side)
    if kind == "column":
        return (back >= 0) & (back % side == 0)
    half = kernel // 2
    rows, columns = torch.arange(half + 1), torch.arange(-half, half + 1)
    window = (rows[:, None] * side + columns).flatten()
    return (back >= 0) & torch.isin(back, window)


def stream_mask(kind: LayerKind, text: int, side: int, kernel: int) -> Tensor:
    """bool [stream, stream] over start, text and all image tokens but the last, which nothing is predicted from."""
    length = 1 + text + side * side
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    mask[1 + text :, 1 + text :] = image_mask(kind, side, kernel)
    return mask[:-1, :-1]
