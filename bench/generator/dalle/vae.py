"""The discrete VAE of DALL-E: a picture to a grid of codes an eighth as wide, and back.

Sources: Ramesh et al. 2021 (arXiv 2102.12092), section 2.1 and appendix A; the names, widths and kernels are those of
OpenAI's published encoder and decoder, so that their weights load (`convert`). At the published size the encoder has 74
tensors and 53,786,240 weights, the decoder 76 and 43,829,766.

    pixels [n, 3, 8h, 8w] in 0..1 -> encoder -> logits [n, vocab, h, w] -> argmax -> codes [n, h, w]
    codes -> one-hot -> decoder -> [n, 6, 8h, 8w]: 3 means and 3 log-scales of the logit-Laplace distribution

Differences: the published modules switch to half precision on a GPU and check shapes on each call; here the caller
decides on precision. `Vae.loss` trains as the paper says (Gumbel-softmax, logit-Laplace, KL to the uniform prior).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 0.1
"""Pixels are mapped to (0.1, 0.9) before the logit, which is unbounded at 0 and 1."""


@dataclass(frozen=True)
class VaeShape:
    """Sizes; the defaults are the published ones."""

    width: int = 256
    """Channels of the first group (n_hid); the next groups have 2, 4 and 8 times as many."""
    blocks: int = 2
    """Residual blocks a group."""
    vocab: int = 8192
    start: int = 128
    """Channels that the decoder first makes of a code (n_init)."""
    groups: int = 4
    gain: float = 1 / 64
    """Factor on each residual path; published as 1 / layers ^ 2."""

    @property
    def factor(self) -> int:
        """Pixels a code covers along a side: 8."""
        return 1 << (self.groups - 1)


class Conv(nn.Module):
    """A convolution that keeps the size; its tensors are called `w` [out, in, kernel, kernel] and `b` [out]."""

    def __init__(self, inward: int, outward: int, kernel: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(outward, inward, kernel, kernel) / math.sqrt(inward * kernel**2))
        self.b = nn.Parameter(torch.zeros(outward))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.w, self.b, padding=self.w.shape[-1] // 2)


class Block(nn.Module):
    """x + gain * path(x): four ReLU-convolution pairs at a quarter of the width."""

    def __init__(self, inward: int, outward: int, kernels: tuple[int, ...], gain: float) -> None:
        super().__init__()
        self.gain = gain
        self.id_path = Conv(inward, outward, 1) if inward != outward else nn.Identity()
        widths = (inward, outward // 4, outward // 4, outward // 4, outward)
        path: OrderedDict[str, nn.Module] = OrderedDict()
        for number, kernel in enumerate(kernels, start=1):
            path[f"relu_{number}"] = nn.ReLU()
            path[f"conv_{number}"] = Conv(widths[number - 1], widths[number], kernel)
        self.res_path = nn.Sequential(path)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.id_path(x) + self.gain * self.res_path(x)
        return out


def _groups(widths: list[int], shape: VaeShape, kernels: tuple[int, ...], between: nn.Module) -> list[nn.Module]:
    """Groups of blocks; `between` changes the resolution after all but the last."""
    groups: list[nn.Module] = []
    for number, (inward, outward) in enumerate(pairwise(widths), start=1):
        inner: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, shape.blocks + 1):
            inner[f"block_{block}"] = Block(inward if block == 1 else outward, outward, kernels, shape.gain)
        if number < len(widths) - 1:
            inner["resize"] = between
        groups.append(nn.Sequential(inner))
    return groups


def _stack(first: nn.Module, groups: list[nn.Module], last: nn.Module) -> nn.Sequential:
    named = OrderedDict(
        [("input", first)]
        + [(f"group_{number}", group) for number, group in enumerate(groups, start=1)]
        + [("output", nn.Sequential(OrderedDict(relu=nn.ReLU(), conv=last)))]
    )
    return nn.Sequential(named)


class Encoder(nn.Module):
    """Mapped pixels [n, 3, 8h, 8w] -> logits over codes [n, vocab, h, w]."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        w = shape.width
        widths = [w, *(w * 2**g for g in range(shape.groups))]
        self.blocks = _stack(
            Conv(3, w, 7),
            _groups(widths, shape, (3, 3, 3, 1), nn.MaxPool2d(2)),
            Conv(widths[-1], shape.vocab, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.blocks(x)
        return out


class Decoder(nn.Module):
    """Weights over codes [n, vocab, h, w] (one-hot, or soft in training) -> 6 channels [n, 6, 8h, 8w]."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        widths = [shape.start, *(shape.width * 2**g for g in reversed(range(shape.groups)))]
        self.blocks = _stack(
            Conv(shape.vocab, shape.start, 1),
            _groups(widths, shape, (1, 3, 3, 3), nn.Upsample(scale_factor=2, mode="nearest")),
            Conv(shape.width, 6, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.blocks(x)
        return out


class VaeLoss(NamedTuple):
    """Per pixel value, so that KL of one image is divided by height x width x 3 as well."""

    total: Tensor
    likelihood: Tensor
    kl: Tensor
    """Nats a picture."""


class Vae(nn.Module):
    """Both halves."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """Pixels in 0..1 [n, 3, 8h, 8w] -> codes, int64 [n, h, w]."""
        codes: Tensor = self.encoder(map_pixels(pixels)).argmax(1)
        return codes

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Codes [n, h, w] -> pixels in 0..1 [n, 3, 8h, 8w]."""
        weights = next(self.decoder.parameters())
        one_hot = F.one_hot(codes, self.shape.vocab).permute(0, 3, 1, 2).to(weights.dtype)
        return unmap_pixels(torch.sigmoid(self.decoder(one_hot)[:, :3]))

    def loss(self, pixels: Tensor, *, temperature: float, kl_weight: float) -> VaeLoss:
        """Negative evidence bound of pictures in 0..1, with codes relaxed at `temperature`."""
        logits, output = self.relaxed(pixels, temperature=temperature)
        return self.bound(pixels, logits, output, kl_weight=kl_weight)

    def relaxed(self, pixels: Tensor, *, temperature: float) -> tuple[Tensor, Tensor]:
        """Logits over codes [n, vocab, h, w], and what the decoder makes of Gumbel-softmax samples of them."""
        logits = self.encoder(map_pixels(pixels)).float()
        return logits, self.decoder(F.gumbel_softmax(logits, tau=temperature, dim=1)).float()

    def bound(self, pixels: Tensor, logits: Tensor, output: Tensor, *, kl_weight: float) -> VaeLoss:
        """The loss, from these outputs."""
        likelihood = -logit_laplace(map_pixels(pixels), output).mean()
        log_q = F.log_softmax(logits, dim=1)
        kl = (log_q.exp() * (log_q + math.log(self.shape.vocab))).sum((1, 2, 3)).mean()
        return VaeLoss(likelihood + kl_weight * kl / pixels[0].numel(), likelihood, kl)


def map_pixels(pixels: Tensor) -> Tensor:
    """0..1 to 0.1..0.9."""
    return (1 - 2 * EPSILON) * pixels + EPSILON


def unmap_pixels(mapped: Tensor) -> Tensor:
    """The inverse, clamped to 0..1."""
    return ((mapped - EPSILON) / (1 - 2 * EPSILON)).clamp(0, 1)


def logit_laplace(mapped: Tensor, output: Tensor) -> Tensor:
    """Log-density of each mapped pixel value [n, 3, h, w] under the decoder's output [n, 6, h, w] (equation 2)."""
    mean, log_scale = output.chunk(2, dim=1)
    distance = (torch.logit(mapped) - mean).abs()
    return -distance * torch.exp(-log_scale) - log_scale - math.log(2) - torch.log(mapped * (1 - mapped))
