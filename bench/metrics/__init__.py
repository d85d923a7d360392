"""Metrics: what a model said -> value with its 95 % interval.

Those of classification and matching are called with (scores, labels, attributes): `scores` is [image, choice], higher
is better; `labels` is int64 [image], or bool [image, choice] where pictures carry several labels; `attributes` is the
table of the pictures' attributes (`group`, `pair`, ...) or None. Those of retrieval are called with a `Ranking`,
because their matrix of scores is too large to hold. All give an `Estimate`.

**Ties earn their expected credit** (see `credit.py`), except in Winoground's scores, whose paper asks for strict
inequalities. Each file says how its intervals are made; `tests/unit/metrics` simulates that they cover.

STL10's ten folds concern the training set: the test set of 8,000 is whole for zero-shot, so top-1 it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.errors import BenchError, unknown
from bench.metrics.accuracy import mean_per_class, mean_top1_top5, top1, top5, worst_group, worst_group_top5
from bench.metrics.credit import Places, credit, places
from bench.metrics.curves import average_precision, map_11_point, mean_average_precision, roc_auc
from bench.metrics.estimate import Estimate, wilson
from bench.metrics.f1 import macro_f1
from bench.metrics.matching import matching, matching_per_group, winoground_group, winoground_image, winoground_text
from bench.metrics.retrieval import Ranking, image_to_text_recall, mean_recall, rank, text_to_image_recall

__all__ = ["INDEPENDENT", "METRICS", "PROTOCOLS", "Estimate", "Metric", "Places", "Ranking", "applicable",
           "average_precision", "credit", "mean_per_class", "places", "rank", "top1", "top5", "wilson"]  # fmt: skip

Metric = Callable[..., Estimate]

PROTOCOLS: dict[str, dict[str, Metric]] = {
    "classification": {
        "top1": top1,
        "top5": top5,
        "mean_per_class": mean_per_class,
        "mean_top1_top5": mean_top1_top5,
        "roc_auc": roc_auc,
        "map": mean_average_precision,
        "map_11_point": map_11_point,
        "macro_f1": macro_f1,
        "worst_group": worst_group,
        "worst_group_top5": worst_group_top5,
    },
    "matching": {
        "matching": matching,
        "winoground_text": winoground_text,
        "winoground_image": winoground_image,
        "winoground_group": winoground_group,
        "matching_per_group": matching_per_group,
    },
    "retrieval": {
        "mean_recall@1": partial(mean_recall, k=1),
        **{f"image_to_text_recall@{k}": partial(image_to_text_recall, k=k) for k in (1, 5, 10)},
        **{f"text_to_image_recall@{k}": partial(text_to_image_recall, k=k) for k in (1, 5, 10)},
    },
}
"""The metrics of each `Task.protocol`."""

METRICS: dict[str, Metric] = {name: metric for group in PROTOCOLS.values() for name, metric in group.items()}
"""Every metric by the name that tasks and rows use."""

INDEPENDENT: dict[str, Metric] = {
    "map": partial(mean_average_precision, independent=True),
    "map_11_point": partial(map_11_point, independent=True),
}
"""Those that rank pictures, for scores of which each column is a question of its own."""


def applicable(
    headline: str, choices: int, *, protocol: str = "classification", several: bool = False, grouped: bool = False,
    paired: bool = False,
) -> list[str]:  # fmt: skip
    """The metrics reported for a task: its headline first, then the others that say something.

    Args:
        choices: number of classes or captions.
        several: do pictures carry several labels?
        grouped: do pictures have an attribute `group`?
        paired: do they have an attribute `pair` (Winoground)?

    Raises:
        BenchError: a headline that does not exist, or that belongs to another protocol.
    """
    if headline not in METRICS:
        raise unknown("metric", headline, METRICS)
    known = PROTOCOLS[protocol]
    if headline not in known:
        raise BenchError(f"Metric {headline!r} is not one of {protocol}. Choose from: {', '.join(known)}.")
    extra = {
        "classification": {
            "top1": True,
            "top5": choices > 5,
            "mean_per_class": not several,
            "worst_group": grouped,
        },
        "matching": {"matching": True, **dict.fromkeys((n for n in known if n.startswith("winoground")), paired)},
        "retrieval": dict.fromkeys(known, True),
    }[protocol]
    return list(dict.fromkeys([headline, *(name for name, wanted in extra.items() if wanted)]))
