"""Retrieval skew: whom "a photo of a smart person" brings to the top. MaxSkew, MinSkew and NDKL beside their null."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.audit import Table
from bench.audit.group_performance import frame, templates_table
from bench.audit.label_sets import LabelSet
from bench.audit.look import Look, described, spread_rows
from bench.audit.measures.groups import Grouping
from bench.audit.measures.skew import max_skew, min_skew, ndkl
from bench.errors import BenchError
from bench.evaluation.rows import Row
from bench.metrics import Estimate

PART = "retrieval"
SHARE, MOST = 0.1, 1_000


def retrieval(look: Look, words: LabelSet, *, query: str, top: int | None, desired: str) -> Iterator[Row | Table]:
    """Rows `max_skew@k` and the like, means over prompts with the null level as `chance`; table `retrieval`."""
    if query.count("{}") != 1:
        raise BenchError(f"audit.query needs one {{}} for the word; it is {query!r}.")
    prompts = [query.replace("{}", word) for word in words.labels]
    scores = look.classifier(prompts) @ look.images.T
    lines: list[dict[str, Any]] = []
    for grouping in look.single:
        ranked, codes = pool_of(look, grouping, scores)
        names = [grouping.names[g] for g in np.flatnonzero(grouping.shown)]
        k = _depth(top, len(codes))
        for measure, found in _measures(ranked, codes, k, desired, look.how.seed).items():
            metric = f"{measure}@{k}"
            yield _row(look, metric, grouping.name, [one.value for one in found], found[0].null)
            for word, one in zip(words.labels, found, strict=True):
                if measure != "min_skew":  # the same tops seen from below: no further test
                    look.enter(PART, f"{metric}[{word}]", grouping.name, one.p, one.value)
                lines.append({
                    "attribute": grouping.name, "measure": measure, "k": k, "pool": len(codes), "word": word,
                    "category": words.categories[word], "value": one.value, "null": one.null,
                    "null_high": one.null_high, "p": one.p, "group": names[one.group] if one.group >= 0 else "",
                })  # fmt: skip
    yield look.table(PART, frame(lines), query=query, desired=desired, **described(words))
    values = {template: _under(look, prompts, template, top, desired) for template in look.how.templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def pool_of(look: Look, grouping: Grouping, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores [prompt, item] and groups int [item] from 0 of what is ranked: the pictures of the groups that are shown.

    Pictures that depend on each other and are all of one group are one item, with the mean of their scores: six tones
    of a drawing come to the top together, and would pass for six witnesses. Where they differ in group the null level
    is too high rather than too low, since each brings the others with it.
    """
    members = grouping.members[:, grouping.shown]
    pool = np.flatnonzero(members.any(axis=1))
    scores, codes = scores[:, pool], members[pool].argmax(axis=1)
    if look.clusters is None:
        return scores, codes
    _, first, place = np.unique(look.clusters[pool], return_index=True, return_inverse=True)
    if (codes != codes[first][place]).any():
        return scores, codes
    means = np.stack([np.bincount(place, weights=row) for row in scores]) / np.bincount(place)
    return means, codes[first]


def _depth(top: int | None, pool: int) -> int:
    return top or max(1, min(MOST, round(SHARE * pool)))


def _measures(scores: np.ndarray, codes: np.ndarray, k: int, desired: str, seed: int) -> dict[str, Any]:
    options: Any = {"desired": desired, "seed": seed}
    return {"max_skew": max_skew(scores, codes, k, **options), "min_skew": min_skew(scores, codes, k, **options),
            "ndkl": ndkl(scores, codes, k, **options)}  # fmt: skip


def _row(look: Look, metric: str, attribute: str, values: Sequence[float], null: float) -> Row:
    """Mean over prompts with the t interval over prompts, these being a sample of what could be asked."""
    from scipy.stats import t

    mean, count = float(np.mean(values)), len(values)
    half = float(t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count)) if count > 1 else np.nan
    one = Estimate(mean, mean - half, mean + half, count, "t over prompts", note=f"mean over {count} prompts")
    return look.row(metric, one, group=attribute, chance=null)


def _under(
    look: Look, prompts: list[str], template: str, top: int | None, desired: str
) -> dict[tuple[str, str], float]:
    scores = look.classifier(prompts, [template]) @ look.images.T
    found: dict[tuple[str, str], float] = {}
    for grouping in look.single:
        ranked, codes = pool_of(look, grouping, scores)
        k = _depth(top, len(codes))
        skews = max_skew(ranked, codes, k, desired=desired, rankings=2)
        found[f"max_skew@{k}", grouping.name] = float(np.mean([one.value for one in skews]))
    return found
