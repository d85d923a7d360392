"""`audit=disparity`: whom does the model fail? Any task with attributes, overall, by group and in intersections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import metrics
from bench.audit import AuditCell, Session, Table
from bench.audit.look import Ledger, Look, Sliced, spread_rows
from bench.audit.measures.disparity import Disparity, calibration_by_group, disparity
from bench.audit.measures.groups import Grouping
from bench.audit.measures.parity import decisions, parity
from bench.audit.statement import statement
from bench.evaluation import softmax
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "performance"
CALIBRATION = "ece_at_equal_n"


@dataclass(frozen=True)
class GroupPerformance(Sliced):
    """Rates of right answers by group, gaps with intervals, parity of each class, calibration at equal n."""

    parity_classes: int = 50
    """Parity of each class is given for tasks of at most so many classes."""
    name: str = "disparity"

    def cells(self, session: Session) -> Iterator[AuditCell]:
        ledger = Ledger()
        looks = [Look(session, task, self, self.name, ledger) for task in session.tasks]
        for look in looks:
            yield AuditCell(look.task, lambda look=look: self.run(look), PART)  # type: ignore[misc]
        yield AuditCell(session.tasks[-1], lambda: [ledger.table(self.false_discoveries)], "tests")

    def run(self, look: Look) -> Iterator[Row | Table]:
        yield statement(look)
        yield from performance(look, parity_classes=self.parity_classes)


def performance(look: Look, *, parity_classes: int) -> Iterator[Row | Table]:
    """Rows by group, of the gaps, and tables `performance`, `gaps`, `templates`."""
    predicted, how = look.predictions, look.how
    outcome = metrics.credit(predicted.scores, predicted.labels)
    cells: list[dict[str, Any]] = []
    gaps: list[dict[str, Any]] = []
    for grouping in look.groupings:
        found = disparity(outcome, grouping, clusters=look.clusters, draws=how.draws, seed=how.seed)
        look.enter(PART, "right answers", grouping.name, found.p, found.difference.value if found.difference else 0.0)
        yield from _rows(look, found, "top1")
        cells += by_group(found, "top1")
        gaps += gap_lines(found, "top1")
    yield from _calibration(look)
    if predicted.labels.ndim == 1 and len(predicted.choices) <= parity_classes:
        for grouping in look.single:
            lines = list(_parity(look, grouping))
            gaps += [line for line, _ in lines]
            yield from (row for _, row in lines if row)
    yield look.table("performance", frame(cells), choices=list(predicted.choices))
    yield look.table("gaps", frame(gaps))
    values = {template: _under(look, template) for template in look.own_templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def by_group(found: Disparity, metric: str) -> list[dict[str, Any]]:
    """Lines of a table: every group, shown or not."""
    grouping, lines = found.grouping, []
    for g, name in enumerate(grouping.names):
        one = found.by_group.get(g)
        lines.append({
            "grouping": grouping.name, "attributes": list(grouping.attributes), "name": name,
            "group": grouping.label(g), "metric": metric, "value": one.value if one else np.nan,
            "low": one.low if one else np.nan, "high": one.high if one else np.nan, "n": int(grouping.sizes[g]),
            "suppressed": found.suppressed.get(g, ""), "overall": found.overall.value,
        })  # fmt: skip
    return lines


def gap_lines(found: Disparity, metric: str) -> list[dict[str, Any]]:
    """Lines of a table: worst, difference, ratio of a grouping, or why there are none."""
    ends = [found.grouping.label(g) if g >= 0 else "" for g in found.which]
    base = {"grouping": found.grouping.name, "metric": metric, "class": "", "lowest": ends[0], "highest": ends[1]}
    kinds = {"worst": found.worst, "difference": found.difference, "ratio": found.ratio}
    return [_line(base | {"kind": kind}, one, found.p, found.reason) for kind, one in kinds.items()]


def _line(base: dict[str, Any], one: Estimate | None, p: float, reason: str) -> dict[str, Any]:
    value, low, high, n = one[:4] if one else (np.nan, np.nan, np.nan, 0)
    return base | {"value": value, "low": low, "high": high, "n": n, "p": p, "reason": "" if one else reason}


def _rows(look: Look, found: Disparity, metric: str) -> Iterator[Row]:
    grouping = found.grouping
    for g, one in found.by_group.items():
        yield look.row(metric, one, group=grouping.label(g), own=False)
    for g, why in found.suppressed.items():
        yield look.hidden(metric, group=grouping.label(g), reason=why, own=False)
    yield from gap_rows(look, found, metric)


def gap_rows(look: Look, found: Disparity, metric: str) -> Iterator[Row]:
    """Rows of worst group, difference and ratio."""
    for kind, one in (("worst", found.worst), ("difference", found.difference), ("ratio", found.ratio)):
        if one is not None:
            which = found.grouping.label(found.which[1 if one.value > found.overall.value else 0])
            note = f"{which}" if kind == "worst" else f"p {found.p:.4g} of no difference"
            yield look.row(f"{metric}.{kind}", one, group=found.grouping.name, note=note)
        elif kind == "difference":
            yield look.hidden(f"{metric}.{kind}", group=found.grouping.name, reason=found.reason)


def _calibration(look: Look) -> Iterator[Row]:
    predicted = look.predictions
    if predicted.independent:
        return
    confidence = softmax(np.asarray(predicted.scores, dtype=np.float64)).max(axis=1)
    correct = metrics.credit(predicted.scores, predicted.labels)
    for grouping in look.single:
        for g, one in calibration_by_group(confidence, correct, grouping, clusters=look.clusters,
                                           seed=look.how.seed).items():  # fmt: skip
            yield look.row(CALIBRATION, one, group=grouping.label(g), chance=one.chance)


def _parity(look: Look, grouping: Grouping) -> Iterator[tuple[dict[str, Any], Row | None]]:
    predicted, how = look.predictions, look.how
    for gap in parity(decisions(predicted.scores), predicted.labels, grouping, clusters=look.clusters,
                      draws=how.draws, seed=how.seed):  # fmt: skip
        name = predicted.choices[gap.label]
        metric, left = f"{gap.kind}[{name}]", [grouping.label(g) for g in gap.left_out]
        base = {"grouping": grouping.name, "metric": gap.kind, "class": name, "kind": "difference", "lowest": "",
                "highest": ""}  # fmt: skip
        line = _line(base, gap.estimate, gap.p, gap.reason)
        if gap.estimate is None:
            yield line, None
            continue
        look.enter("parity", metric, grouping.name, gap.p, gap.estimate.value)
        note = f"p {gap.p:.4g}" + (f"; left out: {', '.join(left)}" if left else "")
        yield line, look.row(metric, gap.estimate, group=grouping.name, note=note)


def _under(look: Look, template: str) -> dict[tuple[str, str], float]:
    """Worst group and difference of each attribute with the classes named by one template."""
    scores = look.logits(look.task.class_names, [template])
    outcome = metrics.credit(scores, look.predictions.labels)
    return {key: value for one in look.single for key, value in plain_gaps("top1", outcome, one).items()}


def plain_gaps(metric: str, outcome: np.ndarray, grouping: Grouping, *, highest: bool = False) -> dict[Any, float]:
    """Worst rate and difference without intervals: (metric, grouping) -> value."""
    members = grouping.members[:, grouping.shown]
    rates = outcome @ members / members.sum(axis=0)
    worst = rates.max() if highest else rates.min()
    name = grouping.name
    return {(f"{metric}.worst", name): float(worst), (f"{metric}.difference", name): float(np.ptp(rates))}


def templates_table(look: Look, part: str, values: dict[str, dict[tuple[str, str], float]]) -> Table:
    """Every figure under every template."""
    lines = [{"template": t, "metric": m, "group": g, "value": v} for t, own in values.items()
             for (m, g), v in own.items()]  # fmt: skip
    return look.table(f"templates-{part}", frame(lines, ["template", "metric", "group", "value"]), part=part)


def frame(lines: list[dict[str, Any]], columns: Sequence[str] | None = None):  # type: ignore[no-untyped-def]
    """Lines as a table."""
    import pandas as pd

    return pd.DataFrame(lines, columns=None if columns is None else pd.Index(list(columns)))
