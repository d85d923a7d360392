"""The splits of a run's tasks: loaded once, cut to the limit; and fingerprints of all in them that decides a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from bench import clock
from bench.errors import FOREIGN
from bench.task import Samples, Task, digest

KEPT = 4
"""Splits that are kept: evaluations and audits of a task share them."""


@dataclass
class Splits:
    """Loads splits by `draw` (what the run makes of one: its limit, its scale), and notes which were asked for."""

    tasks: Sequence[Task]
    draw: Callable[[Samples], Samples]
    _kept: dict[tuple[int, str], tuple[Task, Samples]] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    def load(self, task: Task, split: str) -> Samples:
        """A split of any task; the last few are kept."""
        self._asked.add(f"{task.name} {split}")
        key = (id(task), split)
        with clock.stage("loading data"):
            found = self._kept.pop(key, None) or (task, self.draw(task.samples(split)))
        self._kept[key] = found  # the task is kept too, so that its id stays its own
        for oldest in list(self._kept)[:-KEPT]:
            del self._kept[oldest]
        return found[1]

    def forget(self) -> None:
        """What is asked for from here on is another cell's."""
        self._asked.clear()

    def read(self, about: Iterable[Task]) -> dict[str, str]:
        """By name: of what was asked for since `forget`, and of these tasks and what is scored of them."""
        own = [name for task in about for name in (task.name, f"{task.name} {task.test}")]
        return self.fingerprints([*own, *self._asked])

    def fingerprints(self, names: Iterable[str]) -> dict[str, str]:
        """Of tasks (`name`) and splits (`name split`); empty of what is no task of the run."""
        return {name: self._fingerprint(name) for name in sorted(set(names))}

    def _fingerprint(self, name: str) -> str:
        if name not in self._known:
            word, _, split = name.partition(" ")
            task = next((one for one in self.tasks if one.name == word), None)
            self._known[name] = "" if task is None else _declared(task) if not split else self._content(task, split)
        return self._known[name]

    def _content(self, task: Task, split: str) -> str:
        try:
            samples = self.load(task, split)
        except FOREIGN:  # whatever a reader raises; the cell itself says it
            return "unreadable"
        columns = {str(name): column.tolist() for name, column in samples.attributes.items()}
        told = json.dumps([samples.ids, columns], default=_plain)
        return digest(samples.fingerprint, str(samples.labels.shape), samples.labels.tobytes(), told)


def _declared(task: Task) -> str:
    """Of all that a task says: classes, templates, metric, protocol ..."""
    told = {one.name: getattr(task, one.name) for one in fields(task) if one.name != "load"}
    return digest(json.dumps(told | {"splits": dict(task.splits), "tags": sorted(task.tags)}, default=_plain))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
