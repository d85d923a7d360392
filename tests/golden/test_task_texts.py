"""The text of every task is pinned: a hash of its classes and one of its templates.

A changed name is a changed benchmark. If a change is meant, say so in the changelog and write the file anew:
`python -m tests.golden.test_task_texts`.
"""

from __future__ import annotations

import json
from pathlib import Path

import tasks
from bench.task import Task, digest
from tests.fixtures.published import ours

PINNED = Path(__file__).with_name("task_texts.json")


def texts(task: Task) -> dict[str, str]:
    """Hashes of what a model reads of a task: classes in order with keys and names, and templates in order."""
    classes = [part for one in task.classes for part in (one.key, *one.names, "\0")]
    return {"classes": digest(*classes), "templates": digest(*task.templates)}


def test_no_text_has_changed() -> None:
    pinned = json.loads(PINNED.read_text())
    found = {name: texts(tasks.select(name)[0]) for name in ours()}
    changed = sorted(name for name in found if name in pinned and found[name] != pinned[name])
    assert changed == [], "class names or templates changed"
    assert sorted(found) == sorted(pinned), "tasks were added or removed: write the golden file anew"


def test_a_changed_name_is_noticed() -> None:
    task = tasks.select("cifar10")[0]
    swapped = task.renamed("x", classes=(task.classes[1], task.classes[0], *task.classes[2:]))
    assert texts(swapped)["classes"] != texts(task)["classes"]
    assert texts(task.renamed("x", templates=task.templates[1:]))["templates"] != texts(task)["templates"]


if __name__ == "__main__":
    found = {name: texts(tasks.select(name)[0]) for name in ours()}
    PINNED.write_text(json.dumps(found, indent=1) + "\n")
