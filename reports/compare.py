"""Who wins where, and is it real: systems that were run on the same pictures, compared picture by picture.

A system is a model under an evaluation, from one of the folders given. Two cells are paired only if their data have the
same hash and the same pictures; other tasks stay in the table as refused or missing, with the reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import BenchError
from reports import paired
from reports.folder import Cell, Run

SURE = 0.05
TaskKey = tuple[str, str]
"""Task and condition."""


@dataclass(frozen=True)
class Comparison:
    """`tasks`: a line a (task, pair). `overall`: a line a pair. `ranks`: a line a system. `control`: holm or fdr."""

    systems: list[str]
    tasks: pd.DataFrame
    overall: pd.DataFrame
    ranks: pd.DataFrame
    shared: list[str]
    control: str


@dataclass(frozen=True)
class Aligned:
    """Credits of all systems on the same pictures of one task: [picture, system], with the weights of its metric."""

    credits: np.ndarray
    weights: np.ndarray

    @property
    def means(self) -> np.ndarray:
        return np.asarray((self.credits * self.weights[:, None]).mean(axis=0))


def compare(groups: Sequence[tuple[str, Sequence[Run]]], *, control: str = "holm") -> Comparison:
    """Compare the systems found in named groups of runs (one group a folder on the command line).

    Raises:
        BenchError: fewer than two systems, or no task that two of them ran on the same pictures.
    """
    systems = find_systems(groups)
    names = list(systems)
    if len(names) < 2:
        raise BenchError(
            f"Nothing to compare: only {names[0] if names else 'no predictions'} found. Give two run folders."
        )
    pairs = list(itertools.combinations(names, 2)) if len(names) <= 4 else [(names[0], other) for other in names[1:]]
    keys = list(dict.fromkeys(key for cells in systems.values() for key in cells))
    lines = [_pair_line(key, systems[a].get(key), systems[b].get(key), a, b) for a, b in pairs for key in keys]
    tasks = judge(pd.DataFrame(lines), control)
    if not (tasks["status"] == "ok").any():
        reasons = "; ".join(dict.fromkeys(f"{line['task']}: {line['reason']}" for line in lines))
        raise BenchError(f"No task can be compared. {reasons}")
    shared, blocks = _shared(systems, keys)
    return Comparison(names, tasks, _overall(tasks, pairs, names, blocks), _ranks(names, blocks), shared, control)


def find_systems(groups: Sequence[tuple[str, Sequence[Run]]]) -> dict[str, dict[TaskKey, Cell]]:
    """Cells by system and task. Names say model, evaluation and folder, as far as needed to tell systems apart."""
    found: dict[tuple[str, str, str], dict[TaskKey, Cell]] = {}
    for group, runs in groups:
        for cell in (cell for run in runs for cell in run.cells):
            system = found.setdefault((str(cell["model"]), str(cell["evaluation"]), group), {})
            key = (str(cell["task"]), str(cell["condition"]))
            if key in system:
                raise BenchError(
                    f"{group} holds two results of {cell['model']} on {cell['task']}: "
                    f"{system[key].path} and {cell.path}. "
                    "Give the two run folders by name to compare them with each other."
                )
            system[key] = cell
    return {_system_name(one, list(found)): cells for one, cells in found.items()}


def _system_name(one: tuple[str, str, str], everyone: list[tuple[str, str, str]]) -> str:
    parts = [one[0]]
    if any(other[0] == one[0] and other[1] != one[1] for other in everyone):
        parts.append(one[1])
    if any(other[:2] == one[:2] and other[2] != one[2] for other in everyone):
        parts.append(one[2])
    return " · ".join(parts)


def align(cells: Sequence[Cell]) -> Aligned | str:
    """Credits on the same pictures, in the order of the first cell; or the reason why they cannot be paired."""
    first = cells[0]
    for other in cells[1:]:
        if other["fingerprint"] != first["fingerprint"] or other["split"] != first["split"]:
            return (
                f"different data: hash {str(first['fingerprint'])[:12]} ({len(first.predictions)} pictures of "
                f"{first['split']}) against {str(other['fingerprint'])[:12]} "
                f"({len(other.predictions)} of {other['split']}); "
                "run both on the same copy"
            )
    tables = [cell.predictions for cell in cells]
    ids = tables[0]["id"].astype(str)
    columns = []
    for table in tables:
        own = table["id"].astype(str)
        if own.tolist() != ids.tolist():
            if own.duplicated().any() or set(own) != set(ids):
                return "the same data hash but other pictures; run both again"
            table = table.iloc[pd.Index(own).get_indexer(pd.Index(ids))]
        columns.append(table["correct"].to_numpy(dtype=float))
    labels = tables[0]["label"].to_numpy() if not first.several else np.zeros(len(ids))
    return Aligned(np.stack(columns, axis=1), paired.class_weights(labels, str(first["metric"])))


def _pair_line(key: TaskKey, one: Cell | None, other: Cell | None, a: str, b: str) -> dict[str, Any]:
    line: dict[str, Any] = {"task": key[0], "condition": key[1], "a": a, "b": b, "status": "ok", "reason": ""}
    if one is None or other is None:
        missing = " and ".join(name for name, cell in ((a, one), (b, other)) if cell is None)
        return line | {"status": "missing", "reason": f"not run by {missing}"}
    block = align([one, other])
    if isinstance(block, str):
        return line | {"status": "refused", "reason": block}
    credit, second = block.credits[:, 0], block.credits[:, 1]
    gap = paired.difference(credit, second, block.weights)
    wins, losses = int((credit > second).sum()), int((credit < second).sum())
    return line | {
        "metric": _compared(one), "n": len(credit), "value_a": block.means[0], "value_b": block.means[1],
        "difference": gap.value, "low": gap.low, "high": gap.high, "only_a": wins, "only_b": losses,
        "won": wins / (wins + losses) if wins + losses else np.nan, "p": paired.mcnemar(wins, losses),
    }  # fmt: skip


def _compared(cell: Cell) -> str:
    """The metric that the credits average to: the headline, or the share of right pictures where it is no such mean."""
    metric = str(cell["metric"])
    return (
        metric
        if metric in ("top1", "mean_per_class", "matching")
        else f"share right ({metric} is no mean over pictures)"
    )


def judge(tasks: pd.DataFrame, control: str) -> pd.DataFrame:
    """Adds p-values adjusted over all lines and the winner: a, b, or none where the difference may be chance."""
    columns = ["metric", "n", "value_a", "value_b", "difference", "low", "high", "only_a", "only_b", "won", "p"]
    tasks = tasks.reindex(columns=[*tasks.columns, *(name for name in columns if name not in tasks)])
    ok = tasks["status"] == "ok"
    adjusted = np.full(len(tasks), np.nan)
    adjusted[ok.to_numpy()] = paired.CONTROLS[control](tasks.loc[ok, "p"].to_numpy(dtype=float))
    gap, balance = tasks["difference"].fillna(0), (tasks["only_a"] - tasks["only_b"]).fillna(0)
    sure = (adjusted < SURE) & (np.sign(gap) == np.sign(balance))
    winner = np.select([~ok, sure & (balance > 0), sure & (balance < 0)], ["", "a", "b"], "none")
    return tasks.assign(p_adjusted=adjusted, winner=winner)


def _shared(systems: dict[str, dict[TaskKey, Cell]], keys: list[TaskKey]) -> tuple[list[str], list[Aligned]]:
    """Tasks that every system ran on the same pictures, with their credits."""
    names, blocks = [], []
    for key in keys:
        if all(key in cells for cells in systems.values()):
            block = align([cells[key] for cells in systems.values()])
            if isinstance(block, Aligned):
                names.append(key[0] if key[1] == "clean" else f"{key[0]} · {key[1]}")
                blocks.append(block)
    return names, blocks


def _overall(
    tasks: pd.DataFrame, pairs: list[tuple[str, str]], names: list[str], blocks: list[Aligned]
) -> pd.DataFrame:
    """A line a pair: mean difference over the shared tasks, and how many tasks each side surely wins."""
    lines = []
    sample, means = _draws(blocks) if blocks else (None, None)
    for a, b in pairs:
        mine = tasks[(tasks["a"] == a) & (tasks["b"] == b)]
        line: dict[str, Any] = {"a": a, "b": b, "tasks": len(blocks)}
        line |= {f"wins_{side}": int((mine["winner"] == side).sum()) for side in ("a", "b")}
        line |= {"undecided": int((mine["winner"] == "none").sum()), "left_out": int((mine["status"] != "ok").sum())}
        if sample is not None and means is not None:
            gap, p = paired.overall(sample, means, names.index(a), names.index(b))
            line |= {"difference": gap.value, "low": gap.low, "high": gap.high, "p": p}
        else:
            line |= dict.fromkeys(("difference", "low", "high", "p"), np.nan)
        lines.append(line)
    return pd.DataFrame(lines)


def _draws(blocks: list[Aligned]) -> tuple[np.ndarray, np.ndarray]:
    means = np.mean([block.means for block in blocks], axis=0)
    return paired.draws([block.credits for block in blocks], [block.weights for block in blocks]), means


def _ranks(names: list[str], blocks: list[Aligned]) -> pd.DataFrame:
    """A line a system, best mean first: mean over the shared tasks, its interval and its rank interval."""
    columns = ["system", "mean", "low", "high", "rank_low", "rank_high"]
    if not blocks:
        return pd.DataFrame(columns=columns)
    sample, means = _draws(blocks)
    low, high = np.percentile(sample, [2.5, 97.5], axis=0)
    places = paired.ranks(sample, means)
    lines = [
        {"system": name, "mean": means[i], "low": min(low[i], means[i]), "high": max(high[i], means[i]),
         "rank_low": places[i][0], "rank_high": places[i][1]}
        for i, name in enumerate(names)
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=columns).sort_values("mean", ascending=False, kind="stable", ignore_index=True)
