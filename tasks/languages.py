"""Tasks in other languages: class names and templates from the text files beside the English ones.

Names are joined by class key, so a translation of ImageNet's names serves every task whose keys are among its WordNet
ids: ImageNet-V2, -A, -R, -O and -Sketch too.
"""

from __future__ import annotations

from dataclasses import replace

from bench.errors import BenchError
from bench.task import Task
from tasks import text


def translated(task: Task, language: str) -> Task:
    """The task with names and templates of `language`, called `<name>_<language>`; the task itself in
    English.

    Raises:
        BenchError: there is no translation, or it lacks some of the classes.
    """
    if language == "en":
        return task
    source = next((name for name in _sources(task) if language in text.languages(name)), None)
    if source is None:
        known = sorted({one for name in _sources(task) for one in text.languages(name)} - {"en"})
        raise BenchError(
            f"Task {task.name!r} has no names in language {language!r}. "
            + (f"It has: {', '.join(known)}." if known else "It is in English only.")
            + f" Add tasks/data/classnames/{task.name}.{language}.txt and the same under templates/."
        )
    table = {one.key: one for one in text.classes(source, language=language)}
    missing = [one.key for one in task.classes if one.key not in table]
    if missing:
        raise BenchError(
            f"{source}.{language}.txt lacks {len(missing)} classes of {task.name!r}, first {missing[0]!r}."
        )
    classes = tuple(table[one.key] for one in task.classes)
    return replace(
        task, name=f"{task.name}_{language}", classes=classes, templates=text.templates(source, language=language)
    )


def _sources(task: Task) -> list[str]:
    """Names of text files that may serve: the task's, and what comes before each `_` (imagenet_v2, imagenet)."""
    words = task.name.split("_")
    return ["_".join(words[:count]) for count in range(len(words), 0, -1)]
