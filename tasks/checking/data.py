"""Checks of a task's data: it loads, is whole, every class occurs, no picture is broken, twice, or in two splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.drawing import Prompted
from bench.errors import BenchError
from bench.task import Samples, Task, digest
from tasks.checking.findings import Finding, some


class Seen(NamedTuple):
    """Pictures that were decoded: pixel hash -> id of the first picture with it, and what was found on the way."""

    hashes: dict[str, str]
    broken: list[str]
    doubles: list[str]


def check_data(task: Task, *, pictures: int | None = None) -> list[Finding]:
    """All findings about the splits that can be loaded.

    Args:
        pictures: decode at most this many of each split, evenly spaced; all if None, none if 0.
    """
    findings: list[Finding] = []
    seen: dict[str, Seen] = {}
    for split in [task.test, *(name for name in task.splits if name != task.test)]:
        if isinstance(task.load, Prompted) and split == task.test:
            findings.append(Finding("note", f"load {split}", "prompts; a generator draws the pictures"))
            continue
        try:
            samples = task.samples(split)
        except BenchError as error:
            level = "error" if split == task.test else "warning"
            findings.append(Finding(level, f"load {split}", " ".join(str(error).split())))
            continue
        findings += labels(task, samples, split)
        seen[split] = look(samples, pictures)
        findings += pixels(seen[split], split)
    return [*findings, *leaks(seen)]


def labels(task: Task, samples: Samples, split: str) -> Iterator[Finding]:
    """Classes without a picture, a split of one class only, groups that are missing or tiny."""
    if task.protocol == "classification":
        counts = (
            samples.labels.sum(axis=0)
            if samples.labels.ndim == 2
            else np.bincount(samples.labels, minlength=len(task.classes))
        )
        if absent := [one.key for one, count in zip(task.classes, counts, strict=True) if not count]:
            level = "warning" if split == task.test else "note"
            yield Finding(level, f"classes in {split}", f"no picture of {some(absent)}")
        if (counts > 0).sum() == 1:
            yield Finding("error", f"classes in {split}", "all pictures are of one class")
    if task.group and task.group not in samples.attributes:
        yield Finding("error", f"groups in {split}", f"there is no attribute {task.group!r}")
    elif task.group:
        sizes = samples.attributes[task.group].astype(str).value_counts()
        if len(small := [name for name, size in sizes.items() if size < 10]):
            yield Finding("warning", f"groups in {split}", f"fewer than 10 pictures in {some(map(str, small))}")
    if len(set(samples.ids)) < len(samples):
        yield Finding("error", f"ids in {split}", "two pictures have one id")


def look(samples: Samples, pictures: int | None) -> Seen:
    """Decode pictures and hash their pixels."""
    seen = Seen({}, [], [])
    for i in spaced(len(samples), pictures):
        try:
            picture = samples.images[i]
            content = digest(picture.mode, repr(picture.size), picture.tobytes())
        except (BenchError, OSError) as error:
            seen.broken.append(" ".join(str(error).split()))
            continue
        if content in seen.hashes:
            seen.doubles.append(f"{samples.ids[i]} = {seen.hashes[content]}")
        seen.hashes.setdefault(content, samples.ids[i])
    return seen


def pixels(seen: Seen, split: str) -> Iterator[Finding]:
    """Broken pictures, and pictures that are there twice."""
    if seen.broken:
        yield Finding("error", f"pictures in {split}", f"{len(seen.broken)} cannot be read, first: {seen.broken[0]}")
    if seen.doubles:
        yield Finding(
            "warning", f"pictures in {split}", f"{len(seen.doubles)} occur twice: {some(seen.doubles, count=3)}"
        )


def leaks(seen: dict[str, Seen]) -> Iterator[Finding]:
    """Pictures with the same pixels in two splits."""
    names = list(seen)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = sorted(seen[first].hashes.keys() & seen[second].hashes.keys())
            if both:
                pairs = [f"{seen[first].hashes[one]} = {seen[second].hashes[one]}" for one in both]
                yield Finding(
                    "warning", "leak", f"{len(both)} pictures are in {first} and in {second}: {some(pairs, count=3)}"
                )


def spaced(count: int, wanted: int | None) -> Sequence[int]:
    """At most `wanted` positions, evenly spaced."""
    if wanted is None or wanted >= count:
        return range(count)
    return np.linspace(0, count - 1, wanted, dtype=int).tolist() if wanted > 0 else []
