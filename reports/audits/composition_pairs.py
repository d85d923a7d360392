"""Generators (or models) against each other on the very same prompts and samples, paired and clustered by meaning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from reports import words
from reports.audits.composition_words import named
from reports.exhibits import Exhibit, Figure, Listing
from reports.folder import Run
from reports.paired import clustered, holm


def paired_exhibit(runs: Sequence[Run]) -> Exhibit:
    """Differences of all-correct by category, each pair of runs; p by Holm over all of the table."""
    found = list(_pairs(runs))
    adjusted = holm(np.array([one["p"] for one in found])) if found else np.array([])
    rows = [
        [
            one["a"],
            one["b"],
            named(one["scorer"]),
            one["category"],
            Figure(
                f"{100 * one['value']:+.1f} points".replace("-", "−"),
                f"[{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]".replace("-", "−"),
                sort=one["value"],
            ),
            Figure(f"{one['n']:,}", sort=one["n"]),
            Figure(words.p_value(p), sort=p),
        ]
        for one, p in zip(found, adjusted, strict=True)
    ]
    sure = [
        f"{one['a']} is {'better' if one['value'] > 0 else 'worse'} than {one['b']} in {one['category']} "
        f"(by the {named(one['scorer'])})"
        for one, p in zip(found, adjusted, strict=True)
        if p < 0.05
    ]
    findings = (
        [f"{text}." for text in sure] or ["No difference between the generators is sure."]
        if found
        else ["The runs share no prompt that a reliable scorer judged in both."]
    )
    return Exhibit(
        "Generators against each other",
        findings,
        [
            Listing(
                "All right: difference on the same prompts and samples",
                ["a", "b", "scorer", "category", "a − b", "pairs", "p (Holm)"],
                rows,
            )
        ],
        notes=["Intervals and p count meanings: signs of whole meanings are turned at random."],
    )


def _pairs(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    tables = [(_name(run, runs), run.table("composition", "pictures")) for run in runs]
    for (a, one), (b, other) in itertools.combinations(tables, 2):
        keys = ["scorer", "id"]
        if one.empty or other.empty:
            continue
        both = one.merge(other[[*keys, "credit"]], on=keys, suffixes=("", "_other")).dropna(
            subset=["credit", "credit_other"]
        )
        groups = [("all categories", both), *both.groupby("category", sort=False)]
        for (category, part), scorer in itertools.product(groups, dict.fromkeys(both["scorer"])):
            own = part[part["scorer"] == scorer]
            if own["meaning"].nunique() > 1:
                gap, p = clustered((own["credit"] - own["credit_other"]).to_numpy(float), own["meaning"].to_numpy())
                yield {"a": a, "b": b, "scorer": scorer, "category": category, **gap._asdict(), "p": p, "n": len(own)}


def _name(run: Run, runs: Sequence[Run]) -> str:
    """The generator; with the run where several used it."""

    def own(one: Run) -> str:
        return str(one.table("composition", "scores").attrs.get("generator", {}).get("name", one.name))

    return own(run) if sum(own(one) == own(run) for one in runs) == 1 else f"{own(run)} ({run.name})"
