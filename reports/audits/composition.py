"""What the audit of composition found, as exhibits: what can be said, by whom, and how far that one can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports import words
from reports.audits.composition_figures import objects_plot, reranking_plot
from reports.audits.composition_pairs import paired_exhibit
from reports.exhibits import Exhibit, Figure, Gallery, Listing, Picture
from reports.folder import Run
from reports.heatmaps import confusion
from reports.tables import lines

AUDIT = "composition"
SCORERS = {
    "exact": "exact reader",
    "clip": "model of the run",
    "ocr": "letters read (OCR)",
    "vqa": "asked (VQA)",
    "foils": "true sentence against false ones",
}
WHOSE = {
    "own": "on the right thing",
    "another's": "on another thing of the prompt",
    "nobody's": "asked for by nobody",
    "nothing": "the thing is not there",
}


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """Of each run, and the runs against each other where there are several."""
    found = [one for run in runs for one in _of_run(run, len(runs) > 1)]
    return found + ([paired_exhibit(runs)] if len(runs) > 1 else [])


def _of_run(run: Run, several: bool) -> Iterator[Exhibit]:
    scores = run.table(AUDIT, "scores")
    if scores.empty:
        return
    about = scores.attrs
    whom = about["generator"]["name"]
    title = f"{whom}: does it draw what the sentence says?" + (f" ({run.name})" if several else "")
    yield Exhibit(
        title,
        list(_findings(run, scores)),
        [_main(scores, run.table(AUDIT, "lost")), *_figures(run)],
        notes=_notes(about),
    )
    yield Exhibit(
        f"{whom}: slot by slot, and which property went where",
        list(_binding_findings(run)),
        list(_details(run, scores)),
    )
    yield Exhibit(f"{whom}: whom to believe", list(_card_findings(scores)), [_card(run.table(AUDIT, "card"))])
    yield Exhibit(
        f"{whom}: contact sheets",
        ["The examples of the seed article come first, by name; below each picture what was asked for."],
        list(_sheets(run.table(AUDIT, "sheet"))),
    )
    ratings = run.table(AUDIT, "ratings")
    if not ratings.empty:
        yield _people(ratings)


def _named(name: str) -> str:
    return SCORERS.get(name, name)


def _where(category: str, world: bool) -> str:
    return category if world else f"{category}, open prompts"


def _figure(row: dict[str, Any] | None) -> Figure:
    """A score with the accuracy of its scorer, or that it cannot be measured by this scorer, and why."""
    if row is None:
        return Figure("–", note="this scorer says nothing about these prompts")
    if not row["measurable"]:
        known = (
            ""
            if row["reliability"] != row["reliability"]
            else f"scorer right on {words.percent(row['reliability'], digits=0)}"
        )
        return Figure("not measurable", known, note=f"not measurable with this scorer: {row['reason']}")
    interval = f"{words.interval(row['low'], row['high'])} · scorer {words.percent(row['reliability'], digits=0)}"
    return Figure(
        words.percent(row["value"]),
        interval,
        sort=row["value"],
        shade=row["value"],
        note=f"{row['n']:.0f} judgements, {row['meanings']:.0f} meanings",
    )


def _lookup(scores: pd.DataFrame, **wanted: Any) -> dict[str, Any] | None:
    chosen = scores
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    return None if chosen.empty else lines(chosen)[0]


def _main(scores: pd.DataFrame, lost: pd.DataFrame) -> Listing:
    """One line a category: all right by each scorer, foils, and what was lost."""
    names = [name for name in dict.fromkeys(scores["scorer"]) if name != "foils"]
    rows = []
    for one in lines(lost):
        key = {"category": one["category"], "world": one["world"], "tier": "all"}
        drawn, gone = one["ok"], {name: one[name] for name in ("blank", "missing", "failed") if one[name]}
        rows.append(
            [
                _where(one["category"], one["world"]),
                Figure(f"{drawn:,}", sort=drawn),
                Figure(
                    ", ".join(f"{count:,} {name}" for name, count in gone.items()) or "none",
                    sort=sum(gone.values()),
                    note=one["reason"],
                ),
                *(_figure(_lookup(scores, scorer=name, kind="all", **key)) for name in names),
                _figure(_lookup(scores, scorer="foils", kind="foil", **key)),
            ]
        )
    return Listing(
        "All right, by category",
        ["category", "pictures", "lost", *(f"all right: {_named(name)}" for name in names), "true sentence wins"],
        rows,
        note="Lost pictures count as wrong. “Scorer” is how often that scorer is right on pictures of known truth.",
    )


def _findings(run: Run, scores: pd.DataFrame) -> Iterator[str]:
    overall, lost = run.table(AUDIT, "overall"), run.table(AUDIT, "lost")
    whom, asked = scores.attrs["generator"]["name"], int(lost[["ok", "blank", "missing", "failed"]].to_numpy().sum())
    for one in lines(overall):
        yield (
            f"By the {_named(one['scorer'])}, {whom} gets everything right in {words.percent(one['value'])} "
            f"{words.interval(one['low'], one['high'])} of {words.count(one['n'], 'picture')} that it can judge "
            f"({words.count(one['categories'], 'category', 'categories')})."
        )
    if overall.empty:
        yield "Nothing can be said by any of the scorers that were at hand: none is reliable enough on pictures of known truth."
    gone = asked - int(lost["ok"].sum())
    if gone:
        counts = [
            words.count(lost[name].sum(), f"{name} picture")
            for name in ("missing", "blank", "failed")
            if lost[name].sum()
        ]
        yield f"Of {asked:,} pictures that were asked for, {words.listing(counts)}; they count as wrong wherever they were asked for."
    yield from _by_objects_finding(run.table(AUDIT, "objects"))
    yield from _wording_finding(run.table(AUDIT, "wordings"))
    yield from _reranking_finding(run.table(AUDIT, "reranking"), scores.attrs["reranker"])


def _by_objects_finding(objects: pd.DataFrame) -> Iterator[str]:
    if objects.empty:
        return
    own = objects[objects["scorer"] == objects["scorer"].iloc[-1]]
    for category, part in own.groupby("category", sort=False):
        first, last = lines(part.sort_values("objects"))[0], lines(part.sort_values("objects"))[-1]
        if first["objects"] < last["objects"] and (last["high"] < first["low"] or first["high"] < last["low"]):
            yield (
                f"{str(category).capitalize()}: {words.percent(first['value'])} right with {first['objects']} "
                f"{'thing' if first['objects'] == 1 else 'things'}, {words.percent(last['value'])} with {last['objects']}."
            )


def _wording_finding(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        return
    for category, own in table[table["world"]].groupby("category", sort=False):
        by = {one["what"]: one for one in lines(own[own["scorer"] == own["scorer"].iloc[0]])}
        across, within = by.get("across"), by.get("within")
        if across and within and across["high"] < within["low"]:
            yield (
                f"{str(category).capitalize()}: two equivalent sentences have the same fate in {words.percent(across['value'])} of cases, "
                f"two pictures of one sentence in {words.percent(within['value'])}: the wording matters."
            )


def _reranking_finding(table: pd.DataFrame, reranker: str) -> Iterator[str]:
    if table.empty or table["n"].max() < 2:
        return
    most = table[table["n"] == table["n"].max()]
    for judge, own in most.groupby("judge", sort=False):
        by = {one["who"]: one for one in lines(own)}
        gain = by["gain"]
        surely = "gains" if gain["low"] > 0 else "loses" if gain["high"] < 0 else "does not surely change anything:"
        same = (
            " Reranker and judge are the same model here, so this says little."
            if bool(own["same_model"].iloc[0])
            else ""
        )
        yield (
            f"Keeping the favourite of {most['n'].iloc[0]} pictures by {reranker} {surely} {_points(gain)}, "
            f"judged by the {_named(str(judge))}: {words.percent(by['random']['value'])} without, {words.percent(by['reranked']['value'])} with it, "
            f"{words.percent(by['oracle']['value'])} if the choice were perfect.{same}"
        )


def _points(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:+.1f} points [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]".replace("-", "−")


def _figures(run: Run) -> Iterator[Any]:
    objects, reranked = run.table(AUDIT, "objects"), run.table(AUDIT, "reranking")
    if not objects.empty:
        yield objects_plot(objects)
    if not reranked.empty and reranked["n"].nunique() > 1:
        yield reranking_plot(reranked)


def _notes(about: dict[str, Any]) -> list[str]:
    absent = [f"{_named(name)}: {reason}" for name, reason in about["absent"].items()]
    card = about["generator"]
    return [
        f"Pictures by {card['name']} ({card['identity'][:8]}), {about['samples']} a prompt, seeds by prompt and sample. Intervals count "
        "meanings: samples and equivalent wordings of one meaning are one cluster.",
        f"A score is stated where its scorer is right on at least {words.percent(about['level'], digits=0)} of pictures of known truth, "
        "which our renderer drew from the prompts and from sentences that are false in one fact; else it is not measurable with this scorer.",
        *([f"Not at hand, so not measured: {'; '.join(absent)}."] if absent else []),
    ]


def _binding_findings(run: Run) -> Iterator[str]:
    table = run.table(AUDIT, "bindings")
    chosen = table[(table["kind"] == "colour") & (table["category"] == "bindings")] if len(table) else table
    for scorer, own in chosen.groupby("scorer", sort=False) if len(chosen) else ():
        by = {one["whose"]: one["value"] for one in lines(own)}
        said = [f"{words.percent(by[name])} {text}" for name, text in WHOSE.items() if name in by]
        yield f"Of the colours of garments worn together, {words.listing(said)} (by the {_named(str(scorer))})."


def _details(run: Run, scores: pd.DataFrame) -> Iterator[Any]:
    chosen = scores[(scores["tier"] == "all") & (scores["kind"] != "all") & (scores["scorer"] != "foils")]
    rows = [
        [_where(one["category"], one["world"]), one["kind"], _named(one["scorer"]), _figure(one)]
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
            [_where(one["category"], one["world"]), one["tier"], _named(one["scorer"]), _figure(one)]
            for one in lines(tiers)
        ],
    )
    foils = scores[(scores["tier"] == "all") & scores["kind"].str.startswith("foil: ") & scores["measurable"]]
    yield Listing(
        "The true sentence against one that is false in one fact",
        ["category", "what is false", "wins", "mean margin of cosines"],
        [
            [
                _where(one["category"], one["world"]),
                one["kind"].removeprefix("foil: "),
                _figure(one),
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
            list(_whose(bound)),
            note="Of prompts in which several things have a property of the kind.",
        )
    yield from _confusions(run.table(AUDIT, "confusion"))
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
            list(_wordings(said)),
        )


def _whose(table: pd.DataFrame) -> Iterator[list[str | Figure]]:
    for (category, world, kind, scorer), own in table.groupby(["category", "world", "kind", "scorer"], sort=False):
        by = {one["whose"]: one["value"] for one in lines(own)}
        yield [
            _where(str(category), bool(world)),
            str(kind),
            _named(str(scorer)),
            *(
                Figure(words.percent(by.get(name, 0.0)), sort=by.get(name, 0.0), shade=by.get(name, 0.0))
                for name in WHOSE
            ),
        ]


def _wordings(table: pd.DataFrame) -> Iterator[list[str | Figure]]:
    for (category, world, scorer), own in table.groupby(["category", "world", "scorer"], sort=False):
        by = {one["what"]: one for one in lines(own)}
        cells = [
            Figure("–")
            if one is None
            else Figure(words.percent(one["value"]), words.interval(one["low"], one["high"]), sort=one["value"])
            for one in (by.get(name) for name in ("across", "within", "always"))
        ]
        yield [_where(str(category), bool(world)), _named(str(scorer)), *cells]


def _confusions(table: pd.DataFrame) -> Iterator[Any]:
    """Asked against read: colours, of the exact reader where it is there."""
    if table.empty:
        return
    scorer = "exact" if "exact" in set(table["scorer"]) else table["scorer"].iloc[0]
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
        drawn = confusion(f"colours-{category}", np.round(grid.to_numpy()).astype(int), names)
        alt = f"{category.capitalize()}: colours asked for (rows) and read (columns), by the {_named(str(scorer))}."
        yield type(drawn)(drawn.name, f"Colours in {category}", alt, drawn.svg, drawn.numbers)


def _card_findings(scores: pd.DataFrame) -> Iterator[str]:
    whole = scores[(scores["tier"] == "all") & scores["kind"].isin(["all", "foil"])]
    for scorer, own in whole.groupby("scorer", sort=False):
        good = [_where(one["category"], one["world"]) for one in lines(own[own["measurable"]])]
        bad = [
            _where(one["category"], one["world"]) for one in lines(own[~own["measurable"] & own["reliability"].notna()])
        ]
        yield (
            f"{_named(str(scorer)).capitalize()}: "
            + (f"believed on {words.listing(good)}" if good else "believed on nothing")
            + (f"; not on {words.listing(bad)}, where it was tested and is not reliable" if bad else "")
            + "."
        )
    unknown = sorted({_where(one["category"], one["world"]) for one in lines(whole[whole["reliability"].isna()])})
    if unknown:
        yield (
            f"No scorer could be tested on {words.listing(unknown)}: no picture of known truth is at hand. "
            "task.annotated=MANIFEST adds some, audit.ratings=CSV what people say."
        )


def _card(card: pd.DataFrame) -> Listing:
    rows = [
        [
            _where(one["category"], one["world"]),
            one["kind"],
            _named(one["scorer"]),
            Figure(
                words.percent(one["value"]),
                words.interval(one["low"], one["high"]),
                sort=one["value"],
                shade=one["value"],
            ),
            Figure(f"{one['n']:,}", sort=one["n"]),
        ]
        for one in lines(card)
    ]
    return Listing(
        "How often a scorer is right on pictures of known truth",
        ["category", "what", "scorer", "right", "readings"],
        rows,
        note="“all” and “foil” are balanced: half of it is about pictures that show what is asked for, half about "
        "pictures that are false in one fact.",
    )


def _sheets(sheet: pd.DataFrame) -> Iterator[Gallery]:
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


def _people(ratings: pd.DataFrame) -> Exhibit:
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
        f"People prefer {best['system']} in {words.percent(best['value'])} {words.interval(best['low'], best['high'])} of comparisons (ties are half)."
    ]
    if agreed.get("n"):
        findings.append(f"Two raters of the same pair say the same in {words.percent(agreed['value'])} of cases.")
    return Exhibit(
        "What people said",
        findings,
        [Listing("Preferred", ["system", "wins", "ratings", "ties", "Bradley–Terry strength"], rows)],
    )
