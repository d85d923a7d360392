"""The transformer of DALL-E: one stream of text and image tokens, each predicted from those before it.

Source: Ramesh et al. 2021 (arXiv 2102.12092), sections 2.2 and 2.3, appendix B. The default `DalleShape` is the
published one: 64 layers x 62 heads x 64, 256 text and 1,024 image tokens: 12.3 billion weights with all tables.

    stream:   start  t1 ... t256  i1 ... i1023        1,280 positions in
    predicts: t1     t2 ... i1    i2 ... i1024        the last text position predicts the first image token

What the paper leaves open, and our choice:

| question                          | here                                                                          |
|-----------------------------------|-------------------------------------------------------------------------------|
| start-of-text and start-of-image  | one start vector in front; none before the image, so that 1,280 positions hold |
| pad vectors and positions         | the pad vector of a position stands alone; the text position is not added     |
| loss at pads                      | none: text loss is the mean over the real tokens                              |
| norms                             | before each part and at the end                                               |
| activation                        | GELU                                                                          |
| biases                            | in every linear map but the two output tables                                 |
| output tables                     | one for text, one for images, apart from the input tables                     |

Attention is computed densely under the masks of `masks`: the same function as the paper's sparse kernels, at the speed
of a dense one. Mixed precision, gradient scaling per block and gradient compression are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.generator.dalle.masks import layer_kinds, stream_mask

TEXT_WEIGHT, IMAGE_WEIGHT = 1 / 8, 7 / 8


@dataclass(frozen=True)
class DalleShape:
    """Sizes; the defaults are the published ones."""

    text: int = 256
    """Text positions."""
    words: int = 16384
    side: int = 32
    """Image tokens of a row."""
    codes: int = 8192
    layers: int = 64
    heads: int = 62
    head: int = 64
    kernel: int = 11
    """Window of the convolutional layer."""

    @property
    def width(self) -> int:
        return self.heads * self.head

    @property
    def image(self) -> int:
        """Image tokens."""
        return self.side**2

    @property
    def stream(self) -> int:
        """Positions in: start, text, all image tokens but the last."""
        return self.text + self.image


class Cache:
    """Keys and values of the positions seen so far, [layer, 2, sample, head, position, head width]."""

    def __init__(self, shape: DalleShape, samples: int, like: Tensor) -> None:
        sizes = (shape.layers, 2, samples, shape.heads, shape.stream, shape.head)
        self.kept = like.new_zeros(sizes)
        self.length = 0

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store those of new positions; all up to the newest."""
        end = self.length + keys.shape[2]
        kept = self.kept[layer]
        kept[0, :, :, self.length : end], kept[1, :, :, self.length : end] = keys, values
        return kept[0, :, :, :end], kept[1, :, :, :end]


class Attention(nn.Module):
    """Causal attention under a mask."""

    def __init__(self, shape: DalleShape) -> None:
        super().__init__()
        self.heads, self.head = shape.heads, shape.head
        self.inward = nn.Linear(shape.width, 3 * shape.width)
        self.outward = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, mask: Tensor, cache: Cache | None, layer: int) -> Tensor:
        samples, length, width = x.shape
        queries, keys, values = (
            part.view(samples, length, self.heads, self.head).transpose(1, 2) for part in self.inward(x).chunk(3, dim=2)
        )
        if cache is not None:
            keys, values = cache.extend(layer, keys, values)
        found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        out: Tensor = self.outward(found.transpose(1, 2).reshape(samples, length, width))
        return out


class Block(nn.Module):
    """Attention and a perceptron four times as wide, each added to the stream."""

    def __init__(self, shape: DalleShape) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.attention = Attention(shape)
        self.wide, self.narrow = nn.Linear(shape.width, 4 * shape.width), nn.Linear(4 * shape.width, shape.width)

    def forward(self, x: Tensor, mask: Tensor, cache: Cache | None, layer: int) -> Tensor:
        x = x + self.attention(self.norm_1(x), mask, cache, layer)
        out: Tensor = x + self.narrow(F.gelu(self.wide(self.norm_2(x))))
        return out


class DalleLoss(NamedTuple):
    """Cross-entropies in nats a token, and their weighted sum."""

    total: Tensor
    text: Tensor
    image: Tensor


class Transformer(nn.Module):
    """Logits of text and image tokens. Word ids [n, text] have -1 where the caption has ended."""

    def __init__(self, shape: DalleShape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.start = nn.Parameter(torch.zeros(width))
        self.words, self.codes = nn.Embedding(shape.words, width), nn.Embedding(shape.codes, width)
        self.pads = nn.Parameter(torch.zeros(shape.text, width))
        self.places = nn.Parameter(torch.zeros(shape.text, width))
        self.rows = nn.Parameter(torch.zeros(shape.side, width))
        self.columns = nn.Parameter(torch.zeros(shape.side, width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(width)
        self.to_words = nn.Linear(width, shape.words, bias=False)
        self.to_codes = nn.Linear(width, shape.codes, bias=False)
        self.kinds = layer_kinds(shape.layers)
        for kind in sorted(set(self.kinds)):
            mask = stream_mask(kind, shape.text, shape.side, shape.kernel)
            self.register_buffer(f"mask_{kind}", mask, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Normal with deviation 0.02; what writes into the stream is smaller the deeper the model (GPT-2)."""
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                deep = name.endswith(("outward.weight", "narrow.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * self.shape.layers) ** 0.5 if deep else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def prefix(self, words: Tensor) -> Tensor:
        """Vectors of start and text [n, 1 + text, width]."""
        real = (words >= 0)[:, :, None]
        text = torch.where(real, self.words(words.clamp(min=0)) + self.places, self.pads)
        return torch.cat([self.start.expand(len(words), 1, -1), text], dim=1)

    def image_vectors(self, codes: Tensor, first: int = 0) -> Tensor:
        """Vectors of image tokens from place `first` on: codes [n, k] -> [n, k, width]."""
        place = torch.arange(first, first + codes.shape[1], device=codes.device)
        found: Tensor = self.codes(codes) + self.rows[place // self.shape.side] + self.columns[place % self.shape.side]
        return found

    def stream(self, x: Tensor, cache: Cache | None = None) -> Tensor:
        """Vectors of consecutive positions -> what is predicted from [n, k, width]; a cache holds those before."""
        first = 0 if cache is None else cache.length
        end = first + x.shape[1]
        for layer, (block, kind) in enumerate(zip(self.blocks, self.kinds, strict=True)):
            x = block(x, getattr(self, f"mask_{kind}")[first:end, :end], cache, layer)
        if cache is not None:
            cache.length = end
        out: Tensor = self.norm(x)
        return out

    def forward(self, words: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Word ids [n, text], codes [n, image] -> logits of words [n, text, words] and codes [n, image, codes]."""
        x = torch.cat([self.prefix(words), self.image_vectors(codes[:, :-1])], dim=1)
        x = self.stream(x)
        return self.to_words(x[:, : self.shape.text]), self.to_codes(x[:, self.shape.text :])

    def loss(self, words: Tensor, codes: Tensor) -> DalleLoss:
        """1/8 text + 7/8 image, each the mean over its tokens."""
        of_words, of_codes = self(words, codes)
        text = F.cross_entropy(of_words.flatten(0, 1).float(), words.flatten(), ignore_index=-1)
        image = F.cross_entropy(of_codes.flatten(0, 1).float(), codes.flatten())
        return DalleLoss(TEXT_WEIGHT * text + IMAGE_WEIGHT * image, text, image)
