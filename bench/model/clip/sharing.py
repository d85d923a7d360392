"""Which texts to encode together, so that little is computed twice and little is padded.

Prompts are templates with a class name put in: many begin alike. The text tower looks to the left only, so what all
texts of a batch begin with is computed once. Sorted texts are a tree of common beginnings; a branch of at least FEW is
a group of its own, with the longer beginning that its texts share, and what is left at a knot is one more group. Inside
a group texts of one length go together, where they are FEW. The batches depend on the set of texts alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Row = tuple[int, ...]
"""Token ids of a text: start, words, end."""

FEW = 16
"""Texts below which a longer beginning in common is not worth a batch of its own."""


class Batch(NamedTuple):
    """Rows that are encoded together, and how many tokens all of them begin with."""

    rows: list[Row]
    shared: int


def batches(rows: Sequence[Row], *, size: int) -> Iterator[Batch]:
    """All rows, each once, in batches of at most `size`."""
    for group in _groups(sorted(set(rows))):
        part: list[Row] = []
        for row in sorted(group, key=lambda row: (len(row), row)):
            if len(part) == size or (len(part) >= FEW and len(row) > len(part[-1])):
                yield Batch(part, _shared(part))
                part = []
            part.append(row)
        if part:
            yield Batch(part, _shared(part))


def _groups(rows: list[Row], depth: int = 0) -> Iterator[list[Row]]:
    """Sorted rows that share `depth` tokens, in groups that share as many or more."""
    common = [_common(*pair) for pair in pairwise(rows)]
    depth = min(common, default=depth)
    cuts = [0, *(i + 1 for i, one in enumerate(common) if one == depth), len(rows)]
    branches = [rows[first:last] for first, last in pairwise(cuts)]
    if len(branches) < 2:
        yield from [rows] if rows else []
        return
    rest = [row for branch in branches if len(branch) < FEW for row in branch]
    for branch in branches:
        if len(branch) >= FEW:
            yield from _groups(branch, depth)
    if rest:
        yield rest


def _shared(rows: list[Row]) -> int:
    """Tokens that all rows begin with, before the first end token, whose place is what is read."""
    common = _common(min(rows), max(rows))
    return min(common, *(row.index(max(row)) for row in rows)) if len(rows) > 1 else 0


def _common(a: Row, b: Row) -> int:
    """Tokens that both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
