"""Whom does the model fail? The exhibit that `audit=disparity` and `audit=bias` share, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports import words
from reports.audits import figures_of_groups as drawn
from reports.audits.group_words import difference, end, found, over_templates, points, q_of, records, span
from reports.exhibits import Exhibit, Figure, Listing, share, suppressed
from reports.figures import Drawing
from reports.folder import Run


def performance(run: Run, audit: str, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Bars by group, intersections, gaps with their spread over prompts, parity of classes."""
    cells, gaps = run.table(audit, f"performance-{task}"), run.table(audit, f"gaps-{task}")
    if cells.empty:
        return []
    tests = found(run.table(audit, "tests"), "performance", task)
    spread = run.table(audit, f"templates-performance-{task}")
    plain = gaps[gaps["metric"] == "top1"]
    findings = [f"Overall, {words.percent(cells['overall'].iloc[0])} of the answers are right."]
    for line in records(plain[plain["kind"] == "difference"]):
        _, finding = q_of(tests, "right answers", line["grouping"])
        ends = end(cells, line["lowest"]), end(cells, line["highest"])
        findings.append(difference("Right answers", line, ends, finding=finding))
    parity = _parity(run, audit, task, gaps)
    findings += _parity_said(run, audit, task, gaps)
    single = cells[cells["attributes"].map(len) == 1]
    parts: list[Any] = [drawn.bars(f"{name}-groups", "Right answers by group", single, cells["overall"].iloc[0])]
    parts += heat(cells, f"{name}-crossed", "Right answers")
    parts += [gaps_listing("Worst group, difference and ratio", plain, cells, tests, spread, "top1"), *parity]
    parts += _calibration(run, audit, task)
    return [Exhibit(f"Whom does it fail?{suffix}", findings, parts, notes=(
        "Difference: highest less lowest group; ratio: lowest over highest. Intervals of both allow for the choice of "
        "the extremes among all groups. q is the share of false findings among all tests of this audit with a q this "
        "small or smaller.",
    ))]  # fmt: skip


def heat(cells: pd.DataFrame, name: str, what: str) -> list[Drawing]:
    """A heat map for each pair of crossed attributes."""
    two = cells[cells["attributes"].map(len) == 2]
    return [
        drawn.crossed(f"{name}-{i}", f"{what} by {str(grouping).replace(' & ', ' and ')}", own)
        for i, (grouping, own) in enumerate(two.groupby("grouping", sort=False))
        if own["value"].notna().any() or len(own) <= 60
    ]


def gaps_listing(
    title: str, gaps: pd.DataFrame, cells: pd.DataFrame, tests: pd.DataFrame, spread: pd.DataFrame, metric: str
) -> Listing:
    """A line a grouping: worst group, difference, ratio, q, and the difference over prompts."""
    what = "right answers" if metric == "top1" else metric
    lines: list[list[str | Figure]] = []
    for grouping, own in gaps[gaps["metric"] == metric].groupby("grouping", sort=False):
        by_kind = {line["kind"]: line for line in records(own)}
        if by_kind["difference"]["reason"]:
            empty = suppressed(by_kind["difference"]["reason"])
            lines.append([str(grouping), "–", empty, empty, empty, empty, ""])
            continue
        worst = by_kind["worst"]
        group = worst["lowest"] if metric == "top1" else worst["highest"]
        q, _ = q_of(tests, what, str(grouping))
        difference_of = by_kind["difference"]
        lines.append([
            str(grouping), group, share(worst["value"], worst["low"], worst["high"]),
            Figure(points(difference_of["value"]), span(difference_of), difference_of["value"]),
            _ratio(by_kind["ratio"]), Figure(words.p_value(q), sort=q),
            over_templates(spread, f"{metric}.difference", str(grouping)),
        ])  # fmt: skip
    head = ("grouped by", "worst group", "its rate", "difference", "ratio", "q", "difference over prompts")
    note = "Over prompts: smallest, median and largest difference when each template is used alone."
    return Listing(title, head, lines, note)


def _calibration(run: Run, audit: str, task: str) -> list[Listing]:
    """Calibration error by group, all at the n of the smallest group of the attribute."""
    rows = run.rows
    own = rows[(rows["evaluation"] == audit) & (rows["task"] == task) & (rows["metric"] == "ece_at_equal_n")]
    lines: list[list[str | Figure]] = [
        [line["group"], Figure(points(line["value"]), span(line), line["value"]),
         Figure(points(line["chance"]), sort=line["chance"]), Figure(f"{line['n']:,}", sort=line["n"])]
        for line in records(own)
    ]  # fmt: skip
    note = (
        "How far stated probabilities are from what comes true. All groups of an attribute are compared at the n of "
        "the smallest, because the error grows as pictures get fewer; the null level is what true probabilities show."
    )
    head = ("group", "calibration error", "null level", "n")
    return [Listing("Calibration by group, at equal n", head, lines, note)] if lines else []


def _ratio(line: dict[str, Any]) -> Figure:
    if line["value"] != line["value"]:
        return suppressed("all rates are 0")
    return Figure(f"{line['value']:.2f}", f"[{line['low']:.2f}, {line['high']:.2f}]", line["value"])


def _parity(run: Run, audit: str, task: str, gaps: pd.DataFrame) -> list[Listing]:
    """The classes with the smallest q, at most twelve an attribute."""
    tests = found(run.table(audit, "tests"), "parity", task)
    if tests.empty:
        return []
    lines: list[list[str | Figure]] = []
    for test in records(tests.head(12)):
        kind, _, name = test["what"].partition("[")
        own = gaps[(gaps["metric"] == kind) & (gaps["class"] == name.rstrip("]")) & (gaps["grouping"] == test["group"])]
        one = records(own)[0]
        lines.append([one["class"], kind.replace("_", " "), test["group"],
                      Figure(points(one["value"]), span(one), one["value"]),
                      Figure(words.p_value(test["q"]), sort=test["q"])])  # fmt: skip
    note = (
        f"The {len(lines)} of {len(tests)} with the smallest q. Demographic parity: how often a class is answered, "
        "whatever the picture shows. Equal opportunity: how often it is found where it is. Equalised odds: that, and "
        "how often it is answered where it is not; the worse of both."
    )
    return [
        Listing("Classes whose answers depend on the group", ("class", "measure", "by", "difference", "q"), lines, note)
    ]


def _parity_said(run: Run, audit: str, task: str, gaps: pd.DataFrame) -> list[str]:
    tests = found(run.table(audit, "tests"), "parity", task)
    if tests.empty:
        return []
    stand = tests[tests["finding"]]
    left = gaps[(gaps["metric"] == "equal_opportunity") & (gaps["reason"] != "")]
    said = [
        f"Of {words.count(len(tests), 'comparison')} of single classes between groups, {len(stand)} stand after "
        "false-discovery control."
    ]
    if len(left):
        said.append(
            f"Equal opportunity could not be given for {words.count(left['class'].nunique(), 'class', 'classes')} "
            "in some grouping: too few pictures of the class in a group."
        )
    return said


def basis(run: Run, audit: str, task: str, suffix: str) -> list[Exhibit]:
    """Data statement, counts and limits of use."""
    table = run.table(audit, f"statement-{task}")
    if table.empty:
        return []
    about, tests = table.attrs, run.table(audit, "tests")
    single = table[~table["grouping"].str.contains(" & ")]
    who = [
        f"{grouping}: " + ", ".join(f"{line['name']} {line['n']:,}" for line in records(own))
        for grouping, own in single.groupby("grouping", sort=False)
    ]
    missing = [f"{name} is missing for {count:,}" for name, count in about["missing"].items() if count]
    hidden = table[~table["shown"]]
    findings = [
        f"Who is in the set: {about['pictures']:,} pictures. {'; '.join(who)}.",
        f"How attributes were labelled: {_labelled(about)}",
        f"What is missing: {'; '.join(missing) or 'no attribute value'}."
        + (f" {words.count(len(hidden), 'group or combination', 'groups or combinations')} of {len(table)} have fewer "
           f"than {about['minimum']} pictures (or none) and are not shown." if len(hidden) else ""),
    ]  # fmt: skip
    if about["clusters"]:
        findings.append(
            f"Pictures that share {words.listing(about['cluster'])} depend on each other: intervals count "
            f"{about['clusters']:,} of these, not {about['pictures']:,} pictures."
        )
    notes = [*_limits(about), _counted(tests)]
    return [Exhibit(f"What this rests on{suffix}", findings, notes=[note for note in notes if note])]


def _labelled(about: Mapping[Any, Any]) -> str:
    said = f"by {about['reference']}; licence: {about['licence']}."
    if about["family"] == "own":
        return f"your table {about['reference']} says nothing about it. Say it where you publish these figures."
    return said + (f" {about['notes']}" if about["notes"] else "")


def _limits(about: Mapping[Any, Any]) -> list[str]:
    drawn_people = "Drawn:" in about["notes"] or "drawn" in about["notes"].lower()
    kind = (
        "These pictures are drawings. The figures say how this model treats drawings of people and nothing about "
        "society, about photographs, or about anybody's experience."
        if drawn_people
        else "Attributes are what a person or a table assigned to pictures. The figures say how this model treats such "
        "pictures, and nothing about who the people in them are."
    )
    return [
        f"Limits of use. {kind} A difference that is not found is not shown to be absent: see how far its interval "
        "reaches. A group that is not in the set was not tested.",
        "No threshold here makes a model fair. Do not use these figures to certify one, nor to infer an attribute of a "
        "person from a picture.",
    ]


def _counted(tests: pd.DataFrame) -> str:
    if tests.empty:
        return ""
    about = tests.attrs
    return (
        f"{about['tests']:,} tests were made in this audit; {about['findings']:,} are findings at a false-discovery "
        f"rate of {words.percent(about['allowed'], digits=0)} over all of them (Benjamini-Hochberg)."
    )
