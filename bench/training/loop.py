"""A training loop that can be cut off: weights, their running mean, optimiser, step and seconds in one state file.

A run is a function of its seed and its number of steps; `minutes` ends the schedule early on a slow machine. Each
step draws its own random numbers from (seed, step), so that a run that was cut off goes on as if it had not been.
Time is that of the clock (`seconds`, for the schedule) and of the processor (`worked`, the cost on a busy machine).
"""

from __future__ import annotations

import math
import os
import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What decides the course of a run. Rates are per step of one batch."""

    steps: int
    minutes: float = math.inf
    batch: int = 32
    rate: float = 2e-3
    warm_up: int = 100
    betas: tuple[float, float] = (0.9, 0.999)
    decay: float = 1e-4
    clip_norm: float = 4.0
    mean: float = 0.998
    """Decay of the exponential mean of the weights."""
    precision: str = "float32"
    """Of the products in the forward pass: float32, or bfloat16 where the processor has units for it. Weights, their
    means and the optimiser's are float32 always."""
    save_every: float = 60.0
    """Seconds of training between two states on disk."""
    seed: int = 0


class Loop:
    """One model in training. A subclass says what the loss of a step is and how to export."""

    def __init__(self, model: nn.Module, schedule: Schedule, state: Path) -> None:
        self.model, self.schedule, self.path = model, schedule, state
        self.mean = {key: value.clone() for key, value in model.state_dict().items()}
        self.steppers = self.optimisers()
        self.step, self.seconds, self.worked = 0, 0.0, 0.0
        self._resume()

    @abstractmethod
    def loss(self, generator: torch.Generator) -> dict[str, Tensor]:
        """The named losses of this step, `total` among them; all chance from `generator` or the global state."""

    def optimisers(self) -> list[torch.optim.Optimizer]:
        """AdamW; matrices and convolutions decay, gains and biases do not."""
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": self.schedule.decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return [torch.optim.AdamW(groups, lr=self.schedule.rate, betas=self.schedule.betas, fused=True)]

    def progress(self) -> float:
        """Share of the schedule that is done, by steps or by the clock, whichever is further."""
        return min(max(self.step / self.schedule.steps, self.seconds / 60 / self.schedule.minutes), 1.0)

    def train(self, *, until: int | None = None) -> dict[str, Tensor]:
        """Go on until the schedule ends (or step `until`); the mean of the weights. Saves now and then."""
        saved = self.seconds
        while self.progress() < 1 and (until is None or self.step < until):
            start, worked = time.monotonic(), time.process_time()
            found = self._step()
            self.seconds += time.monotonic() - start
            self.worked += time.process_time() - worked
            if self.step % 25 == 0:
                parts = " ".join(f"{name} {value.item():.4f}" for name, value in found.items())
                print(f"step {self.step} {self.seconds:.0f} s {self.progress():.3f} {parts}", flush=True)
            if self.seconds - saved > self.schedule.save_every:
                self.save()
                saved = self.seconds
        self.save()
        return self.mean

    def _step(self) -> dict[str, Tensor]:
        seed = self.schedule.seed * 1_000_003 + self.step
        torch.manual_seed(seed)
        for group in (group for stepper in self.steppers for group in stepper.param_groups):
            group["lr"] = self.schedule.rate * rate_factor(self.step, self.progress(), self.schedule.warm_up)
        lower = torch.autocast("cpu", torch.bfloat16, enabled=self.schedule.precision == "bfloat16")
        with lower, sdpa_kernel(SDPBackend.MATH):  # the fused kernel is slow backwards on a CPU
            found = self.loss(torch.Generator().manual_seed(seed))
        self.model.zero_grad(set_to_none=True)
        found["total"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip_norm)
        for stepper in self.steppers:
            stepper.step()
        self.step += 1
        weight = min(self.schedule.mean, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.model.state_dict().items():
                self.mean[key].lerp_(value, 1 - weight)
        return found

    def save(self) -> None:
        """The state, in one move."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        state = {
            "model": self.model.state_dict(), "mean": self.mean,
            "optimisers": [one.state_dict() for one in self.steppers],
            "step": self.step, "seconds": self.seconds, "worked": self.worked,
        }  # fmt: skip
        torch.save(state, part)
        os.replace(part, self.path)

    def _resume(self) -> None:
        if self.path.exists():
            state: dict[str, Any] = torch.load(self.path, weights_only=True)
            self.model.load_state_dict(state["model"])
            for stepper, kept in zip(self.steppers, state["optimisers"], strict=True):
                stepper.load_state_dict(kept)
            self.mean, self.step = state["mean"], state["step"]
            self.seconds, self.worked = state["seconds"], state["worked"]


def rate_factor(step: int, progress: float, warm_up: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.02 + 0.98 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
