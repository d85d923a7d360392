"""Raw records -> labels: joined to a task's classes by key, or to the right one of a picture's captions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd

    from bench.task import Labels, Records, Task

TEXTS = ("name", "family", "licence", "reference", "metric", "test", "notes", "protocol", "group")
"""Fields of a task that are text."""


def check_facts(task: Task) -> None:
    """What a plugin says of its data is of the right kinds: a broken one is found where it is made, not in a run.

    Raises:
        BenchError: names the field, what it holds and what it should.
    """
    wanted = [
        *((name, isinstance(getattr(task, name), str), "a text") for name in TEXTS),
        ("load", callable(task.load), "a function from the name of a split to Records"),
        ("classes", _all(task.classes, _is_class), "a tuple of ClassName(key, (name, ...)), all of them texts"),
        ("templates", _all(task.templates, _is_text), "a tuple of texts"),
        ("splits", isinstance(task.splits, Mapping) and all(map(_is_count, task.splits.items())),
         "a dict from the names of splits to numbers of pictures, or None"),
        ("chance", task.chance is None or isinstance(task.chance, Real), "a number or None"),
        ("tags", _all(task.tags, _is_text), "a frozenset of texts"),
        ("cluster", _all(task.cluster, _is_text), "a tuple of texts"),
    ]  # fmt: skip
    for name, right, kind in wanted:
        if not right:
            given = repr(getattr(task, name))
            raise BenchError(f"Task {task.name!r}: {name} must be {kind}; given: {given[:100]}.")


def check_counts(task: Task, split: str, records: Records) -> None:
    """BenchError if a split is not as large as published, or has not one of everything for each picture."""
    expected, found = task.splits[split], len(records.images)
    if not found:
        raise BenchError(f"Task {task.name!r}: split {split!r} holds no picture.")
    if expected is not None and found != expected:
        raise BenchError(
            f"Task {task.name!r}: split {split!r} should hold {expected} pictures and holds {found}. "
            "The copy is incomplete or of another version; a score on it would not be comparable."
        )
    parts: dict[str, Any] = {"ids": records.ids}
    if task.protocol == "classification":
        parts["labels"] = records.keys
    if records.attributes is not None:
        parts["attributes"] = records.attributes
    for name, one in parts.items():
        if len(one) != found:
            raise BenchError(
                f"Task {task.name!r}: split {split!r} has {found} pictures and {len(one)} {name}; its reader must give "
                "one of each for every picture."
            )


def right_classes(task: Task, keys: Labels) -> np.ndarray:
    """int64 [picture]: the class of each key; bool [picture, class] where pictures have several."""
    position = {one.key: i for i, one in enumerate(task.classes)}
    several = any(not isinstance(key, str) for key in keys)
    odd = [key for key in keys if not _is_label(key)]
    if odd:
        raise BenchError(f"Task {task.name!r}: {len(odd)} label(s) of the data are no text, first {odd[0]!r}.")
    rows = list(_as_tuples(keys))
    strange = sorted({key for row in rows for key in row} - position.keys())
    if strange:
        raise BenchError(
            f"Task {task.name!r}: {len(strange)} label(s) of the data are not in its class list: "
            f"{', '.join(map(repr, strange[:5]))}. Class keys begin with "
            f"{', '.join(repr(one.key) for one in task.classes[:5])}."
        )
    if not several:
        return np.array([position[row[0]] for row in rows], dtype=np.int64)
    labels = np.zeros((len(rows), len(task.classes)), dtype=bool)
    for i, row in enumerate(rows):
        labels[i, [position[key] for key in row]] = True
    return labels


def right_captions(task: Task, ids: Sequence[str], attributes: pd.DataFrame) -> np.ndarray:
    """int64 [picture]: the position of the right caption of each, after a look at the captions."""
    if "captions" not in attributes:
        have = ", ".join(map(str, attributes.columns)) or "none"
        raise BenchError(f"Task {task.name!r} needs an attribute 'captions' for {task.protocol}; it has: {have}.")
    given = attributes.get("correct")
    right = np.zeros(len(attributes), np.int64) if given is None else given.to_numpy(dtype=np.int64)
    least = 2 if task.protocol == "matching" else 1
    for name, captions, index in zip(ids, attributes["captions"], right, strict=True):
        texts = list(captions) if isinstance(captions, (list, tuple, np.ndarray)) else []
        written = all(isinstance(one, str) and one.strip() for one in texts)
        if not written or len(texts) < least or not 0 <= index < len(texts):
            raise BenchError(
                f"Task {task.name!r}: picture {name!r} needs a list of at least {least} caption(s), none empty, "
                f"and `correct` the position of the right one; found {captions!r}, correct {index}."
            )
    return right


def _all(parts: Any, right: Any) -> bool:
    return isinstance(parts, (list, tuple, set, frozenset)) and all(map(right, parts))


def _is_text(one: object) -> bool:
    return isinstance(one, str)


def _is_class(one: Any) -> bool:
    return isinstance(getattr(one, "key", None), str) and _named(getattr(one, "names", None))


def _named(names: object) -> bool:
    return isinstance(names, (list, tuple)) and len(names) > 0 and all(map(_is_text, names))


def _is_count(entry: tuple[object, object]) -> bool:
    split, count = entry
    return isinstance(split, str) and (count is None or isinstance(count, Integral))


def _as_tuples(keys: Labels) -> Iterator[tuple[str, ...]]:
    for key in keys:
        yield (key,) if isinstance(key, str) else tuple(key)


def _is_label(key: object) -> bool:
    return isinstance(key, str) or (isinstance(key, Iterable) and all(isinstance(one, str) for one in key))
