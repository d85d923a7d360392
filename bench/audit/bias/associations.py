"""Association of groups with concepts: WEAT/iEAT between pictures and words, and between pictures and pictures.

X and Y are the pictures of two groups (all pairs of up to three groups, else each against the rest); A and B the words
of a concept, or the pictures whose class is one of these words. Pictures that depend on each other (one drawing in six
tones) are one stimulus: their mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from bench.audit import Table
from bench.audit.group_performance import frame, templates_table
from bench.audit.label_sets import LabelSet
from bench.audit.look import Look, spread_rows
from bench.audit.measures.association import Association, differential, of_scores, unit
from bench.audit.measures.groups import Grouping
from bench.errors import BenchError
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "association"
STIMULI = 300
"""Pictures taken of a group, drawn by the seed."""
ALIKE = "all stimuli score alike (or a set has one): there is no effect size"


def associations(look: Look, concepts: tuple[LabelSet, ...]) -> Iterator[Row | Table]:
    """Rows `association[set]` (words) and `association_images[set]` for each pair of groups; table `association`."""
    lines: list[dict[str, Any]] = []
    for concept in concepts:
        first, second = poles(concept)
        sides = look.classifier([*first, *second])
        kinds = {"words": (sides[: len(first)], sides[len(first) :])}
        for grouping in look.single:
            for (x_name, x), (y_name, y) in pairs(grouping):
                pictures = _of_classes(look, first, second, x | y)
                for kind, (a, b) in {**kinds, **({"pictures": pictures} if pictures else {})}.items():
                    metric = f"{'association' if kind == 'words' else 'association_images'}[{concept.name}]"
                    group = f"{grouping.name}: {x_name} / {y_name}"
                    scores = differential(look.images, unit(a), unit(b))
                    first_set, second_set = (_stimuli(look, scores, mask) for mask in (x, y))
                    if not _vary(first_set, second_set):
                        yield look.hidden(metric, group=group, reason=ALIKE)
                        continue
                    found = of_scores(first_set, second_set, seed=look.how.seed)
                    look.enter(PART, metric, group, found.p_two_sided, found.d)
                    lines.append(_line(look, concept, kind, grouping.name, x_name, y_name, found))
                    yield _row(look, metric, group, found)
    yield look.table(PART, frame(lines))
    values = {template: _under(look, concepts, template) for template in look.how.templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def poles(concept: LabelSet) -> tuple[list[str], list[str]]:
    """The words of both categories.

    Raises:
        BenchError: a set without exactly two categories.
    """
    names = concept.category_names
    if len(names) != 2:
        raise BenchError(f"Concept {concept.name!r} has {len(names)} categories; an association test needs two.")
    first, second = ([w for w, own in concept.categories.items() if own == name] for name in names)
    return first, second


def pairs(grouping: Grouping) -> Iterator[tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]]:
    """Pairs of groups as names with masks [image]; of more than three groups, each against the rest."""
    shown = np.flatnonzero(grouping.shown)
    if len(shown) <= 3:
        for g, h in combinations(shown, 2):
            yield (grouping.names[g], grouping.members[:, g]), (grouping.names[h], grouping.members[:, h])
        return
    everybody = grouping.members[:, shown].any(axis=1)
    for g in shown:
        own = grouping.members[:, g]
        yield (grouping.names[g], own), ("the others", everybody & ~own)


def _of_classes(
    look: Look, first: list[str], second: list[str], tested: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Vectors of pictures whose class is a word of either side and that are not tested themselves; None without two."""
    if look.predictions.labels.ndim != 1:
        return None
    names = np.array(look.task.class_names)[look.predictions.labels]
    a, b = (look.images[np.isin(names, words) & ~tested] for words in (first, second))
    return (a, b) if len(a) > 1 and len(b) > 1 else None


def _vary(x: np.ndarray, y: np.ndarray) -> bool:
    """Enough stimuli, and not all of one score: else there is no effect size."""
    return min(len(x), len(y)) > 1 and float(np.ptp(np.concatenate([x, y]))) > 1e-6


def _stimuli(look: Look, scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Scores of a group's stimuli: the mean over each cluster within it, at most STIMULI."""
    own = scores[mask]
    if look.clusters is not None:
        _, place = np.unique(look.clusters[mask], return_inverse=True)
        own = np.bincount(place, weights=own) / np.bincount(place)
    if len(own) > STIMULI:
        own = np.random.default_rng(look.how.seed).permutation(own)[:STIMULI]
    return np.asarray(own)


def _line(
    look: Look, concept: LabelSet, kind: str, attribute: str, x: str, y: str, found: Association
) -> dict[str, Any]:
    a, b = concept.category_names
    return {"concept": concept.name, "with": kind, "attribute": attribute, "x": x, "y": y, "a": a, "b": b, "d": found.d,
            "low": found.low, "high": found.high, "p": found.p, "p_two_sided": found.p_two_sided,
            "partitions": found.partitions, "exact": found.exact, "n": found.n}  # fmt: skip


def _row(look: Look, metric: str, group: str, found: Association) -> Row:
    how = f"{'exact' if found.exact else 'sampled'} p {found.p:.4g}, two-sided {found.p_two_sided:.4g}"
    one = Estimate(found.d, found.low, found.high, found.n, "noncentral t", note=f"effect size d; {how}")
    return look.row(metric, one, group=group)


def _under(look: Look, concepts: tuple[LabelSet, ...], template: str) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for concept in concepts:
        first, second = poles(concept)
        sides = look.classifier([*first, *second], [template])
        scores = differential(look.images, sides[: len(first)], sides[len(first) :])
        for grouping in look.single:
            for (x_name, x), (y_name, y) in pairs(grouping):
                a, b = _stimuli(look, scores, x), _stimuli(look, scores, y)
                if not _vary(a, b):
                    continue
                d = float((a.mean() - b.mean()) / np.concatenate([a, b]).std(ddof=1))
                found[f"association[{concept.name}]", f"{grouping.name}: {x_name} / {y_name}"] = d
    return found
