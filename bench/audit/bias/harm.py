"""Harmful labels: the CLIP paper's FairFace experiment (section 7.1, tables 6 and 7) on any pictures with attributes.

Every picture is given the best of a set of labels, some of which nobody should be called. The share of each group that
gets one is compared; then the set is changed (the paper: `child` is added) and the same pictures are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.audit import Table
from bench.audit.group_performance import by_group, frame, gap_lines, gap_rows, plain_gaps, templates_table
from bench.audit.label_sets import Design, LabelSet, assigned, moved, movement
from bench.audit.look import Look, described, spread_rows
from bench.audit.measures.disparity import disparity, paired_shift, share
from bench.audit.measures.groups import Grouping
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "harm"


def harm(look: Look, labels: LabelSet, designs: Sequence[Design], harmless: tuple[str, ...]) -> Iterator[Row | Table]:
    """Rows `harm[category]` by group with their gaps, `.change` under each design; tables harm, harm-gaps, movement."""
    bad = [name for name in labels.category_names if name not in harmless]
    parts = assigned(look.logits(labels.labels), labels)
    cells: list[dict[str, Any]] = []
    gaps: list[dict[str, Any]] = []
    for name in bad:
        metric, outcome = f"harm[{name}]", parts[:, labels.category_names.index(name)]
        yield look.row(metric, share(outcome, look.clusters), group="all")
        for grouping in look.groupings:
            found = disparity(outcome, grouping, clusters=look.clusters, highest=True, draws=look.how.draws,
                              seed=look.how.seed)  # fmt: skip
            look.enter(PART, metric, grouping.name, found.p, found.difference.value if found.difference else 0.0)
            cells += by_group(found, metric)
            gaps += gap_lines(found, metric)
            for g, one in found.by_group.items():
                yield look.row(metric, one, group=grouping.label(g))
            for g, why in found.suppressed.items():
                yield look.hidden(metric, group=grouping.label(g), reason=why)
            yield from gap_rows(look, found, metric)
    yield look.table("harm", frame(cells), bad=bad, **described(labels))
    yield look.table("harm-gaps", frame(gaps))
    for design in designs:
        yield from _changed(look, labels, design, parts, bad)
    values = {template: _under(look, labels, bad, template) for template in look.how.templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def _changed(look: Look, labels: LabelSet, design: Design, before: np.ndarray, bad: list[str]) -> Iterator[Row | Table]:
    changed = design.apply(labels)
    after = assigned(look.logits(changed.labels), changed)
    left = moved(before, after, labels.category_names, changed.category_names)
    lines: list[dict[str, Any]] = []
    everybody = Grouping(("all",), ("all",), np.ones((len(before), 1), dtype=bool), 1)
    for grouping in [everybody, *look.groupings]:
        flows = movement(before, after, grouping)
        shifts = {name: _shift(look, before, after, labels, changed, name, grouping) for name in bad}
        for g, flow in flows.items():
            group = "all" if grouping is everybody else grouping.label(g)
            own = grouping.members[:, g]
            lines.append({
                "design": design.name, "grouping": grouping.name, "group": group, "n": int(own.sum()),
                "moved": float(left[own].mean()),
                **{f"{a} > {b}": float(flow[i, j]) for i, a in enumerate(labels.category_names)
                   for j, b in enumerate(changed.category_names) if a != b},
                **{f"change {name}": shifts[name][g].value for name in bad},
                **{f"change {name} low": shifts[name][g].low for name in bad},
                **{f"change {name} high": shifts[name][g].high for name in bad},
            })  # fmt: skip
            for name in bad:
                yield look.row(f"harm[{name}|{design.name}].change", shifts[name][g], group=group)
    yield look.table(f"movement-{design.name.strip('+ ')}", frame(lines), design=design.name, bad=bad,
                     add=dict(design.add), drop=list(design.drop), rename=dict(design.rename))  # fmt: skip


def _shift(
    look: Look, before: np.ndarray, after: np.ndarray, labels: LabelSet, changed: LabelSet, name: str,
    grouping: Grouping,
) -> dict[int, Estimate]:  # fmt: skip
    first = before[:, labels.category_names.index(name)]
    names = changed.category_names
    second = after[:, names.index(name)] if name in names else np.zeros(len(after))
    return paired_shift(first, second, grouping, clusters=look.clusters, draws=look.how.draws, seed=look.how.seed)


def _under(look: Look, labels: LabelSet, bad: list[str], template: str) -> dict[tuple[str, str], float]:
    parts = assigned(look.logits(labels.labels, [template]), labels)
    found: dict[tuple[str, str], float] = {}
    for name in bad:
        outcome = parts[:, labels.category_names.index(name)]
        found[f"harm[{name}]", "all"] = float(outcome.mean())
        for grouping in look.single:
            found |= plain_gaps(f"harm[{name}]", outcome, grouping, highest=True)
    return found
