"""Train the small discrete VAE: Gumbel-softmax, logit-Laplace (arXiv 2102.12092, appendix A.2), scaled to one core.

As published: cosine temperature down to 1/16, a KL weight raised from 0, AdamW with 0.9 and 0.999 and decay 1e-4, the
running mean of the weights. Scaled down: width, codes, steps; the KL weight (6.6 there) is `kl` here. Departures,
without the first of which a run this short ends with two codes in use:

- `Warm`: first the same network without codes, its middle joined by one linear map. Its features are then clustered,
  and the encoder's last and the decoder's first layer set so that argmax picks the nearest centre (`quantise`). Only
  then does the published training begin, at temperature `warmest`.
- The squared error of pixels is added, and weighs most: the likelihood is won on the empty ground, whose scale can
  shrink for long, and for the first hundreds of steps it teaches nothing about shapes.
- Drawn pictures are flat, so their likelihood has no upper bound: pixels get uniform noise of +-`NOISE`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.generator.dalle.vae import Conv, Vae, VaeShape, logit_laplace, map_pixels
from bench.training.loop import Loop, Schedule

SHAPE = VaeShape(width=32, blocks=1, vocab=1024, start=64, gain=0.5)
NOISE = 0.02
ERROR_WEIGHT, LIKELIHOOD_WEIGHT = 100.0, 0.1


@dataclass(frozen=True)
class VaeSettings:
    """What decides a run."""

    shape: VaeShape = SHAPE
    warm: Schedule = field(
        default_factory=lambda: Schedule(steps=800, batch=32, rate=4e-3, warm_up=40, mean=0.99, precision="bfloat16")
    )
    schedule: Schedule = field(
        default_factory=lambda: Schedule(steps=1600, batch=32, rate=1.5e-3, mean=0.995, precision="bfloat16")
    )
    kl: float = 0.3
    warmest: float = 0.5
    coldest: float = 1 / 16
    cooled: float = 0.8
    """Share of the run after which the temperature stays."""


class Bridge(nn.Module):
    """The VAE with a linear map in the place of codes."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        self.vae = Vae(shape)
        self.map = Conv(shape.width * 2 ** (shape.groups - 1), shape.start, 1)

    def features(self, pixels: Tensor) -> Tensor:
        """Pixels in 0..1 -> what the encoder's last layer reads [n, 8 width, h, w]."""
        blocks = self.vae.encoder.blocks
        return F.relu(blocks[:-1](map_pixels(pixels)))

    def forward(self, pixels: Tensor) -> Tensor:
        """The decoder's six channels."""
        out: Tensor = self.vae.decoder.blocks[1:](self.map(self.features(pixels)))
        return out.float()


class WarmLoop(Loop):
    """The VAE without codes in training on uint8 pictures [n, 3, side, side]."""

    def __init__(self, settings: VaeSettings, pixels: np.ndarray, state: Path) -> None:
        torch.manual_seed(settings.warm.seed)
        self.pixels = pixels
        super().__init__(Bridge(settings.shape).to(memory_format=torch.channels_last), settings.warm, state)

    def loss(self, generator: torch.Generator) -> dict[str, Tensor]:
        pixels = _batch(self.pixels, self.schedule.batch, generator)
        output = self.model(pixels)
        mean, log_scale = output.chunk(2, dim=1)
        error = _squared_error(pixels, output)
        scales = torch.cat([mean.detach(), log_scale], dim=1)  # the likelihood teaches only these here
        likelihood = -logit_laplace(map_pixels(pixels), scales).mean()
        return {
            "total": ERROR_WEIGHT * error + LIKELIHOOD_WEIGHT * likelihood,
            "error": error,
            "likelihood": likelihood,
        }


@torch.no_grad()
def quantise(bridge: Bridge, pixels: np.ndarray, *, sharpness: float = 4.0, seed: int = 0) -> Vae:
    """Codes from clusters of the features: argmax is the nearest centre, and the decoder gets the centre's map.

    Of all cells the 60 % that differ most from the commonest (the empty ground) are clustered. The logits are minus
    squared distances over the mean squared distance to the own centre, times `sharpness`.
    """
    from sklearn.cluster import MiniBatchKMeans

    vae, cells = bridge.vae, _cells(bridge, pixels)
    ground = np.abs(cells - np.median(cells, axis=0)).sum(1)
    kept = cells[np.argsort(-ground)[: int(0.6 * len(cells))]]
    kmeans = MiniBatchKMeans(vae.shape.vocab, batch_size=4096, n_init=1, max_iter=20, random_state=seed).fit(kept)
    centres = torch.from_numpy(kmeans.cluster_centers_).float()
    factor = sharpness * len(kept) / float(kmeans.inertia_)
    last, first = vae.encoder.get_submodule("blocks.output.conv"), vae.decoder.get_submodule("blocks.input")
    assert isinstance(last, Conv)
    assert isinstance(first, Conv)
    last.w.copy_((2 * factor * centres)[:, :, None, None])
    last.b.copy_(-factor * (centres**2).sum(1))
    first.w.copy_((bridge.map.w[:, :, 0, 0] @ centres.T)[:, :, None, None])
    first.b.copy_(bridge.map.b)
    return vae


def _cells(bridge: Bridge, pixels: np.ndarray) -> np.ndarray:
    """What the encoder's last layer reads of every cell of uint8 pictures [cell, 8 width]."""
    parts = []
    for start in range(0, len(pixels), 128):
        features = bridge.features(torch.from_numpy(pixels[start : start + 128]).float() / 255)
        parts.append(features.permute(0, 2, 3, 1).flatten(0, 2))
    return torch.cat(parts).numpy()


def _squared_error(pixels: Tensor, output: Tensor) -> Tensor:
    """Mean over mapped pixel values."""
    return ((torch.sigmoid(output[:, :3]) - map_pixels(pixels)) ** 2).mean()


def _batch(pixels: np.ndarray, count: int, generator: torch.Generator) -> Tensor:
    """Random pictures in 0..1 with noise, so that flat paint has a bounded likelihood."""
    chosen = torch.randint(len(pixels), (count,), generator=generator).numpy()
    found = torch.from_numpy(pixels[chosen]).float() / 255
    found += (torch.rand(found.shape, generator=generator) * 2 - 1) * NOISE
    return found.clamp(0, 1).contiguous(memory_format=torch.channels_last)


class VaeLoop(Loop):
    """The VAE in training on uint8 pictures, from where `quantise` left it."""

    def __init__(self, settings: VaeSettings, vae: Vae, pixels: np.ndarray, state: Path) -> None:
        self.settings, self.pixels = settings, pixels
        super().__init__(vae.to(memory_format=torch.channels_last), settings.schedule, state)

    def loss(self, generator: torch.Generator) -> dict[str, Tensor]:
        pixels = _batch(self.pixels, self.schedule.batch, generator)
        assert isinstance(self.model, Vae)
        weight = self.settings.kl * min(1.0, self.progress() / 0.1)
        logits, output = self.model.relaxed(pixels, temperature=self.temperature())
        found = self.model.bound(pixels, logits, output, kl_weight=weight)
        error = _squared_error(pixels, output)
        return {"total": ERROR_WEIGHT * error + LIKELIHOOD_WEIGHT * found.total, "error": error, "kl": found.kl}

    def temperature(self) -> float:
        """From the warmest to the coldest by half a cosine."""
        done = min(self.progress() / self.settings.cooled, 1.0)
        warm, cold = self.settings.warmest, self.settings.coldest
        return cold + (warm - cold) * (1 + math.cos(math.pi * done)) / 2


def trained(settings: VaeSettings, mean: dict[str, Tensor]) -> Vae:
    """The VAE of these weights, ready to encode."""
    vae = Vae(settings.shape)
    vae.load_state_dict(mean)
    return vae.eval().to(memory_format=torch.channels_last)


def encode_all(vae: Vae, pixels: np.ndarray, *, batch: int = 128) -> np.ndarray:
    """Codes of uint8 pictures, int16 [n, h, w]."""
    parts = []
    for start in range(0, len(pixels), batch):
        part = torch.from_numpy(pixels[start : start + batch]).float() / 255
        parts.append(vae.encode(part.contiguous(memory_format=torch.channels_last)).short().numpy())
    return np.concatenate(parts)
