"""Counterparts: pictures that differ in one attribute and in nothing else. Does the answer change with it?

For tasks that say what their pictures share (`Task.cluster`): the emoji of a scientist drawn by one hand, in six skin
tones, as a woman, a man, a person. Comparisons are within such a set, so that neither the mix of professions nor that
of styles can pass for bias.

- consistency: the chance that two counterparts get the same answer, right or wrong.
- drift of a class: on pictures of the class, the largest difference between values of the attribute in the mean
  probability of the class. Tested by permuting the values within each set (exact where there are few).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from bench.audit import NotApplicableError, Table
from bench.audit.group_performance import frame, templates_table
from bench.audit.look import Look, spread_rows
from bench.audit.measures.disparity import share
from bench.audit.measures.groups import Grouping, values_of
from bench.evaluation import softmax
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "counterparts"
SHUFFLES = 4_999


class Sets(NamedTuple):
    """Sets of counterparts under one attribute."""

    pictures: np.ndarray
    """int [set, value]: one picture of each value."""
    units: np.ndarray
    """str [set]: sets of one unit depend on each other (they differ in another attribute under audit)."""


def counterparts(look: Look) -> Iterator[Row | Table]:
    """Rows `consistency` and `drift[class]` by attribute; tables `counterparts`, `drift`."""
    found = {one.name: sets for one in look.single if len((sets := counterpart_sets(look, one)).pictures)}
    if not found:
        raise NotApplicableError(f"{look.task.name} has no pictures that differ in one attribute only.")
    probabilities = softmax(np.asarray(look.predictions.scores, dtype=np.float64))
    guesses = look.predictions.scores.argmax(axis=1)
    lines: list[dict[str, Any]] = []
    drifts: list[dict[str, Any]] = []
    for grouping in (one for one in look.single if one.name in found):
        sets = found[grouping.name]
        same = agreement(guesses[sets.pictures])
        one = share(same, sets.units)
        yield look.row("consistency", one, group=grouping.name, note="counterparts with the same answer")
        lines.append({"attribute": grouping.name, "sets": len(same), "values": sets.pictures.shape[1],
                      "value": one.value, "low": one.low, "high": one.high})  # fmt: skip
        for line, row in _drifts(look, grouping, sets, probabilities):
            drifts.append(line)
            yield row
    yield look.table(PART, frame(lines))
    yield look.table("drift", frame(drifts))
    values = {template: _under(look, found, template) for template in look.own_templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def counterpart_sets(look: Look, grouping: Grouping) -> Sets:
    """Complete sets: same class, same value of all that pictures share and of the other attributes under audit."""
    (attribute,), attributes = grouping.attributes, look.samples.attributes
    others = [one.name for one in look.single if one.name != attribute]
    shared = [name for name in look.task.cluster if name not in (attribute, *others)]
    text = {name: values_of(attributes[name]) for name in dict.fromkeys((*shared, *others, *look.task.cluster))}
    labels = look.predictions.labels.astype(str)
    unit = _joined([labels, *(text[name] for name in look.task.cluster if name != attribute)])
    key = _joined([labels, *(text[name] for name in text if name != attribute)])
    shown = np.flatnonzero(grouping.shown)
    found: list[list[int]] = []
    for one in np.unique(key):
        rows = np.flatnonzero(key == one)
        own = [rows[grouping.members[rows, g]] for g in shown]
        if all(len(part) == 1 for part in own):
            found.append([int(part[0]) for part in own])
    pictures = np.array(found, dtype=np.int64).reshape(-1, len(shown))
    return Sets(pictures, unit[pictures[:, 0]] if len(pictures) else unit[:0])


def agreement(guesses: np.ndarray) -> np.ndarray:
    """Share of pairs of counterparts that agree, float [set] from int [set, value]."""
    same = [guesses[:, a] == guesses[:, b] for a, b in combinations(range(guesses.shape[1]), 2)]
    return np.asarray(np.mean(same, axis=0))


def drift(values: np.ndarray, *, seed: int = 0) -> tuple[float, float, int, int]:
    """Range of column means of [unit, value], its permutation p, and the columns with the least and the largest mean.

    Values are permuted within each unit: if the attribute is of no account, every order is as likely.
    """
    means = values.mean(axis=0)
    random = np.random.default_rng(seed)
    shuffled = random.permuted(np.broadcast_to(values, (SHUFFLES, *values.shape)), axis=2).mean(axis=1)
    p = (1 + int((np.ptp(shuffled, axis=1) >= np.ptp(means) - 1e-12).sum())) / (SHUFFLES + 1)
    return float(np.ptp(means)), p, int(means.argmin()), int(means.argmax())


def _drifts(
    look: Look, grouping: Grouping, sets: Sets, probabilities: np.ndarray
) -> Iterator[tuple[dict[str, Any], Row]]:
    labels = look.predictions.labels[sets.pictures[:, 0]]
    names = [grouping.names[g] for g in np.flatnonzero(grouping.shown)]
    for c in np.unique(labels):
        own = labels == c
        units, place = np.unique(sets.units[own], return_inverse=True)
        summed = np.zeros((len(units), len(names)))
        np.add.at(summed, place, probabilities[sets.pictures[own], c])
        values = summed / np.bincount(place)[:, None]
        if len(units) < 2:
            continue
        size, p, least, most = drift(values, seed=look.how.seed)
        name = look.predictions.choices[c]
        look.enter(PART, f"drift[{name}]", grouping.name, p, size)
        note = f"p {p:.4g}; most for {names[most]}, least for {names[least]}; no interval: see the test"
        row = look.row(f"drift[{name}]", Estimate(size, np.nan, np.nan, len(units), ""), group=grouping.name, note=note)
        yield {"attribute": grouping.name, "class": name, "drift": size, "p": p, "least": names[least],
               "most": names[most], "sets": len(units), "mean": float(values.mean())}, row  # fmt: skip


def _under(look: Look, found: dict[str, Sets], template: str) -> dict[tuple[str, str], float]:
    guesses = look.logits(look.task.class_names, [template]).argmax(axis=1)
    return {("consistency", name): float(agreement(guesses[sets.pictures]).mean()) for name, sets in found.items()}


def _joined(columns: list[np.ndarray]) -> np.ndarray:
    return np.array([" | ".join(parts) for parts in zip(*columns, strict=True)])
