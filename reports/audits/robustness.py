"""The robustness audit as exhibits: damaged pictures, one change at a time, other pictures, confidence, prompts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports import words
from reports.audits import robustness_figures as figures
from reports.audits import robustness_trust as trust
from reports.audits.robustness_words import AUDIT, by_task, first_loss, kind_of, named, points, stacked
from reports.exhibits import Exhibit, Figure, Gallery, Listing, Picture, share
from reports.folder import Run

FEWEST = 5
"""Reference models below which a sentence warns."""
MOST = 4
"""Tasks (or shifts) that get a figure of their own; all are in the tables."""


def exhibits(runs: Sequence[Run]) -> list[Exhibit]:
    """One section for each question that the audit asked."""
    curves, shifts = stacked(runs, "curves-"), stacked(runs, "shift-")
    made = [
        _damaged(runs, curves), _swept(curves), _shifted(runs, shifts),
        trust.confidence(runs, curves), trust.prompts(runs), trust.overlap(runs),
    ]  # fmt: skip
    return [one for one in made if one is not None]


def _damaged(runs: Sequence[Run], curves: pd.DataFrame) -> Exhibit | None:
    damaged = curves[curves["kind"].map(kind_of) == "corruption"] if len(curves) else curves
    if not len(damaged):
        return None
    findings = [sentence for run in runs for sentence in _losses(run)]
    findings += [_worst(part, str(model)) for model, part in damaged.groupby("model", sort=False)]
    tasks = list(dict.fromkeys(damaged["task"]))
    parts = [figures.severity(curves, task) for task in tasks[:MOST]]
    levels = sorted(damaged["level"].unique())
    return Exhibit(
        "When pictures are damaged",
        [one for one in findings if one],
        [*parts, _by_corruption(damaged), *_sheets(runs)],
        notes=(
            f"Each picture was damaged in {damaged['name'].nunique()} ways at severity {_list(levels)} (ImageNet-C's "
            "definitions, made on the fly). Severities are settings, not amounts: severity 4 of one damage can be "
            "worse than 5 of another, or than its own 5. All figures are of the same pictures, damaged or not.",
            *_mce_notes(runs),
        ),
    )


def _losses(run: Run) -> list[str]:
    """What each task loses on average, with what can be said of it."""
    rows = run.rows[(run.rows["condition"] == "corrupted") & (run.rows["status"] == "ok")]
    found = []
    for task, by in by_task(rows).items():
        drop, left = by["corruption_drop"], by["top1"]
        told = (
            f"{named(run)} on {task}: {words.percent(left.value + drop.value)} of {words.count(drop.n, 'picture')} "
            f"right as they are, {words.percent(left.value)} on average when damaged. "
        )
        if drop.low > 0:
            told += f"The loss is {drop.points}."
        elif drop.high < 0:
            told += f"That is a gain of {drop.minus.points}."
        else:
            told += f"With so few pictures that is no sure loss ({drop.points})."
        found.append(told)
    return found


def _worst(part: pd.DataFrame, model: str) -> str:
    """The three kinds of damage with the greatest mean loss, if any loss is sure."""
    sure = set(part.loc[part["drop_low"] > 0, "name"])
    if not sure:
        return f"{model}: no single kind of damage costs enough to be sure of it."
    mean = part.groupby("name")["drop"].mean().sort_values(ascending=False)
    told = _list([f"{_plain(name)} ({points(float(value))})" for name, value in mean.head(3).items()])
    harmless = [_plain(name) for name in mean.index if name not in sure]
    end = f" Without a sure loss anywhere: {_list(harmless[:5])}." if harmless else ""
    return f"{model} suffers most from {told}, as a mean over tasks and severities.{end}"


def _plain(name: object) -> str:
    return str(name).replace("_", " ")


def _by_corruption(damaged: pd.DataFrame) -> Listing:
    keys = list(dict.fromkeys(zip(damaged["model"].map(str), damaged["task"].map(str), strict=True)))
    several = len({model for model, _ in keys}) > 1
    lines: list[list[str | Figure]] = []
    for name, part in damaged.groupby("name", sort=False):
        line: list[str | Figure] = [_plain(name), _plain(part["kind"].iloc[0])]
        for model, task in keys:
            own = part[(part["model"] == model) & (part["task"] == task)]
            note = f"{int((own['drop_low'] > 0).sum())} of {len(own)} severities lose surely"
            line.append(
                share(float(own["value"].mean()), note=note, shade=float(np.clip(own["drop"].mean() * 2, 0, 1)))
            )
        lines.append(line)
    head = ["damage", "kind", *(f"{task} ({model})" if several else task for model, task in keys)]
    return Listing(
        "Accuracy under each kind of damage", head, lines,
        note="Mean over severities; darker cells lost more against the undamaged pictures.",
    )  # fmt: skip


def _sheets(runs: Sequence[Run]) -> list[Gallery]:
    found: dict[str, Gallery] = {}
    for run in runs:
        for name in run.named(AUDIT, "sheet-"):
            table, task = run.table(AUDIT, name), name.removeprefix("sheet-")
            pictures = [Picture(one["jpeg"], str(one["name"]).replace("_", " ").replace("@", " ")) for _, one in
                        table.iterrows()]  # fmt: skip
            found.setdefault(task, Gallery(f"One picture of {task} under the strongest of everything", pictures))
    return list(found.values())[:3]


def _mce_notes(runs: Sequence[Run]) -> list[str]:
    notes: dict[str, None] = {}
    for run in runs:
        for name in run.named(AUDIT, "curves-"):
            about = run.table(AUDIT, name).attrs
            if about.get("mce") is not None:
                notes[f"{named(run)}, {about['task']}: mCE {100 * about['mce']:.1f}, relative mCE "
                      f"{100 * about['relative_mce']:.1f} ({about['mce_note']})."] = None  # fmt: skip
            else:
                notes[f"No mCE (the usual sum over damages, in per cent of AlexNet's) for {about.get('task')}: "
                      f"{about.get('mce_reason')}"] = None  # fmt: skip
    return list(notes)[:MOST]


def _swept(curves: pd.DataFrame) -> Exhibit | None:
    swept = curves[curves["kind"].map(kind_of) == "sweep"] if len(curves) else curves
    if not len(swept):
        return None
    names = list(dict.fromkeys(swept["name"]))
    findings = [first_loss(swept[swept["name"] == name]) for name in names]
    return Exhibit(
        "One change at a time",
        findings,
        [figures.dose(curves, name) for name in names],
        notes=(
            "Doses are amounts: twice the blur is twice the blur. A loss is called sure where the 95% interval of the "
            "difference to the same pictures unchanged leaves out zero; of forty without effect, one would look so.",
        ),
    )


def _shifted(runs: Sequence[Run], shifts: pd.DataFrame) -> Exhibit | None:
    if not len(shifts):
        return None
    fitted = shifts[shifts["effective_robustness"].notna()] if "effective_robustness" in shifts else shifts.head(0)
    findings = [_fitted(line) for _, line in fitted.iterrows()]
    findings.append(_costs(shifts))
    drawn = [figures.robustness(runs, fitted, name) for name in list(dict.fromkeys(fitted["shift"]))[:MOST]]
    plain = shifts[~shifts["shift"].isin(fitted["shift"])]
    drawn += [figures.shifts(plain)] if len(plain) else []
    reasons = {run.table(AUDIT, name).attrs.get("reason", "") for run in runs for name in run.named(AUDIT, "shift-")}
    formula = "Share of the gap closed = (accuracy under shift − expected) / (accuracy in distribution − expected)."
    return Exhibit(
        "The same things in other pictures",
        findings,
        [*drawn, _shift_table(shifts)],
        notes=(
            "Accuracy is among the classes that both sets share, with the same prompts on both. The expected accuracy "
            "is that of ordinary models which do as well on the first set, read off a straight line through them on "
            "the transformed axes; effective robustness is what is above it.",
            formula,
            *sorted(one for one in reasons if one)[:2],
        ),
    )


def _costs(shifts: pd.DataFrame) -> str:
    sure = shifts[shifts["shift_drop_low"] > 0].sort_values("shift_drop", ascending=False)
    told = f"Of {words.count(len(shifts), 'change', 'changes')} of pictures, {len(sure)} cost accuracy for sure"
    return f"{told}; the most is {sure['shift'].iloc[0]} ({_drop_of(sure.iloc[0])})." if len(sure) else f"{told}."


def _fitted(line: pd.Series) -> str:
    value, low, high = (line[f"effective_robustness{end}"] for end in ("", "_low", "_high"))
    told = f"{line['model']}, {line['shift']}: {words.percent(line['shifted'])} right, where ordinary models of its "
    told += f"accuracy get {words.percent(line['expected'])}: "
    if low > 0:
        told += f"{points(value, low, high)} better than they"
    elif high < 0:
        told += f"{points(-value, -high, -low)} worse than they"
    else:
        told += f"no sure difference ({points(value, low, high)})"
    if np.isfinite(line["gap_closed"]) and line["gap_closed"] > 0 and low > 0:
        told += f". It closes {words.percent(line['gap_closed'], digits=0)} of the gap"
    if line["models"] < FEWEST:
        told += f" (the line rests on {words.count(line['models'], 'model')} only)"
    if line["extrapolated"]:
        return f"{told}. It lies outside the models that drew the line, so the expectation is a guess."
    return f"{told}."


def _drop_of(line: pd.Series) -> str:
    return points(line["shift_drop"], line["shift_drop_low"], line["shift_drop_high"])


def _shift_table(shifts: pd.DataFrame) -> Listing:
    columns = {"in_distribution": "before", "shifted": "after", "shift_drop": "loss", "in_distribution_all":
               "before, all classes", "shifted_all": "after, all classes", "expected": "expected",
               "effective_robustness": "effective robustness", "gap_closed": "gap closed"}  # fmt: skip
    known = {name: text for name, text in columns.items() if name in shifts and shifts[name].notna().any()}
    lines: list[list[str | Figure]] = []
    for _, one in shifts.iterrows():
        cells = [share(one[name], one.get(f"{name}_low", np.nan), one.get(f"{name}_high", np.nan)) for name in known]
        lines.append(
            [str(one["model"]), str(one["shift"]), Figure(str(int(one["classes"])), sort=int(one["classes"])), *cells]
        )
    return Listing("Every change of pictures", ["model", "from -> to", "classes", *known.values()], lines)


def _list(items: Sequence[object]) -> str:
    texts = [f"{one:g}" if isinstance(one, float) else str(one) for one in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
