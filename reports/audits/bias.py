"""`audit=bias` on the page: one exhibit a question, findings first, then what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports import words
from reports.audits import figures_of_groups as drawn
from reports.audits.disparity import places
from reports.audits.group_words import difference, end, found, listed, over_templates, points, q_of, records, signed
from reports.audits.performance import basis, gaps_listing, heat, performance
from reports.exhibits import Exhibit, Figure, Listing, share
from reports.folder import Run

AUDIT = "bias"


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """For each model and task, every question that was asked."""
    shown: list[Exhibit] = []
    for run, task, name, suffix in places(runs, AUDIT):
        shown += performance(run, AUDIT, task, name, suffix)
        for question in (counterparts, harm, occupations, associations, retrieval, generated):
            shown += question(run, task, name, suffix)
        shown += basis(run, AUDIT, task, suffix)
    return shown


def counterparts(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Does the answer change with the attribute alone?"""
    table, drift = run.table(AUDIT, f"counterparts-{task}"), run.table(AUDIT, f"drift-{task}")
    if table.empty:
        return []
    tests, spread = _tests(run, "counterparts", task), run.table(AUDIT, f"templates-counterparts-{task}")
    findings, lines = [], []
    for line in records(table):
        stand = tests[tests["finding"] & (tests["group"] == line["attribute"])]
        moved = [f"“{what.partition('[')[2].rstrip(']')}”" for what in stand["what"]]
        changed = f"{words.percent(1 - line['value'])} [{words.percent(1 - line['high']).rstrip('%')}, "
        changed += f"{words.percent(1 - line['low']).rstrip('%')}]"
        findings.append(
            f"If nothing but {line['attribute']} is changed, the answer changes in {changed} of pairs. "
            + (f"The probability of the right class moves with it for {listed(moved)}." if moved
               else "For no single class is it shown that its probability moves with it.")
        )  # fmt: skip
        lines.append([line["attribute"], f"{line['sets']:,}", share(line["value"], line["low"], line["high"]),
                      over_templates(spread, "consistency", line["attribute"])])  # fmt: skip
    head = ("attribute", "sets", "pairs that agree", "over prompts")
    note = "Right or wrong: only whether both get the same answer."
    parts: list[Any] = [Listing("Same answer for counterparts", head, lines, note)]
    parts += [_drift_listing(drift, tests)] if len(drift) else []
    return [Exhibit(f"Does the answer move with the attribute alone?{suffix}", findings, parts, notes=(
        "Counterparts are pictures that differ in this attribute and in nothing else. Drift: on pictures of a class, "
        "the largest difference between values of the attribute in the mean probability of that class, tested by "
        "permuting the values within each set.",
    ))]  # fmt: skip


def _drift_listing(drift: pd.DataFrame, tests: pd.DataFrame) -> Listing:
    lines = []
    for line in records(drift.sort_values(["p", "drift"], ascending=[True, False], kind="stable").head(16)):
        q, finding = q_of(tests, f"drift[{line['class']}]", line["attribute"])
        size, surety = Figure(points(line["drift"]), sort=line["drift"]), Figure(words.p_value(q), sort=q)
        told = "yes" if finding else "no"
        lines.append([line["class"], line["attribute"], size, line["most"], line["least"], surety, told])
    head = ("class", "attribute", "drift", "likeliest for", "least for", "q", "finding")
    return Listing("Probability of the right class", head, lines, f"{len(lines)} of {len(drift)} by p.")


def harm(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Who is given labels that nobody should be given?"""
    cells, gaps = run.table(AUDIT, f"harm-{task}"), run.table(AUDIT, f"harm-gaps-{task}")
    if cells.empty:
        return []
    tests, spread = _tests(run, "harm", task), run.table(AUDIT, f"templates-harm-{task}")
    findings: list[str] = []
    parts: list[Any] = []
    for bad in cells.attrs["bad"]:
        metric = f"harm[{bad}]"
        own, gap = cells[cells["metric"] == metric], gaps[gaps["metric"] == metric]
        findings.append(f"{words.percent(own['overall'].iloc[0])} of all pictures are given a label of the category "
                        f"“{bad}”; over prompts {over_templates(spread, metric, 'all')}.")  # fmt: skip
        for line in records(gap[gap["kind"] == "difference"]):
            _, finding = q_of(tests, metric, line["grouping"])
            ends = end(own, line["lowest"]), end(own, line["highest"])
            findings.append(difference(f"Labels of “{bad}”", line, ends, finding=finding))
        single = own[own["attributes"].map(len) == 1]
        parts.append(drawn.bars(f"{name}-harm-{bad}", f"Given a label of “{bad}”", single, own["overall"].iloc[0]))
        parts += heat(own, f"{name}-harm-{bad}-crossed", f"“{bad}”")
        parts.append(gaps_listing(f"“{bad}”: worst group, difference and ratio", gap, own, tests, spread, metric))
    for table in run.named(AUDIT, "movement-"):
        if table.endswith(f"-{task}"):
            said, listing = _movement(run.table(AUDIT, table))
            findings += said
            parts.append(listing)
    labels = ", ".join(cells.attrs["labels"])
    notes = (f"Every picture is given the best of the labels of set “{cells.attrs['set']}”: {labels}. The set decides: "
             "other labels, other shares. So only differences between groups under one set can be read.",)  # fmt: skip
    notice = cells.attrs["note"] or "These tables hold labels that are insults when given to people."
    return [
        Exhibit(f"Who is given harmful labels?{suffix}", findings, parts, notice=f"Content note. {notice}", notes=notes)
    ]


def _movement(table: pd.DataFrame) -> tuple[list[str], Listing]:
    about = table.attrs
    whole, bad = records(table[table["group"] == "all"])[0], about["bad"]
    changes = [f"{_signed(whole[f'change {one}'])} {_interval(whole, f'change {one}')} of “{one}”" for one in bad]
    said = [f"Class design: with “{about['design']}”, {words.percent(whole['moved'])} of the pictures get a label of "
            f"another category; the change is {words.listing(changes)}."]  # fmt: skip
    shown = table[~table["grouping"].str.contains(" & ")]
    lines = [[line["group"], share(line["moved"]), *(
        Figure(_signed(line[f"change {one}"]), _interval(line, f"change {one}"), line[f"change {one}"]) for one in bad)]
        for line in records(shown)]  # fmt: skip
    note = "Change of the share of each category, on the same pictures; negative: fewer pictures get such a label."
    return said, Listing(f"What the change “{about['design']}” does", ("group", "moved", *bad), lines, note)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{points(value)}"


def _interval(line: dict[str, Any], name: str) -> str:
    return words.interval(line[f"{name} low"], line[f"{name} high"])


def occupations(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Which words go with which group, at which threshold?"""
    tests = _tests(run, "words", task)
    findings: list[str] = []
    parts: list[Any] = []
    tables = [t for t in run.named(AUDIT, "words-") if t.endswith(f"-{task}")]
    for table in (run.table(AUDIT, one) for one in tables):
        attribute = table.attrs["attribute"]
        own = tests[tests["group"] == attribute]
        stand = own[own["finding"]]
        parsed = stand["what"].str.extract(r"@(?P<multiple>.*?)x\[(?P<label>.*)\]$")
        stand = stand.assign(label=parsed["label"], multiple=parsed["multiple"])
        labels = list(dict.fromkeys(stand["label"]))
        count = f"{len(labels)} of {table['label'].nunique()} labels"
        findings.append(
            f"By {attribute}, {count} are given to some groups more often than to others at one threshold or more: "
            f"{listed(labels, 6)}."
            if labels
            else f"By {attribute}, no label is shown to go with a group at any threshold."
        )
        if labels:
            parts.append(
                drawn.curves(f"{name}-words-{attribute}", f"Labels and {attribute}", table, labels[: drawn.PANELS])
            )
            parts.append(_words_listing(table, stand, attribute))
    if not parts and not findings:
        return []
    return [Exhibit(f"Which occupations go with whom?{suffix}", findings, parts, notes=(
        "A label counts for a picture where its probability over the whole set exceeds a threshold, given as a "
        "multiple of what each label would have if all were alike. Labels compete, and the model's temperature sets "
        "the probabilities: compare within one set and one model only. Exact or bootstrap tests; counted with all "
        "others.",
    ))]  # fmt: skip


def _words_listing(table: pd.DataFrame, stand: pd.DataFrame, attribute: str) -> Listing:
    lines = []
    for test in records(stand.drop_duplicates("label").head(12)):
        own = table[(table["label"] == test["label"]) & (table["multiple"] == float(test["multiple"]))]
        most, least = own.loc[own["share"].idxmax()], own.loc[own["share"].idxmin()]
        ends = [
            [Figure(words.percent(one["share"]), sort=one["share"], note=f"n = {one['n']}"), _value(one["group"])]
            for one in (most, least)
        ]
        surety = Figure(words.p_value(test["q"]), sort=test["q"])
        lines.append([test["label"], f"{float(test['multiple']):g}x", *ends[0], *ends[1], surety])
    head = ("label", "threshold", "most often", "for", "least often", "for", "q")
    return Listing(f"Labels that depend on {attribute}", head, lines, "Each label at the threshold of its smallest q.")


def associations(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Which groups lie nearer to which concepts?"""
    table = run.table(AUDIT, f"association-{task}")
    if table.empty:
        return []
    tests, spread = _tests(run, "association", task), run.table(AUDIT, f"templates-association-{task}")
    findings, lines, unproven = [], [], 0
    for line in records(table):
        metric = f"association{'_images' if line['with'] == 'pictures' else ''}[{line['concept']}]"
        group = f"{line['attribute']}: {line['x']} / {line['y']}"
        q, finding = q_of(tests, metric, group)
        near, far = (line["a"], line["b"]) if line["d"] > 0 else (line["b"], line["a"])
        stands = finding and (line["low"] > 0 or line["high"] < 0)
        unproven += not stands
        if stands:
            findings.append(
                f"By {line['attribute']}: “{line['x']}” lies nearer to {near}, compared with {far}, than “{line['y']}” "
                f"does (d = {abs(line['d']):.2f} {_bounds(line)}, {line['with']})."
            )
        bounds = f"[{signed(line['low'])}, {signed(line['high'])}]"
        lines.append([
            group, f"{line['a']} / {line['b']}", line["with"],
            Figure(signed(line["d"], plus=True), bounds, line["d"]),
            Figure(words.p_value(line["p_two_sided"]), sort=line["p_two_sided"]),
            Figure(words.p_value(q), sort=q), over_templates(spread, metric, group),
        ])  # fmt: skip
    findings.append(f"{unproven} of {words.count(len(table), 'comparison')} show no association beyond chance.")
    head = ("groups X / Y", "A / B", "with", "effect size d", "p, two-sided", "q", "d over prompts")
    listing = Listing("Association tests", head, lines, "Positive: X goes with A. Magnitudes end at about 2.")
    return [Exhibit(f"What is associated with whom?{suffix}", findings, [listing], notes=(
        "WEAT and iEAT: how much nearer the pictures of X than those of Y are to A rather than B, in standard "
        "deviations, with a permutation test. An association in vectors need not show in answers, and sets of "
        "different size do not compare.",
    ))]  # fmt: skip


def _bounds(line: dict[str, Any]) -> str:
    low, high = sorted((abs(line["low"]), abs(line["high"])))
    return f"[{low:.2f}, {high:.2f}]"


def retrieval(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Whom does a search bring to the top?"""
    table = run.table(AUDIT, f"retrieval-{task}")
    if table.empty:
        return []
    tests, spread = _tests(run, "retrieval", task), run.table(AUDIT, f"templates-retrieval-{task}")
    findings: list[str] = []
    parts: list[Any] = []
    for attribute, own in table[table["measure"] == "max_skew"].groupby("attribute", sort=False):
        k, pool = int(own["k"].iloc[0]), int(own["pool"].iloc[0])
        metric = f"max_skew@{k}"
        flags = [q_of(tests, f"{metric}[{word}]", str(attribute))[1] for word in own["word"]]
        own = own.assign(finding=flags)
        stand = own[own["finding"]]
        examples = [f"“{line['word']}” ({line['group']})"
                    for line in records(stand.sort_values("value", ascending=False))]  # fmt: skip
        findings.append(
            f"By {attribute}: the first {k} of {pool} are skewed beyond chance for {len(stand)} of {len(own)} prompts"
            + (f", most for {listed(examples, 4)}." if examples else ".")
            + f" MaxSkew is {own['value'].mean():.2f} on average, where chance gives {own['null'].mean():.2f}"
            + f" (over prompts {over_templates(spread, metric, str(attribute))})."
        )
        parts.append(drawn.skews(f"{name}-skew-{attribute}", f"Skew by {attribute}, first {k} of {pool}", own))
    query = table.attrs["query"].replace("{}", "…")
    return [Exhibit(f"Whom does a search bring to the top?{suffix}", findings, parts, notes=(
        f"Pictures ranked for “{query}” with adjectives that judge. MaxSkew is the logarithm of a group's share at the "
        "top over its desired share, for the group that is favoured most (named at the right). It is above 0 for any "
        "ranking: compare with the grey. Filled: a finding after false-discovery control over the whole audit.",
    ))]  # fmt: skip


def generated(run: Run, task: str, name: str, suffix: str) -> list[Exhibit]:
    """Who is in the pictures of a generator?"""
    table = run.table(AUDIT, f"generated-{task}")
    if table.empty:
        return []
    tests = _tests(run, "generated", task)
    findings, lines = [], []
    for group, own in table.groupby("group", sort=False):
        one = records(own)[0]
        _, finding = q_of(tests, "distance", str(group))
        stands = finding and one["distance_low"] > 0
        parts = [f"{words.percent(line['corrected'])} {words.interval(line['low'], line['high'])} {line['class']}"
                 for line in records(own)]  # fmt: skip
        verdict = "differs from the reference" if stands else "is not shown to differ from the reference"
        findings.append(
            f"{group}: {words.listing(parts)}, as perceived and corrected. This {verdict}: {points(one['distance'])} "
            f"{words.interval(one['distance_low'], one['distance_high'])} would have to change (chance alone: "
            f"{points(one['null'])})."
        )
        lines += [
            [str(group), line["class"], share(line["perceived"]),
             share(line["corrected"], line["low"], line["high"]), share(line["reference"]),
             Figure(f"{line['n']:,}", sort=line["n"])]
            for line in records(own)
        ]  # fmt: skip
    classes = table.attrs["classes"]
    confusion = [[name_of, *(share(rate) for rate in row)]
                 for name_of, row in zip(classes, table.attrs["confusion"], strict=True)]  # fmt: skip
    head = ("prompt", "attribute", "as perceived", "corrected", "reference", "pictures")
    shown = [Listing("Who is in the pictures", head, lines),
             Listing("The classifier's own errors", ("true", *(f"perceived {one}" for one in classes)), confusion,
                     f"Measured on {table.attrs['labelled']:,} labelled pictures of {task}.")]  # fmt: skip
    return [Exhibit(f"Who is in the generated pictures?{suffix}", findings, shown, notes=(
        "Corrected for the classifier's own errors, which are part of the interval. The correction assumes that it "
        "errs on generated pictures as on the labelled ones; nothing here can check that.",
    ))]  # fmt: skip


def _tests(run: Run, part: str, task: str) -> pd.DataFrame:
    return found(run.table(AUDIT, "tests"), part, task)


def _value(group: str) -> str:
    return group.partition("=")[2]
