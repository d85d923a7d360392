"""Train the small bundled CLIP: contrastive pairs, photographs told by a teacher, sentence vectors.

The bundled checkpoint: `python -m bench.training.clip --data DIR --out DIR --minutes 61` after `fetch`, `pictures` and
`teacher`; one CPU core, about 230 pictures a second in bfloat16. `torchrun` in front for many processes.

A run is a function of its seed and its number of steps. `--minutes` ends the schedule early on a slow machine: then,
and only then, does the clock have a say. A run goes on from `last.pt` in its folder by itself. The weights that are
kept are an exponential mean over the steps (Polyak and Juditsky 1992).
"""

import argparse
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.model.clip.architecture import Clip
from bench.model.clip.checkpoint import Card, save_checkpoint
from bench.model.clip.preprocess import OPENAI_MEAN, OPENAI_STD, Preprocess
from bench.model.clip.shape import ClipShape, ResNetShape, TextShape
from bench.training import distributed
from bench.training.batches import Batch, Batches, Mix
from bench.training.losses import Features, Losses, Weights, total

SHAPE = ClipShape(
    embed_dim=384,
    image_size=64,
    vision=ResNetShape(layers=(2, 2, 2, 2), width=24, heads=12),
    text=TextShape(context=20, vocab=49408, width=128, heads=2, layers=3, hidden=512),
    activation="gelu",
)
LICENCE = "MIT"
NOTES = ("A small CLIP trained by bench.training.clip; see CARD.md for what it has seen.",)
LARGEST_SCALE = math.log(100)


@dataclass(frozen=True)
class Settings:
    """What decides a run. Rates are per step of one batch."""

    steps: int = 4000
    minutes: float = math.inf
    rate: float = 1.5e-3
    warm_up: int = 100
    decay: float = 0.05
    mean: float = 0.997
    """Decay of the exponential mean of the weights."""
    weights: Weights = field(default_factory=Weights)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    device: str = "cpu"
    seed: int = 0
    save_every: int = 100
    shape: ClipShape = SHAPE
    mix: Mix = field(default_factory=Mix)


class Run:
    """A model in training: its weights, their mean, the optimiser, and how far it has come."""

    def __init__(self, settings: Settings, data: Path, out: Path) -> None:
        self.settings, self.out, self.world = settings, out, distributed.join(settings.device)
        torch.manual_seed(settings.seed)
        self.model = Clip(settings.shape).to(settings.device).to(memory_format=torch.channels_last)
        self.mean = {key: value.clone() for key, value in self.model.state_dict().items()}
        self.optimiser = _optimiser(self.model, settings)
        self.batches = Batches(data, settings.mix, seed=settings.seed, context=settings.shape.text.context)
        self.step, self.seconds = 0, 0.0
        self._resume()

    def train(self, *, until: int | None = None) -> list[float]:
        """Steps until the schedule ends (or step `until`), saving now and then; returns the total losses."""
        losses: list[float] = []
        while self.progress() < 1 and (until is None or self.step < until):
            start = time.monotonic()
            found = self._step(self.batches(self.step, rank=self.world.rank))
            self.step += 1
            self.seconds += time.monotonic() - start
            losses.append(found.total.item())
            self._report(found)
        self.save()
        return losses

    def progress(self) -> float:
        """Share of the schedule that is done, by steps or by the clock, whichever is further."""
        return max(self.step / self.settings.steps, self.seconds / 60 / self.settings.minutes)

    def _step(self, batch: Batch) -> Losses:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * rate_factor(self.step, self.progress(), self.settings.warm_up)
        batch = Batch(*(part.to(self.settings.device) for part in batch))
        features = self._features(batch)
        found = total(
            features, batch.names, batch.targets, batch.sentences, scale=self.model.logit_scale.exp(),
            world=self.world, weights=self.settings.weights,
        )  # fmt: skip
        self.optimiser.zero_grad(set_to_none=True)
        found.total.backward()  # type: ignore[no-untyped-call]
        distributed.average_gradients(self.model, self.world)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self._after_step()
        return found

    def _features(self, batch: Batch) -> Features:
        count = len(batch.pixels) - len(batch.targets)
        pixels = normalise(batch.pixels).contiguous(memory_format=torch.channels_last)
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            pictures, texts = self.model.encode_image(pixels), self.model.encode_text(batch.tokens)
        pictures, texts = F.normalize(pictures.float(), dim=-1), F.normalize(texts.float(), dim=-1)
        return Features(pictures[:count], pictures[count:], texts)

    def _after_step(self) -> None:
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=LARGEST_SCALE)
            weight = min(self.settings.mean, (1 + self.step) / (10 + self.step))
            for key, value in self.model.state_dict().items():
                if value.is_floating_point():
                    self.mean[key].lerp_(value, 1 - weight)
                else:
                    self.mean[key].copy_(value)

    def _report(self, found: Losses) -> None:
        if self.world.rank == 0 and self.step % 20 == 0:
            parts = " ".join(f"{name} {value.item():.3f}" for name, value in found._asdict().items())
            scale = self.model.logit_scale.exp().item()
            print(f"step {self.step} {self.seconds:.0f} s {self.progress():.3f} {parts} scale {scale:.1f}", flush=True)
        if self.step % self.settings.save_every == 0:
            self.save()

    def save(self) -> None:
        """Write `last.pt` (to go on from) and the checkpoint (to use), each in one move."""
        if self.world.rank == 0:
            self.out.mkdir(parents=True, exist_ok=True)
            state = {"model": self.model.state_dict(), "mean": self.mean, "optimiser": self.optimiser.state_dict(),
                     "step": self.step, "seconds": self.seconds}  # fmt: skip
            part = self.out / "last.pt.part"
            torch.save(state, part)
            os.replace(part, self.out / "last.pt")
            self._export()

    def _export(self) -> None:
        model = Clip(self.settings.shape)
        model.load_state_dict(self.mean)
        more = {"steps": self.step, "seconds": round(self.seconds), "seed": self.settings.seed}
        pixels = Preprocess(size=self.settings.shape.image_size)
        save_checkpoint(self.out, model, Card("bundled", self.settings.shape, pixels, LICENCE, NOTES, more))

    def _resume(self) -> None:
        path = self.out / "last.pt"
        if path.exists():
            state: dict[str, Any] = torch.load(path, map_location=self.settings.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.mean, self.step, self.seconds = state["mean"], state["step"], state["seconds"]


def _optimiser(model: nn.Module, settings: Settings) -> torch.optim.AdamW:
    """Matrices and convolutions decay; gains, biases, positions, tokens and the temperature do not."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.ndim > 1 and "embedding" not in name]
    others = [p for name, p in named if p.ndim <= 1 or "embedding" in name]
    groups = [{"params": matrices, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def rate_factor(step: int, progress: float, warm_up: int) -> float:
    """Linear warm-up, then half a cosine down to a hundredth (Loshchilov and Hutter 2017)."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def normalise(pixels: Tensor) -> Tensor:
    """0 to 1 -> what the model reads."""
    mean, std = torch.tensor(OPENAI_MEAN), torch.tensor(OPENAI_STD)
    return (pixels - mean.to(pixels)[:, None, None]) / std.to(pixels)[:, None, None]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train the small bundled CLIP.")
    parser.add_argument("--data", type=Path, required=True, help="folder that pictures and teacher wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--minutes", type=float, default=Settings.minutes)
    parser.add_argument("--rate", type=float, default=Settings.rate)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default=Settings.precision)
    parser.add_argument("--device", default=Settings.device)
    args = parser.parse_args()
    data, out = args.data, args.out
    chosen = {key: value for key, value in vars(args).items() if key not in ("data", "out")}
    Run(Settings(**chosen), data, out).train()
    distributed.leave()


if __name__ == "__main__":
    main()
