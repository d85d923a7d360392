"""What the audit of composition found, in sentences that claim no more than the intervals allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from reports import words
from reports.audits.composition_words import AUDIT, WHOSE, named, preferred, where
from reports.folder import Run
from reports.tables import lines


def findings(run: Run, scores: pd.DataFrame) -> Iterator[str]:
    overall, lost = run.table(AUDIT, "overall"), run.table(AUDIT, "lost")
    whom, asked = scores.attrs["generator"]["name"], int(lost[["ok", "blank", "missing", "failed"]].to_numpy().sum())
    for one in lines(overall):
        yield (
            f"By the {named(one['scorer'])}, {whom} gets everything right in {words.percent(one['value'])} "
            f"{words.interval(one['low'], one['high'])} of {words.count(one['n'], 'picture')} that it can judge "
            f"({words.count(one['categories'], 'category', 'categories')})."
        )
    if overall.empty:
        yield "Nothing can be said: none of the scorers at hand is reliable enough on pictures of known truth."
    gone = asked - int(lost["ok"].sum())
    if gone:
        counts = [
            words.count(lost[name].sum(), f"{name} picture")
            for name in ("missing", "blank", "failed")
            if lost[name].sum()
        ]
        yield f"Of {asked:,} pictures that were asked for, {words.listing(counts)}; these count as wrong."
    yield from by_objects_finding(run.table(AUDIT, "objects"))
    yield from wording_finding(run.table(AUDIT, "wordings"))
    yield from reranking_finding(run.table(AUDIT, "reranking"), scores.attrs["reranker"])


def by_objects_finding(objects: pd.DataFrame) -> Iterator[str]:
    if objects.empty:
        return
    own = objects[(objects["scorer"] == preferred(objects["scorer"])) & objects["world"]]
    for category, part in own.groupby("category", sort=False):
        ordered = lines(part.sort_values("objects"))
        first, last = ordered[0], ordered[-1]
        if first["objects"] < last["objects"] and (last["high"] < first["low"] or first["high"] < last["low"]):
            yield (
                f"{str(category).capitalize()}: {words.percent(first['value'])} right with "
                f"{words.count(first['objects'], 'thing')}, {words.percent(last['value'])} with {last['objects']}."
            )


def wording_finding(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        return
    for category, own in table[table["world"]].groupby("category", sort=False):
        by = {one["what"]: one for one in lines(own[own["scorer"] == own["scorer"].iloc[0]])}
        across, within = by.get("across"), by.get("within")
        if across and within and across["high"] < within["low"]:
            yield (
                f"{str(category).capitalize()}: the wording matters. Pictures of two equivalent sentences are both "
                f"right or both wrong in {words.percent(across['value'])} of cases, two pictures of one sentence in "
                f"{words.percent(within['value'])}."
            )


def reranking_finding(table: pd.DataFrame, reranker: str) -> Iterator[str]:
    if table.empty or table["n"].max() < 2:
        return
    judge = preferred(table["judge"])
    own = table[(table["n"] == table["n"].max()) & (table["judge"] == judge)]
    by = {one["who"]: one for one in lines(own)}
    gain, whom = by["gain"], f"Keeping the favourite of {int(own['n'].iloc[0])} pictures by {reranker}"
    surely = "gains" if gain["low"] > 0 else "loses" if gain["high"] < 0 else "makes no sure difference:"
    yield (
        f"{whom} {surely} {points(gain)}, judged by the {named(judge)}: "
        f"{words.percent(by['random']['value'])} without, {words.percent(by['reranked']['value'])} with it, "
        f"{words.percent(by['oracle']['value'])} by a perfect choice."
    )
    if bool(own["same_model"].iloc[0]):
        yield "Reranker and judge are the same model here, so the gain says little."


def points(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:+.1f} points [{100 * one['low']:+.1f}, {100 * one['high']:+.1f}]".replace("-", "−")


def binding_findings(run: Run) -> Iterator[str]:
    table = run.table(AUDIT, "bindings")
    chosen = table[(table["kind"] == "colour") & (table["category"] == "bindings")] if len(table) else table
    for scorer, own in chosen.groupby("scorer", sort=False) if len(chosen) else ():
        by = {one["whose"]: one["value"] for one in lines(own)}
        said = [f"{words.percent(by[name])} {text}" for name, text in WHOSE.items() if name in by]
        yield f"Of the colours of garments worn together, {words.listing(said)} (by the {named(str(scorer))})."


def card_findings(scores: pd.DataFrame) -> Iterator[str]:
    whole = scores[(scores["tier"] == "all") & scores["kind"].isin(["all", "foil"])]
    for scorer, own in whole.groupby("scorer", sort=False):
        good = [where(one["category"], one["world"]) for one in lines(own[own["measurable"]])]
        bad = [
            where(one["category"], one["world"]) for one in lines(own[~own["measurable"] & own["reliability"].notna()])
        ]
        yield (
            f"{named(str(scorer)).capitalize()}: "
            + (f"believed on {words.listing(good)}" if good else "believed on nothing")
            + (f"; not on {words.listing(bad)}, where it was tested and is not reliable" if bad else "")
            + "."
        )
    unknown = len({(one["category"], one["world"]) for one in lines(whole[whole["reliability"].isna()])})
    if unknown:
        yield (
            f"On {words.count(unknown, 'kind')} of prompts, those outside of our renderer's world, no scorer could be "
            "tested, for no picture of known truth is at hand: nothing is claimed there. Look at the contact sheets; "
            "task.annotated=MANIFEST adds such pictures, audit.ratings=CSV what people say."
        )


def notes(about: dict[str, Any]) -> list[str]:
    absent = [f"{named(name)}: {reason}" for name, reason in about["absent"].items()]
    card = about["generator"]
    return [
        f"Pictures by {card['name']} ({card['identity'][:8]}), {about['samples']} a prompt, seeds by prompt, sample. "
        "Intervals count meanings: samples and equivalent wordings of one meaning are one cluster.",
        f"A score is stated where its scorer is right on at least {words.percent(about['level'], digits=0)} of the "
        "pictures of known truth, which our renderer drew from the prompts and from sentences that are false in one "
        "fact; else it is not measurable with this scorer.",
        *([f"Not at hand, so not measured: {'; '.join(absent)}."] if absent else []),
    ]
