"""mCE: mean corruption error against AlexNet (Hendrycks and Dietterich 2019, section 4; robustness, README).

For each of 15 corruptions, the errors at severities 1 to 5 are added up and divided by AlexNet's; mCE is the mean of
these. *Relative* mCE takes the error on clean pictures off both sums first: how much is lost, not how much is wrong.

AlexNet's errors are those on ImageNet's 50,000 validation pictures at 224 pixels, in the official files. Divided into
anything else they give a number that looks like an mCE and is none, so it is refused with a reason. For other data,
give a baseline of your own. Normalisers are matched **by name**: a public fork keeps their order and not the order of
the corruptions, which adds 2.4 points to ResNet-50's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.errors import BenchError

SEVERITIES = (1, 2, 3, 4, 5)

Errors = Mapping[str, Mapping[int, float]]
"""Corruption -> severity -> error, a share."""


@dataclass(frozen=True)
class Baseline:
    """What errors are divided by: the mean error of each corruption over severities, and that on clean pictures."""

    name: str
    errors: Mapping[str, float]
    clean: float
    task: str
    """The only task it applies to; empty for any."""
    pixels: int = 0
    """The only width of the corrupted pictures it applies to; 0 for any."""
    source: str = ""


ALEXNET = Baseline(
    name="AlexNet",
    errors={
        "gaussian_noise": 0.886428, "shot_noise": 0.894468, "impulse_noise": 0.922640,
        "defocus_blur": 0.819880, "glass_blur": 0.826268, "motion_blur": 0.785948, "zoom_blur": 0.798360,
        "snow": 0.866816, "frost": 0.826572, "fog": 0.819324, "brightness": 0.564592,
        "contrast": 0.853204, "elastic_transform": 0.646056, "pixelate": 0.717840, "jpeg_compression": 0.606500,
    },
    clean=0.435,
    task="imagenet",
    pixels=224,
    source="hendrycks/robustness (Apache-2.0); clean error: paper, table 1",
)  # fmt: skip
"""The published normalisers."""

HELD_OUT = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
"""Corruptions of ImageNet-C that are not part of mCE."""


@dataclass(frozen=True)
class CorruptionError:
    """mCE and its parts, all as shares of the baseline's (1 is as bad as the baseline)."""

    mce: float
    relative: float
    """NaN where the error on clean pictures was not given."""
    by_corruption: Mapping[str, float]
    baseline: str


def mean_error(errors: Errors) -> float:
    """Plain mean over corruptions of the mean error over severities, for data that have no normaliser."""
    return float(np.mean([np.mean(list(own.values())) for own in errors.values()]))


def why_not(errors: Errors, *, task: str, pixels: int, baseline: Baseline = ALEXNET) -> str:
    """Why mCE is not defined here, and what would mend it; empty if it is. Held-out corruptions are ignored."""
    missing = [name for name in baseline.errors if name not in errors]
    strange = [name for name in errors if name not in baseline.errors and name not in HELD_OUT]
    short = {name: [one for one in SEVERITIES if one not in errors[name]] for name in baseline.errors if name in errors}
    gaps = [f"{name} lacks severity {', '.join(map(str, lacking))}" for name, lacking in short.items() if lacking]
    if baseline.task and task != baseline.task:
        return (
            f"{baseline.name}'s errors are those on {baseline.task}, and this is {task}. Give a baseline of your own."
        )
    if baseline.pixels and pixels != baseline.pixels:
        return (
            f"{baseline.name} saw pictures corrupted at {baseline.pixels} pixels, these were corrupted at {pixels}. "
            f"Corrupt after the crop to {baseline.pixels}."
        )
    if missing:
        return f"mCE is over {len(baseline.errors)} corruptions, and {', '.join(missing)} are missing."
    if gaps:
        return f"mCE is over severities 1 to 5: {'; '.join(gaps)}."
    if strange:
        return f"{', '.join(strange)}: no corruption of this name in {baseline.name}'s errors. Leave it out."
    return ""


def mce(
    errors: Errors, *, task: str, pixels: int, clean: float | None = None, baseline: Baseline = ALEXNET
) -> CorruptionError:
    """mCE and relative mCE.

    Args:
        errors: of each corruption at each severity, shares.
        task: name of the task that was corrupted.
        pixels: width of the pictures when they were corrupted.
        clean: the model's error on clean pictures, for the relative form.

    Raises:
        BenchError: with the reason, where the baseline does not apply or a number is not a share.
    """
    reason = why_not(errors, task=task, pixels=pixels, baseline=baseline)
    if reason:
        raise BenchError(f"No mCE: {reason}")
    table = np.array([[errors[name][one] for one in SEVERITIES] for name in baseline.errors], dtype=np.float64)
    if not np.isfinite(table).all() or table.min() < 0 or table.max() > 1:
        raise BenchError("No mCE: errors are shares between 0 and 1 (an error is 1 - accuracy), and these are not.")
    mean, norm = table.mean(axis=1), np.array(list(baseline.errors.values()))
    ratios = mean / norm
    relative = float("nan") if clean is None else float(np.mean((mean - clean) / (norm - baseline.clean)))
    return CorruptionError(
        float(ratios.mean()), relative, dict(zip(baseline.errors, map(float, ratios), strict=True)), baseline.name
    )
