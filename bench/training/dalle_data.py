"""What the small DALL-E learns from: compositions of our renderer, drawn once, and their captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.generator.compositions import compose, render, wordings
from bench.generator.scenes import Scene
from bench.store import atomic

MIX = {
    "single": 22, "size": 8, "texture": 6, "few": 10, "pair": 22, "stack": 6, "outfit": 6,
    "many": 5, "sized_pair": 5, "tall_stack": 3, "full_outfit": 4, "hybrid": 3,
}  # fmt: skip
"""Percent of the scenes. Single things and pairs have the most, for what is asked of the checkpoint."""
SIZE = 64


@dataclass(frozen=True)
class Drawn:
    """Pictures with their scenes, in one order."""

    pixels: np.ndarray
    """uint8 [scene, 3, 64, 64]"""
    scenes: tuple[Scene, ...]

    @property
    def captions(self) -> list[tuple[str, ...]]:
        """All wordings of each scene."""
        return [wordings(scene) for scene in self.scenes]


def kind_of(seed: int) -> str:
    """Which kind this seed draws: by the mix."""
    at = int(np.random.default_rng([seed, 4]).integers(100))
    return next(kind for kind, end in zip(MIX, np.cumsum(list(MIX.values())), strict=True) if at < end)


def draw_all(count: int, folder: Path) -> Drawn:
    """Scenes of the seeds 0 to `count`; the pictures are kept in `folder` and not drawn twice."""
    scenes = tuple(compose(seed, kind=kind_of(seed)) for seed in range(count))
    path = folder / f"pixels-{count}.npy"
    if not path.exists():
        pictures = np.stack([_pixels(scene, seed) for seed, scene in enumerate(scenes)])
        folder.mkdir(parents=True, exist_ok=True)
        atomic(path, lambda part: _write(part, pictures))
    return Drawn(np.load(path), scenes)


def _pixels(scene: Scene, seed: int) -> np.ndarray:
    return np.asarray(render(scene, size=SIZE, seed=seed)).transpose(2, 0, 1)


def _write(path: Path, pictures: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, pictures)
