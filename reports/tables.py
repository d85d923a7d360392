"""DataFrame -> DataFrame operations on the rows: headline, verdicts, summaries, grids, failures.

Every function takes rows in the schema of `bench.results` (or what another function here made of them), returns a new
table and touches no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports import intervals

CELL = ["model", "task", "evaluation", "condition"]


def lines(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain dictionaries, in order."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def headline(rows: pd.DataFrame) -> pd.DataFrame:
    """The main rows: one a (run, model, task, split, evaluation), clean pictures, all groups, with a verdict.

    A run that only looked at changed pictures has no clean row; then its conditions are the main rows.
    """
    main = rows[rows["headline"] & (rows["group"] == "all")]
    clean = main[main["condition"] == "clean"]
    main = (clean if len(clean) else main).reset_index(drop=True)
    return main.assign(
        verdict=verdict(main),
        adjusted=intervals.adjusted(main["value"].to_numpy(), main["chance"].to_numpy()),
        label=labels(main),
        name=labels(main, ("condition", "split")),
    )


def verdict(rows: pd.DataFrame) -> pd.Series:
    """above | at | below chance by the whole interval; unknown without interval or chance; empty if not scored."""
    low, high, chance = rows["low"], rows["high"], rows["chance"]
    known = low.notna() & high.notna() & chance.notna()
    answers = np.select([(rows["status"] != "ok"), ~known, low > chance, high < chance],
                        ["", "unknown", "above", "below"], "at")  # fmt: skip
    return pd.Series(answers, index=rows.index, dtype=object)


def labels(rows: pd.DataFrame, columns: Sequence[str] = ("evaluation", "condition", "split")) -> pd.Series:
    """The task's name, with what else is needed to tell rows of one table apart; at last the run."""
    text = rows["task"].astype(str)
    for column in columns:
        if rows.groupby("task")[column].nunique().max() > 1:
            text = text + " · " + rows[column].astype(str)
    twice = pd.DataFrame({"label": text, "model": rows["model"], "evaluation": rows["evaluation"]}).duplicated(
        keep=False
    )
    return text.mask(twice, text + " · " + rows["run"].astype(str))


def ok(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["status"] == "ok"]


def problems(rows: pd.DataFrame) -> pd.DataFrame:
    """Failed and skipped cells with their reasons; a reason shared by several tasks of a model stands once.

    A group that is too small to be shown is no problem of the run: the audit that suppressed it says so itself.
    """
    bad = rows[(rows["status"] != "ok") & (rows["group"] == "all")]
    grouped = bad.groupby(["status", "model", "evaluation", "reason"], sort=False)["task"]
    return grouped.agg(lambda tasks: list(dict.fromkeys(tasks))).reset_index(name="tasks")


def summaries(main: pd.DataFrame) -> pd.DataFrame:
    """One row a (model, evaluation): counts of verdicts, plain, chance-adjusted and weighted mean, extremes."""
    groups = main.groupby(["model", "evaluation"], sort=False)
    return pd.DataFrame([{"model": model, "evaluation": how, **_summary(rows)} for (model, how), rows in groups])


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    scored = ok(rows)
    values, low, high, chance = (scored[name].to_numpy() for name in ("value", "low", "high", "chance"))
    plain = intervals.mean(values, low, high)
    adjusted = [intervals.adjusted(bound, chance) for bound in (values, low, high)]
    above_chance, weighted = intervals.mean(*adjusted), intervals.weighted_mean(*adjusted)
    facts: dict[str, Any] = {"tasks": len(rows), "scored": len(scored), "pictures": int(scored["n"].sum())}
    facts |= {name: int((rows["status"] == name).sum()) for name in ("failed", "skipped")}
    facts |= {name: int((scored["verdict"] == name).sum()) for name in ("above", "at", "below", "unknown")}
    for name, one in (("mean", plain), ("adjusted", above_chance), ("weighted", weighted)):
        facts |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return facts | _extremes(scored)


def _extremes(scored: pd.DataFrame) -> dict[str, Any]:
    """The best and worst task, measured from chance: 60 % of two classes is less than 60 % of three hundred."""
    facts: dict[str, Any] = {}
    order = scored.assign(key=scored["adjusted"].fillna(scored["value"])).sort_values("key", kind="stable")
    for name, position in (("best", -1), ("worst", 0)):
        row = order.iloc[position] if len(order) else None
        facts |= {name: "" if row is None else row["label"], f"{name}_value": np.nan if row is None else row["value"],
                  f"{name}_chance": np.nan if row is None else row["chance"]}  # fmt: skip
    return facts


def families(main: pd.DataFrame) -> pd.DataFrame:
    """Mean by family of tasks, plain and from chance, for each model and evaluation."""
    records = []
    for (model, how, family), rows in ok(main).groupby(["model", "evaluation", "family"], sort=True):
        plain = intervals.mean(*(rows[name].to_numpy() for name in ("value", "low", "high")))
        records.append({"model": model, "evaluation": how, "family": family, "tasks": len(rows), "value": plain.value,
                        "low": plain.low, "high": plain.high, "adjusted": float(rows["adjusted"].mean())})  # fmt: skip
    return pd.DataFrame(records, columns=["model", "evaluation", "family", "tasks", "value", "low", "high", "adjusted"])


def leaderboard(main: pd.DataFrame) -> pd.DataFrame:
    """Models in order of their mean over the tasks that every model finished, so that nobody gains by failing."""
    shared = common(main)
    fair = main[main["label"].isin(shared)]
    table = summaries(fair if len(shared) else main)
    finished = ok(main).groupby(["model", "evaluation"]).size()
    table["finished"] = [int(finished.get((row["model"], row["evaluation"]), 0)) for row in lines(table)]
    return table.sort_values("mean", ascending=False, kind="stable", na_position="last", ignore_index=True)


def common(main: pd.DataFrame) -> list[str]:
    """Labels of the tasks that every model of the table finished."""
    models = main["model"].nunique()
    finished = ok(main).groupby("label", sort=False)["model"].nunique()
    return [str(label) for label, number in finished.items() if number == models]


def grid(main: pd.DataFrame) -> pd.DataFrame:
    """Models x tasks: the value of each cell (NaN if not scored), tasks in rows, in order of appearance."""
    table = main.drop_duplicates(["label", "model"], keep="last").pivot(index="label", columns="model", values="value")
    return table.reindex(index=list(dict.fromkeys(main["label"])), columns=list(dict.fromkeys(main["model"])))


def changes(rows: pd.DataFrame) -> pd.DataFrame:
    """Headline rows of changed pictures beside their clean value: `clean`, `drop` (clean - value) and `kept`.

    Where an audit looked at some of the pictures only, the clean value is that of these (`unchanged`). `kept` is the
    share of what the model had above chance on clean pictures: 1 is no loss, 0 is chance.
    """
    scored = ok(rows)
    scored = scored[scored["headline"] & (scored["group"] == "all")]
    keys = ["run", "model", "task", "split", "evaluation", "metric"]
    same = scored[scored["condition"].isin(["unchanged", "clean"])].sort_values("condition", ascending=False)
    clean = same.drop_duplicates(keys).set_index(keys)["value"].rename("clean")
    table = scored[~scored["condition"].isin(["unchanged", "clean"])].join(clean, on=keys)
    above = (table["clean"] - table["chance"]).where(lambda gap: gap > 0)
    return table.assign(drop=table["clean"] - table["value"], kept=(table["value"] - table["chance"]) / above)


def by_group(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a (model, task, evaluation, condition, metric) that was sliced, in fairlearn's four words.

    `overall` is the value of all pictures, `worst` and `best` the names and values of the extreme groups, `difference`
    and `ratio` those of the extremes.
    """
    scored, found = evaluated(rows), []
    keys = ["run", "model", "task", "split", "evaluation", "condition", "metric"]
    whole = scored[scored["group"] == "all"].drop_duplicates(keys).set_index(keys)["value"]
    for key, part in scored[scored["group"] != "all"].groupby(keys, sort=False):
        low, high = (part.sort_values("value", kind="stable").iloc[end] for end in (0, -1))
        found.append({
            **dict(zip(keys, key, strict=True)), "groups": len(part), "overall": float(whole.get(key, np.nan)),
            "worst": low["group"], "worst_value": low["value"], "best": high["group"], "best_value": high["value"],
            "difference": high["value"] - low["value"],
            "ratio": low["value"] / high["value"] if high["value"] > 0 else np.nan,
        })  # fmt: skip
    return pd.DataFrame(found)


def evaluated(rows: pd.DataFrame) -> pd.DataFrame:
    """Scored rows of the evaluations; what an audit calls its own is shown by its exhibits."""
    scored = ok(rows)
    return scored[scored["evaluation"].isin(rows.loc[rows["headline"], "evaluation"])]


def others(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What the main rows leave out: further metrics, changed pictures (condition), slices (group)."""
    scored = evaluated(rows)
    sliced, changed = scored["group"] != "all", scored["condition"] != "clean"
    return {
        "metrics": scored[~sliced & ~changed & ~scored["headline"]],
        "conditions": changes(rows),
        "groups": scored[sliced],
    }


def efficient(board: pd.DataFrame, sizes: dict[str, int]) -> pd.DataFrame:
    """Models of known size: model, parameters, mean and bounds, whether no model as small has a higher mean."""
    table = board[board["model"].isin(list(sizes)) & board["mean"].notna()].drop_duplicates("model")
    table = table.assign(parameters=[sizes[model] for model in table["model"]])
    beaten = [
        bool(((table["parameters"] <= row["parameters"]) & (table["mean"] > row["mean"])).any()) for row in lines(table)
    ]
    columns = ["model", "parameters", "mean", "mean_low", "mean_high", "efficient"]
    return table.assign(efficient=[not one for one in beaten])[columns].reset_index(drop=True)
