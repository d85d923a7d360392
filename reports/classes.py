"""Counts over stored predictions: accuracy by class, confusion, confused pairs, confident mistakes, prompt hints.

A picture on which choices tied carries fractional credit (`correct`); its prediction is then one of the tied choices,
so a row of the confusion matrix may differ from the class's accuracy by the ties.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports import intervals
from reports.tables import lines

FEW = 20
"""Up to so many classes, the whole confusion matrix is shown."""


def by_class(predictions: pd.DataFrame, choices: list[str]) -> pd.DataFrame:
    """Accuracy of each class that occurs, worst first: class, name, value, low, high, n, and the usual wrong guess."""
    grouped = predictions.groupby("label")["correct"]
    table = pd.DataFrame({"n": grouped.size(), "hits": grouped.sum()}).rename_axis("class").reset_index()
    low, high = intervals.wilson(table["hits"].to_numpy(), table["n"].to_numpy())
    table = table.assign(
        name=[choices[int(i)] for i in table["class"]], value=table["hits"] / table["n"], low=low, high=high
    )
    wrong = pairs(predictions, choices).drop_duplicates("label").set_index("label")
    table["instead"] = [wrong["guess_name"].get(i, "") for i in table["class"]]
    table["instead_n"] = [int(wrong["count"].get(i, 0)) for i in table["class"]]
    return table.sort_values(["value", "n"], ascending=[True, False], kind="stable", ignore_index=True)


def matrix(predictions: pd.DataFrame, choices: list[str]) -> np.ndarray:
    """Counts [class, guess]."""
    counts = np.zeros((len(choices), len(choices)), dtype=np.int64)
    np.add.at(counts, (predictions["label"].to_numpy(dtype=int), predictions["prediction"].to_numpy(dtype=int)), 1)
    return counts


def pairs(predictions: pd.DataFrame, choices: list[str]) -> pd.DataFrame:
    """Wrong guesses, most frequent first: label, guess, names, count, share of the label's pictures, bounds."""
    wrong = predictions[predictions["label"] != predictions["prediction"]]
    table = wrong.groupby(["label", "prediction"]).size().reset_index(name="count")
    table = table.rename(columns={"prediction": "guess"}).sort_values(
        "count", ascending=False, kind="stable", ignore_index=True
    )
    n = table["label"].map(predictions["label"].value_counts()).to_numpy(dtype=float)
    low, high = intervals.wilson(table["count"].to_numpy(), n)
    return table.assign(
        n=n.astype(int),
        share=table["count"] / n,
        low=low,
        high=high,
        label_name=[choices[int(i)] for i in table["label"]],
        guess_name=[choices[int(i)] for i in table["guess"]],
    )


def mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Pictures without credit, the most confident first."""
    return predictions[predictions["correct"] == 0].sort_values("confidence", ascending=False, kind="stable")


def balance(predictions: pd.DataFrame, choices: list[str]) -> pd.DataFrame:
    """How often each class is guessed against how often it occurs: class, name, guessed, n, ratio."""
    guessed = np.bincount(predictions["prediction"].to_numpy(dtype=int), minlength=len(choices))
    occurs = np.bincount(predictions["label"].to_numpy(dtype=int), minlength=len(choices))
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame(
            {
                "class": np.arange(len(choices)),
                "name": choices,
                "guessed": guessed,
                "n": occurs,
                "ratio": guessed / occurs,
            }
        )
    return table.sort_values("guessed", ascending=False, kind="stable", ignore_index=True)


def hints(predictions: pd.DataFrame, choices: list[str], *, most: int = 4) -> list[str]:
    """Where the wording of a class may be at fault: names that attract everything, and names that are never chosen.

    Only what counts establish: a class with at least 10 pictures that loses to one other with the whole interval of its
    accuracy below that choice's share, and a class guessed at least 3 times as often as it occurs.
    """
    table, found = by_class(predictions, choices), []
    crowded = balance(predictions, choices)
    greedy = crowded[(crowded["n"] > 0) & (crowded["ratio"] >= 3) & (crowded["guessed"] >= 10)]
    for row in lines(greedy.head(2)):
        found.append(f"“{row['name']}” is guessed {row['ratio']:.1f} times as often as it occurs "
                     f"({row['guessed']:,} against {row['n']:,}): its name may be too general.")  # fmt: skip
    lost = table[(table["n"] >= 10) & (table["high"] < table["instead_n"] / table["n"])]
    for row in lines(lost.sort_values("instead_n", ascending=False).head(most - len(found))):
        found.append(
            f"Of {row['n']:,} pictures of “{row['name']}”, {row['instead_n']:,} were called “{row['instead']}” "
            f"and {row['hits']:,.0f} rightly: try another name, or say in the prompt what sets them apart."
        )
    return found
