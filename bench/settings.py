"""Types of the top-level settings; Hydra checks every value against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class StoreSettings:
    folder: str | None = "auto"
    """Where vectors are kept: auto ($BENCH_STORE, else the user's cache folder), a folder, or null for nowhere."""


@dataclass
class BenchSettings:
    model: dict[str, Any] = MISSING
    task: dict[str, Any] = MISSING
    evaluation: dict[str, Any] = MISSING
    generator: dict[str, Any] = MISSING
    audit: dict[str, Any] = MISSING
    report: dict[str, Any] = MISSING
    experiment: dict[str, Any] | None = None
    cluster: dict[str, Any] | None = None
    output: str = "outputs"
    """Run folders are made below this one."""
    limit: int | None = None
    """At most so many pictures a task, drawn by `seed`."""
    seed: int = 0
    batch_size: int | None = None
    """Pictures that go through the model at once, fewer where memory ends; null: as suits the device."""
    reduced_jpeg: bool = False
    """Decode large JPEG files at a half, a quarter or an eighth: faster, and not quite the same pixels."""
    shard: str | None = None
    """`0/8`: store only the first of eight shares of the vectors; without it the same command finds them all."""
    resume: str | None = None
    """A run folder (of a sweep: its folder) to go on with: cells that it has finished are not computed again."""
    debug: bool = False
    """Tracebacks instead of messages; the first failing cell ends the run."""
    store: StoreSettings = field(default_factory=StoreSettings)
