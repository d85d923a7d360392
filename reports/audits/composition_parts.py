"""Tables, figures and contact sheets of the audit of composition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reports import words
from reports.audits.composition_figures import objects_plot, reranking_plot
from reports.audits.composition_words import AUDIT, WHOSE, figure, lookup, named, preferred, where
from reports.exhibits import Exhibit, Figure, Gallery, Listing, Picture
from reports.figures import Drawing
from reports.folder import Run
from reports.heatmaps import confusion
from reports.tables import lines


def main(scores: pd.DataFrame, lost: pd.DataFrame) -> Listing:
    """One line a category: all right by each scorer, foils, and what was lost."""
    names = [name for name in dict.fromkeys(scores["scorer"]) if name != "foils"]
    rows: list[list[str | Figure]] = []
    for one in lines(lost):
        key = {"category": one["category"], "world": one["world"], "tier": "all"}
        drawn, gone = one["ok"], {name: one[name] for name in ("blank", "missing", "failed") if one[name]}
        rows.append(
            [
                where(one["category"], one["world"]),
                Figure(f"{drawn:,}", sort=drawn),
                Figure(
                    ", ".join(f"{count:,} {name}" for name, count in gone.items()) or "none",
                    sort=sum(gone.values()),
                    note=one["reason"],
                ),
                *(figure(lookup(scores, scorer=name, kind="all", **key)) for name in names),
                figure(lookup(scores, scorer="foils", kind="foil", **key)),
            ]
        )
    return Listing(
        "All right, by category",
        ["category", "pictures", "lost", *map(named, names), "true sentence wins"],
        rows,
        note="All right by each scorer, and how often the sentence beats one that is false in one fact. Lost pictures "
        "count as wrong. “Scorer” is how often that scorer is right on pictures of known truth; (open) are prompts "
        "outside of our renderer's world, of which such pictures must come from people.",
    )


def figures(run: Run, tag: str) -> Iterator[Drawing]:
    """Curves; `tag` tells apart the files of several runs."""
    objects, reranked = run.table(AUDIT, "objects"), run.table(AUDIT, "reranking")
    if not objects.empty:
        yield objects_plot(objects, tag)
    if not reranked.empty and reranked["n"].nunique() > 1:
        yield reranking_plot(reranked, tag)


def details(run: Run, scores: pd.DataFrame, tag: str) -> Iterator[Drawing | Listing]:
    chosen = scores[(scores["tier"] == "all") & (scores["kind"] != "all") & (scores["scorer"] != "foils")]
    rows = [
        [where(one["category"], one["world"]), one["kind"], named(one["scorer"]), figure(one)]
        for one in lines(chosen[chosen["measurable"]])
    ]
    hidden = int((~chosen["measurable"]).sum())
    yield Listing(
        "Slot by slot",
        ["category", "slot", "scorer", "right"],
        rows,
        note=f"{hidden} more are not measurable with their scorer." if hidden else "",
    )
    tiers = scores[(scores["tier"] != "all") & (scores["kind"] == "all") & scores["measurable"]]
    yield Listing(
        "All right, by tier",
        ["category", "tier", "scorer", "right"],
        [
            [where(one["category"], one["world"]), one["tier"], named(one["scorer"]), figure(one)]
            for one in lines(tiers)
        ],
    )
    foils = scores[(scores["tier"] == "all") & scores["kind"].str.startswith("foil: ") & scores["measurable"]]
    yield Listing(
        "The true sentence against one that is false in one fact",
        ["category", "what is false", "wins", "mean margin of cosines"],
        [
            [
                where(one["category"], one["world"]),
                one["kind"].removeprefix("foil: "),
                figure(one),
                Figure(f"{one['margin']:+.3f}", sort=one["margin"]),
            ]
            for one in lines(foils)
        ],
    )
    bound = run.table(AUDIT, "bindings")
    if len(bound):
        yield Listing(
            "Whose property is it?",
            ["category", "property", "scorer", *WHOSE.values()],
            list(whose(bound)),
            note="Of prompts in which several things have a property of the kind.",
        )
    yield from confusions(run.table(AUDIT, "confusion"), tag)
    said = run.table(AUDIT, "wordings")
    if len(said):
        yield Listing(
            "Equivalent wordings",
            [
                "category",
                "scorer",
                "same fate by two wordings",
                "same fate, one wording twice",
                "right by every wording",
            ],
            list(wordings(said)),
        )


def whose(table: pd.DataFrame) -> Iterator[list[str | Figure]]:
    for (category, world, kind, scorer), own in table.groupby(["category", "world", "kind", "scorer"], sort=False):
        by = {one["whose"]: one["value"] for one in lines(own)}
        yield [
            where(str(category), bool(world)),
            str(kind),
            named(str(scorer)),
            *(Figure(words.percent(by.get(name, 0.0)), sort=by.get(name, 0.0)) for name in WHOSE),
        ]


def wordings(table: pd.DataFrame) -> Iterator[list[str | Figure]]:
    for (category, world, scorer), own in table.groupby(["category", "world", "scorer"], sort=False):
        by = {one["what"]: one for one in lines(own)}
        cells = [
            Figure("–")
            if one is None
            else Figure(words.percent(one["value"]), words.interval(one["low"], one["high"]), sort=one["value"])
            for one in (by.get(name) for name in ("across", "within", "always"))
        ]
        yield [where(str(category), bool(world)), named(str(scorer)), *cells]


def confusions(table: pd.DataFrame, tag: str) -> Iterator[Drawing]:
    """Asked against read: colours, of the exact reader where it is there."""
    if table.empty:
        return
    scorer = preferred(table["scorer"])
    own = table[(table["scorer"] == scorer) & table["kind"].isin(["colour", "order"]) & table["world"]]
    for category in ("bindings", "position", "stacks"):
        part = own[own["category"] == category]
        if part.empty:
            continue
        names = [*dict.fromkeys([*sorted(part["asked"].unique()), *sorted(part["read"].unique())])]
        grid = (
            part.pivot_table(index="asked", columns="read", values="count", aggfunc="sum")
            .reindex(index=names, columns=names)
            .fillna(0)
        )
        drawn = confusion(f"colours-{category}{tag}", np.round(grid.to_numpy()).astype(int), names)
        alt = f"{category.capitalize()}: colours asked for (rows) and read (columns), by the {named(str(scorer))}."
        yield type(drawn)(drawn.name, f"Colours in {category}", alt, drawn.svg, drawn.numbers)


def card(known: pd.DataFrame) -> Listing:
    rows = [
        [
            where(one["category"], one["world"]),
            one["kind"],
            named(one["scorer"]),
            Figure(
                words.percent(one["value"]),
                words.interval(one["low"], one["high"]),
                sort=one["value"],
            ),
            Figure(f"{one['n']:,}", sort=one["n"]),
        ]
        for one in lines(known)
    ]
    return Listing(
        "How often a scorer is right on pictures of known truth",
        ["category", "what", "scorer", "right", "readings"],
        rows,
        note="“all” and “foil” are balanced: half of it is about pictures that show what is asked for, half about "
        "pictures that are false in one fact.",
    )


def sheets(sheet: pd.DataFrame) -> Iterator[Gallery]:
    for category, own in sheet.groupby("category", sort=False):
        shown = [
            Picture(
                one["jpeg"],
                f"{one['example'].upper()}: {one['prompt']}" if one["example"] else one["prompt"],
                one["verdicts"],
            )
            for one in lines(own[own["status"] == "ok"])
        ]
        gone = [f"{one['example'] or one['prompt']} ({one['status']})" for one in lines(own[own["status"] != "ok"])]
        yield Gallery(str(category), shown, f"No picture: {'; '.join(gone)}." if gone else "")


def people(ratings: pd.DataFrame) -> Exhibit:
    agreed = ratings.attrs.get("agreement", {})
    rows = [
        [
            one["system"],
            Figure(words.percent(one["value"]), words.interval(one["low"], one["high"]), sort=one["value"]),
            Figure(f"{one['n']:,}", sort=one["n"]),
            Figure(words.percent(one["ties"]), sort=one["ties"]),
            Figure("–" if one["strength"] != one["strength"] else f"{one['strength']:.2f}"),
        ]
        for one in lines(ratings)
    ]
    best = lines(ratings)[0]
    findings = [
        f"People prefer {best['system']} in {words.percent(best['value'])} "
        f"{words.interval(best['low'], best['high'])} of comparisons (ties are half)."
    ]
    if agreed.get("n"):
        findings.append(f"Two raters of the same pair say the same in {words.percent(agreed['value'])} of cases.")
    return Exhibit(
        "What people said",
        findings,
        [Listing("Preferred", ["system", "wins", "ratings", "ties", "Bradley–Terry strength"], rows)],
    )
