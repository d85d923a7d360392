"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LEVELS = ("error", "warning", "note")


class Finding(NamedTuple):
    """One finding about one task."""

    level: str
    check: str
    text: str


def some(names: Iterable[str], *, count: int = 5) -> str:
    """The first few names, quoted, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - count} more" if len(every) > count else ""
    return ", ".join(map(repr, every[:count])) + more
