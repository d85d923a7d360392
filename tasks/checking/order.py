"""Is the class list in the order of the labels? Asked of a model's predictions.

If names are attached to the wrong numbers, a model that knows its business predicts consistently wrong classes:
another assignment of names to labels explains its answers much better than the declared one. The best assignment is
found (Hungarian method, Kuhn 1955) on one half of the pictures and judged on the other, both ways, so that the
freedom of choosing among many assignments earns nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tasks.checking.findings import Finding, some

MARGIN = 0.05
"""The best assignment must be better by this much, and by three standard errors."""


class Orders(NamedTuple):
    """Top-1 as declared and under the best assignment (both out of sample), and label -> prediction it assigns."""

    declared: float
    best: float
    error: float
    assignment: np.ndarray


def check_order(labels: np.ndarray, predictions: np.ndarray, names: tuple[str, ...]) -> list[Finding]:
    """Findings about the class order from int64 [image] labels and predicted classes."""
    found = orders(labels, predictions, len(names))
    if found.best - found.declared <= max(MARGIN, 3 * found.error):
        return []
    moved = [f"{names[i]} -> {names[j]}" for i, j in enumerate(found.assignment) if i != j]
    return [
        Finding(
            "error",
            "class order",
            f"top-1 is {found.declared:.1%} as declared and {found.best:.1%} if classes "
            f"were named otherwise: {some(moved)}. Names and labels do not match",
        )
    ]


def orders(labels: np.ndarray, predictions: np.ndarray, classes: int, *, seed: int = 0) -> Orders:
    """Compare the declared assignment with the best one."""
    half = np.random.default_rng(seed).permutation(len(labels)) % 2 == 0
    gained = np.zeros(len(labels))
    for part in (half, ~half):
        assignment = best_assignment(labels[part], predictions[part], classes)
        gained[~part] = assignment[labels[~part]] == predictions[~part]
    declared = labels == predictions
    difference = gained - declared
    return Orders(
        float(declared.mean()),
        float(gained.mean()),
        float(difference.std() / np.sqrt(len(labels))),
        best_assignment(labels, predictions, classes),
    )


def best_assignment(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """label -> prediction, one to one, that explains most pictures; ties go to the declared order."""
    from scipy.optimize import linear_sum_assignment

    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (labels, predictions), 1.0)
    rows, columns = linear_sum_assignment(confusion + 1e-6 * np.eye(classes), maximize=True)
    assignment = np.empty(classes, dtype=np.int64)
    assignment[rows] = columns
    return assignment
