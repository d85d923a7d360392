"""Prompt sensitivity: how much of a score is the model's, and how much the template's?

The CLIP paper gains 3.5 points on ImageNet by an ensemble of 80 templates over one (section 3.1.4), and worst-group
figures published for one checkpoint span 27 to 45 % by prompt alone. So: the accuracy of every template by itself, the
gain of the ensemble over the mean of its templates and over the plain one, and the classes that lose by it. All
differences are paired, picture by picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.metrics import Estimate, wilson
from bench.metrics.paired import paired_difference

SURE = 0.05
"""Share of false claims among the classes that are said to lose (Benjamini and Hochberg 1995)."""


class Sensitivity(NamedTuple):
    """What the choice of template does to one task."""

    templates: pd.DataFrame
    """One line a template, best first: `template`, `value`, `low`, `high`, and `gain`, `gain_low`, `gain_high` of the
    ensemble over it."""
    spread: Estimate
    """Best less worst template, on these pictures; the interval is that of this pair of templates."""
    gain: Estimate
    """Ensemble less the mean of its templates."""
    disagreement: float
    """Share of pictures that some template gets right and another wrong."""


def sensitivity(
    credits: np.ndarray, ensemble: np.ndarray, templates: Sequence[str], *, clusters: np.ndarray | None = None
) -> Sensitivity:
    """Compare templates among each other and with their ensemble.

    Args:
        credits: [template, picture], credit of each template by itself.
        ensemble: [picture], credit of the ensemble.
    """
    if np.ndim(credits) != 2 or credits.shape != (len(templates), len(ensemble)) or not credits.size:
        raise BenchError(
            f"Prompt sensitivity needs credits [template, picture] of {len(templates)} templates and {len(ensemble)} "
            f"pictures; given {np.shape(credits)}."
        )
    rows = []
    for template, own in zip(templates, credits, strict=True):
        gain = paired_difference(ensemble, own, clusters=clusters)
        value = float(own.mean())
        low, high = wilson(value, len(own) if clusters is None else len(np.unique(clusters)))
        rows.append({
            "template": template, "value": value, "low": low, "high": high,
            "gain": gain.value, "gain_low": gain.low, "gain_high": gain.high,
        })  # fmt: skip
    order = np.argsort(-credits.mean(axis=1), kind="stable")
    best, worst = credits[order[0]], credits[order[-1]]
    return Sensitivity(
        pd.DataFrame([rows[i] for i in order]),
        paired_difference(best, worst, clusters=clusters)._replace(note=f"best and worst of {len(rows)} templates"),
        paired_difference(ensemble, credits.mean(axis=0), clusters=clusters),
        float(np.mean((credits.max(axis=0) > 0.5) & (credits.min(axis=0) < 0.5))),
    )


def by_class(
    credit: np.ndarray, other: np.ndarray, labels: np.ndarray, names: Sequence[str], *, least: int = 5
) -> pd.DataFrame:
    """Who gains and who loses when `other` is replaced by `credit` (both [picture]): classes, greatest loss first.

    Columns: `class`, `n`, `before`, `after`, `difference`, `low`, `high` (paired), `p` (two-sided sign test on the
    pictures that changed), `q` (`p` under control of false claims) and `sure` (`q` at most `SURE`). Classes with fewer
    than `least` pictures are left out: a picture is then a fifth of the class.
    """
    from scipy.stats import binomtest, false_discovery_control

    rows = []
    for label in np.unique(labels):
        own = labels == label
        if own.sum() < least:
            continue
        gap = paired_difference(credit[own], other[own])
        up, down = int((credit[own] > other[own]).sum()), int((credit[own] < other[own]).sum())
        rows.append({
            "class": names[label], "n": int(own.sum()), "before": float(other[own].mean()),
            "after": float(credit[own].mean()), "difference": gap.value, "low": gap.low, "high": gap.high,
            "p": float(binomtest(down, up + down).pvalue) if up + down else 1.0,
        })  # fmt: skip
    columns = ["class", "n", "before", "after", "difference", "low", "high", "p"]
    table = pd.DataFrame(rows, columns=pd.Index(columns)).sort_values("difference", kind="stable", ignore_index=True)
    table["q"] = false_discovery_control(table["p"]) if len(table) else np.zeros(0)
    return table.assign(sure=table["q"] <= SURE)
