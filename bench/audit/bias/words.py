"""Words that go with a group: the thresholds of a label set swept (the CLIP paper's Members of Congress)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.audit import NotApplicableError, Table
from bench.audit.label_sets import LabelSet
from bench.audit.look import Look, described
from bench.audit.measures.threshold import Sweep, sweep
from bench.evaluation import softmax
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "words"
REPORTED = (1.5, 12.0)
"""Multiples whose numbers become rows: the paper's. The table has all."""


def words(look: Look, labels: LabelSet, multiples: tuple[float, ...]) -> Iterator[Row | Table]:
    """Rows `over@1.5x[nurse].difference` by attribute; table `words-<attribute>` with all thresholds and groups."""
    if not look.single:
        raise NotApplicableError(f"No attribute of {look.task.name} has two groups of {look.how.minimum} pictures.")
    probabilities = softmax(np.asarray(look.logits(labels.labels), dtype=np.float64))
    for grouping in look.single:
        found = sweep(probabilities, grouping, multiples=multiples, clusters=look.clusters, seed=look.how.seed)
        yield from _rows(look, found, labels.labels, grouping.name)
        table = found.table(labels.labels, grouping)
        yield look.table(f"words-{grouping.name}", table, attribute=grouping.name, **described(labels))


def _rows(look: Look, found: Sweep, labels: tuple[str, ...], attribute: str) -> Iterator[Row]:
    for t, multiple in enumerate(found.multiples):
        for c, label in enumerate(labels):
            shares = found.shares[t, c]
            informative = 0 < found.counts[t, c].sum() < found.sizes.sum()
            if not informative:
                continue
            metric = f"over@{multiple:g}x[{label}]"
            look.enter(PART, metric, attribute, float(found.p[t, c]), float(np.ptp(shares)))
            if multiple in REPORTED:
                one = Estimate(float(np.ptp(shares)), np.nan, np.nan, int(found.sizes.sum()), "")
                note = f"p {found.p[t, c]:.4g}; threshold {found.thresholds[t]:.4g}; no interval: see the test"
                yield look.row(f"{metric}.difference", one, group=attribute, note=note)
