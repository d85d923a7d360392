"""Exhibits of the robustness audit on clean pictures: confidence, prompts, pictures seen before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports import words
from reports.audits import robustness_figures as figures
from reports.audits.robustness_words import AUDIT, kind_of, named, points, stacked
from reports.exhibits import Exhibit, Figure, Gallery, Listing, Picture, share
from reports.folder import Run

NAN = float("nan")


def confidence(runs: Sequence[Run], curves: pd.DataFrame) -> Exhibit | None:
    """Does the model know when it is right?"""
    table = stacked(runs, "reliability-")
    if not len(table):
        return None
    lines, findings = [], []
    for run in runs:
        for task, rows in _clean(run, "ece").groupby("task", sort=False):
            by = rows.set_index("metric")
            findings.append(_promise(named(run), str(task), by))
            lines.append(_confidence_line(named(run), str(task), by))
    findings += _under_damage(curves)
    head = ["model", "task", "calibration error", "if all were well", "Brier score", "log loss", "confidence less accuracy",
            "fitted temperature", "calibration error after"]  # fmt: skip
    how = sorted({run.table(AUDIT, name).attrs["how"] for run in runs for name in run.named(AUDIT, "reliability-")})
    return Exhibit(
        "Does it know when it is right?",
        findings,
        [*(figures.reliability(part, str(model)) for model, part in table.groupby("model", sort=False)),
         Listing("Calibration", head, lines, note="The calibration error (ECE) is the mean distance between how sure the "
                 "model is and how often it is right, over 15 bins. It is never 0: 'if all were well' is what a model "
                 "whose confidence always comes true would show on as many pictures.")],
        notes=("A temperature above 1 makes a model less sure of everything; it changes no answer. "
               f"Here: {'; '.join(how)}.",),
    )  # fmt: skip


def _clean(run: Run, holding: str) -> pd.DataFrame:
    """Rows of the clean pictures of the tasks that have this metric."""
    rows = run.rows[(run.rows["condition"] == "clean") & (run.rows["status"] == "ok") & (run.rows["group"] == "all")]
    return rows[rows["task"].isin(rows.loc[rows["metric"] == holding, "task"])].drop_duplicates(["task", "metric"])


def _promise(model: str, task: str, by: pd.DataFrame) -> str:
    gap, ece = by.loc["overconfidence"], by.loc["ece"]
    if gap["low"] > 0:
        told = f"is surer than it should be by {points(gap['value'], gap['low'], gap['high'])}"
    elif gap["high"] < 0:
        told = f"is less sure than it could be by {points(-gap['value'], -gap['high'], -gap['low'])}"
    else:
        told = "is about as sure as it is right on average"
    also = "" if ece["low"] > 0 else "; its calibration error cannot be told from none"
    return f"{model} on {task} {told}{also}."


def _confidence_line(model: str, task: str, by: pd.DataFrame) -> list[str | Figure]:
    def cell(metric: str) -> Figure:
        return share(*by.loc[metric, ["value", "low", "high"]]) if metric in by.index else Figure("–")

    def number(metric: str) -> Figure:
        value, low, high = by.loc[metric, ["value", "low", "high"]]
        bounds = f"[{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""
        return Figure(f"{value:.2f}", bounds, sort=value)

    return [model, task, cell("ece"), share(by.loc["ece", "chance"]), number("brier"), number("nll"),
            cell("overconfidence"), number("temperature"), cell("scaled_ece")]  # fmt: skip


def _under_damage(curves: pd.DataFrame) -> list[str]:
    """Whether confidence falls with accuracy when pictures are damaged, by model, as a mean over tasks."""
    if not len(curves) or curves["confidence"].isna().all():
        return []
    found = []
    for model, part in curves.groupby("model", sort=False):
        clean = part[part["kind"] == "unchanged"][["value", "confidence"]].mean()
        damaged = part[part["kind"].map(kind_of) == "corruption"][["value", "confidence"]].mean()
        if np.isfinite(damaged["value"]):
            found.append(
                f"When pictures are damaged, {model} is right {points(clean['value'] - damaged['value'])} less often, and "
                f"{points(abs(clean['confidence'] - damaged['confidence']))} "
                f"{'less' if damaged['confidence'] < clean['confidence'] else 'more'} sure of itself."
            )
    return found


def prompts(runs: Sequence[Run]) -> Exhibit | None:
    """How much of the score is the wording's?"""
    lines, findings, losers = [], [], []
    for run in runs:
        for task, rows in _clean(run, "prompt_spread").groupby("task", sort=False):
            by = rows.set_index("metric")
            about = run.table(AUDIT, f"templates-{task}")
            findings.append(_wording(named(run), str(task), by, about))
            spread, gain = by.loc["prompt_spread"], by.loc["ensemble_gain"]
            lines.append([
                named(run), str(task), share(about.attrs["ensemble"]), *(share(by.loc[f"prompt_{one}", "value"]) for one in
                ("best", "median", "worst")), share(spread["value"], spread["low"], spread["high"]),
                share(gain["value"], gain["low"], gain["high"]), Figure(str(len(about)), sort=len(about)),
            ])  # fmt: skip
            classes = run.table(AUDIT, f"template-classes-{task}")
            changed = classes[classes["sure"]] if len(classes) else classes
            losers += [[named(run), str(task), str(one["class"]), share(one["before"]), share(one["after"]),
                        share(one["difference"], one["low"], one["high"]), Figure(str(one["n"]), sort=int(one["n"]))]
                       for _, one in changed.iterrows()]  # fmt: skip
    if not lines:
        return None
    head = ["model", "task", "all templates together", "best", "median", "worst", "best less worst", "gain of all together",
            "templates"]  # fmt: skip
    parts = [Listing("Accuracy by wording", head, lines)]
    if losers:
        parts.append(Listing("Classes that win or lose by it", ["model", "task", "class", "one template", "all together",
                                                                 "difference", "pictures"], losers))  # fmt: skip
    return Exhibit("How much is the wording?", findings, parts, notes=(
        "Each template ('a photo of a {}.') was scored by itself on the same pictures. A class is listed where it changed "
        "for sure between the plain template and all together (5% false claims).",))  # fmt: skip


def _wording(model: str, task: str, by: pd.DataFrame, table: pd.DataFrame) -> str:
    spread, gain = by.loc["prompt_spread"], by.loc["ensemble_gain"]
    told = f"{model} on {task}: the best of {len(table)} wordings gets {words.percent(by.loc['prompt_best', 'value'])}, the "
    told += f"worst {words.percent(by.loc['prompt_worst', 'value'])}"
    told += " (a sure difference)" if spread["low"] > 0 else " (no sure difference)"
    if gain["low"] > 0:
        return f"{told}; using all together gains {points(gain['value'], gain['low'], gain['high'])} over their mean."
    if gain["high"] < 0:
        return f"{told}; using all together loses {points(-gain['value'], -gain['high'], -gain['low'])} against their mean."
    return f"{told}; using all together changes nothing for sure."


def overlap(runs: Sequence[Run]) -> Exhibit | None:
    """Were test pictures seen in training?"""
    lines, pairs, findings = [], [], []
    for run in runs:
        for name in run.named(AUDIT, "overlap-"):
            table = run.table(AUDIT, name)
            about = table.attrs
            rows = run.rows[(run.rows["task"] == about["task"]) & (run.rows["metric"] == "overlap_added")]
            added = rows.iloc[-1] if len(rows) else pd.Series({"value": NAN, "low": NAN, "high": NAN})
            count = round(about["share"] * about["n"])
            lines.append([
                named(run), about["task"], Figure(f"{count:,} of {about['n']:,}", sort=count), share(about["clean"]),
                share(NAN if about["overlap"] is None else about["overlap"]),
                share(added["value"], added["low"], added["high"]), Figure(words.p_value(about["p"]), sort=about["p"]),
            ])  # fmt: skip
            findings.append(_seen(named(run), about, count))
            shown = table[table["jpeg"].map(len) > 0] if len(table) else table
            for _, one in shown.head(3).iterrows():
                pairs += [Picture(one["jpeg"], f"{about['task']}: test", one["detector"])]
                pairs += [Picture(one["other_jpeg"], "its twin", one["where"])] if one["other_jpeg"] else []
    if not lines:
        return None
    head = ["model", "task", "found", "right: not found", "right: found", "adds to the score", "p"]
    parts: list[Listing | Gallery] = [Listing("Test pictures found in training data", head, lines)]
    if pairs:
        parts.append(Gallery("What was found", pairs))
    return Exhibit("Has it seen the test?", findings, parts, notes=(
        "Looked for in the data set's own training split (and in the vectors that were named): the same pixels, or nearly "
        "the same thumbnail. What the model itself was trained on is not known here. p: one-sided binomial test that found "
        f"pictures are easier; for {words.count(len(lines), 'test')}, compare with {0.05 / len(lines):.2g}.",))  # fmt: skip


def _seen(model: str, about: dict[str, object], count: int) -> str:
    detectors = [str(one) for one in about["detectors"]]  # type: ignore[attr-defined]
    if not count:
        return f"{about['task']}: no test picture was found in its training split (by {' and '.join(detectors)})."
    return f"{about['task']}: {words.count(count, 'test picture')} found in its training split."
