"""Exhibits of the robustness audit on clean pictures: confidence, prompts, pictures seen before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports import words
from reports.audits import robustness_figures as figures
from reports.audits.robustness_words import AUDIT, Told, by_task, kind_of, named, points, stacked
from reports.exhibits import Exhibit, Figure, Gallery, Listing, Picture, share
from reports.folder import Run

NOTE = (
    "The calibration error (ECE) is the mean distance between how sure the model is and how often it is right, over 15 "
    "bins. It is never 0: 'if all were well' is what a model whose confidence always comes true would show on as many "
    "pictures."
)


def confidence(runs: Sequence[Run], curves: pd.DataFrame) -> Exhibit | None:
    """Does the model know when it is right?"""
    table = stacked(runs, "reliability-")
    if not len(table):
        return None
    lines, findings = [], []
    for run in runs:
        for task, by in by_task(_clean(run, "ece")).items():
            findings.append(_promise(named(run), task, by))
            lines.append(_confidence_line(named(run), task, by))
    findings += _under_damage(curves)
    head = ["model", "task", "calibration error", "if all were well", "Brier score", "log loss",
            "confidence less accuracy", "fitted temperature", "calibration error after"]  # fmt: skip
    how = sorted({run.table(AUDIT, name).attrs["how"] for run in runs for name in run.named(AUDIT, "reliability-")})
    return Exhibit(
        "Does it know when it is right?",
        findings,
        [*(figures.reliability(part, str(model)) for model, part in table.groupby("model", sort=False)),
         Listing("Calibration", head, lines, note=NOTE)],
        notes=("A temperature above 1 makes a model less sure of everything; it changes no answer. "
               f"Here: {'; '.join(how)}.",),
    )  # fmt: skip


def _clean(run: Run, holding: str) -> pd.DataFrame:
    """Rows of the clean pictures of the tasks that have this metric."""
    rows = run.rows[(run.rows["condition"] == "clean") & (run.rows["status"] == "ok") & (run.rows["group"] == "all")]
    return rows[rows["task"].isin(rows.loc[rows["metric"] == holding, "task"])].drop_duplicates(["task", "metric"])


def _promise(model: str, task: str, by: dict[str, Told]) -> str:
    gap = by["overconfidence"]
    if gap.low > 0:
        told = f"is surer than it should be by {gap.points}"
    elif gap.high < 0:
        told = f"is less sure than it could be by {gap.minus.points}"
    else:
        told = "is about as sure as it is right on average"
    also = "" if by["ece"].low > 0 else "; its calibration error cannot be told from none"
    return f"{model} on {task} {told}{also}."


def _confidence_line(model: str, task: str, by: dict[str, Told]) -> list[str | Figure]:
    def number(one: Told) -> Figure:
        bounds = f"[{one.low:.2f}, {one.high:.2f}]" if np.isfinite(one.low) else ""
        return Figure(f"{one.value:.2f}", bounds, sort=one.value)

    return [model, task, by["ece"].cell, share(by["ece"].chance), number(by["brier"]), number(by["nll"]),
            by["overconfidence"].cell, number(by["temperature"]), by["scaled_ece"].cell]  # fmt: skip


def _under_damage(curves: pd.DataFrame) -> list[str]:
    """Whether confidence falls with accuracy when pictures are damaged, by model, as a mean over tasks."""
    if not len(curves) or curves["confidence"].isna().all():
        return []
    found = []
    for model, part in curves.groupby("model", sort=False):
        clean = part[part["kind"] == "unchanged"][["value", "confidence"]].mean()
        damaged = part[part["kind"].map(kind_of) == "corruption"][["value", "confidence"]].mean()
        if np.isfinite(damaged["value"]):
            change = clean["confidence"] - damaged["confidence"]
            found.append(
                f"When pictures are damaged, {model} is right {points(clean['value'] - damaged['value'])} less often, "
                f"and {points(abs(change))} {'less' if change > 0 else 'more'} sure of itself."
            )
    return found


def prompts(runs: Sequence[Run]) -> Exhibit | None:
    """How much of the score is the wording's?"""
    lines: list[list[str | Figure]] = []
    findings: list[str] = []
    losers: list[list[str | Figure]] = []
    for run in runs:
        for task, by in by_task(_clean(run, "prompt_spread")).items():
            table, model = run.table(AUDIT, f"templates-{task}"), named(run)
            findings.append(_wording(model, task, by, len(table)))
            spread = [by[f"prompt_{one}"].cell for one in ("best", "median", "worst", "spread")]
            lines.append([model, task, share(table.attrs["ensemble"]), *spread, by["ensemble_gain"].cell,
                          Figure(str(len(table)), sort=len(table))])  # fmt: skip
            losers += [[model, task, *line] for line in _changed(run.table(AUDIT, f"template-classes-{task}"))]
    if not lines:
        return None
    head = ["model", "task", "all templates together", "best", "median", "worst", "best less worst",
            "gain of all together", "templates"]  # fmt: skip
    parts = [Listing("Accuracy by wording", head, lines)]
    if losers:
        head = ["model", "task", "class", "one template", "all together", "difference", "pictures"]
        parts.append(Listing("Classes that win or lose by it", head, losers))
    note = (
        "Each template ('a photo of a {}.') was scored by itself on the same pictures. A class is listed where it "
        "changed for sure between the plain template and all together (5% false claims)."
    )
    return Exhibit("How much is the wording?", findings, parts, notes=(note,))


def _changed(classes: pd.DataFrame) -> list[list[str | Figure]]:
    """Classes that changed for sure, greatest loss first."""
    found = classes[classes["sure"]] if len(classes) else classes
    return [
        [str(one["class"]), share(one["before"]), share(one["after"]),
         share(one["difference"], one["low"], one["high"]), Figure(str(one["n"]), sort=int(one["n"]))]
        for _, one in found.iterrows()
    ]  # fmt: skip


def _wording(model: str, task: str, by: dict[str, Told], count: int) -> str:
    gain = by["ensemble_gain"]
    told = (
        f"{model} on {task}: the best of {count} wordings gets {words.percent(by['prompt_best'].value)}, the worst "
        f"{words.percent(by['prompt_worst'].value)} ({'a' if by['prompt_spread'].low > 0 else 'no'} sure difference); "
    )
    if gain.low > 0:
        return f"{told}using all together gains {gain.points} over their mean."
    if gain.high < 0:
        return f"{told}using all together loses {gain.minus.points} against their mean."
    return f"{told}using all together changes nothing for sure."


def overlap(runs: Sequence[Run]) -> Exhibit | None:
    """Were test pictures seen in training?"""
    lines: list[list[str | Figure]] = []
    pairs: list[Picture] = []
    findings: list[str] = []
    for run in runs:
        for name in run.named(AUDIT, "overlap-"):
            table = run.table(AUDIT, name)
            about = {str(key): value for key, value in table.attrs.items()}
            count, total = round(about["share"] * about["n"]), about["n"]
            added = by_task(_clean(run, "overlap_added"))[about["task"]]["overlap_added"]
            overlap = Figure("–") if about["overlap"] is None else share(about["overlap"])
            lines.append([
                named(run), about["task"], Figure(f"{count:,} of {total:,}", sort=count), share(about["clean"]),
                overlap, added.cell, Figure(words.p_value(about["p"]), sort=about["p"]),
            ])  # fmt: skip
            findings.append(_seen(about, count))
            pairs += _twins(table, about["task"])
    if not lines:
        return None
    head = ["model", "task", "found", "right: not found", "right: found", "adds to the score", "p"]
    parts: list[Listing | Gallery] = [Listing("Test pictures found in training data", head, lines)]
    if pairs:
        parts.append(Gallery("What was found", pairs))
    note = (
        "Looked for in the data set's own training split (and in the vectors that were named): the same pixels, or "
        "nearly the same thumbnail. What the model itself was trained on is not known here. p: one-sided binomial test "
        f"that found pictures are easier; over {words.count(len(lines), 'test')}, below {0.05 / len(lines):.2g} counts."
    )
    return Exhibit("Has it seen the test?", findings, parts, notes=(note,))


def _twins(table: pd.DataFrame, task: str) -> list[Picture]:
    """The first three pairs."""
    shown = table[table["jpeg"].map(len) > 0].head(3) if len(table) else table
    pairs = []
    for _, one in shown.iterrows():
        pairs.append(Picture(one["jpeg"], f"{task}: test", str(one["detector"])))
        if one["other_jpeg"]:
            pairs.append(Picture(one["other_jpeg"], "its twin", str(one["where"])))
    return pairs


def _seen(about: dict[str, Any], count: int) -> str:
    if not count:
        return (
            f"{about['task']}: no test picture was found in its training split (by {' and '.join(about['detectors'])})."
        )
    return f"{about['task']}: {words.count(count, 'test picture')} found in its training split."
