"""Texts as a tree of tokens, so that nothing is computed twice and nothing is padded.

Prompts are templates with a class name put in: many begin alike. The text tower looks to the left only, so texts share
what they begin with: the way from the root to the knot where they part. The tower is given all knots as one row, each
of which looks at those on its own way (`sees`). What stands behind the end token that is read is left out. All pairs of
knots cost something, looked at or not, so that trees are kept small. They depend on the set of texts alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Row = tuple[int, ...]
"""Token ids of a text: start, words, end."""


class Tree(NamedTuple):
    """Some texts as one row of knots."""

    tokens: npt.NDArray[np.int64]
    """[knot]: token ids."""
    places: npt.NDArray[np.int64]
    """[knot]: places in the texts, from 0."""
    sees: npt.NDArray[np.bool_]
    """[knot, knot]: the knot itself, and those on the way to it."""
    ends: npt.NDArray[np.int64]
    """[text]: the knot that is read."""


def cut(row: Sequence[int]) -> Row:
    """Up to the token that is read: the first of the largest id."""
    return tuple(row[: row.index(max(row)) + 1])


def reach(rows: Sequence[Row], start: int, knots: int) -> int:
    """End of the sorted rows from `start` on that make a tree of at most so many knots; one row at least."""
    left = knots - len(rows[start])
    for i in range(start + 1, len(rows)):
        left -= len(rows[i]) - _common(rows[i - 1], rows[i])
        if left < 0:
            return i
    return len(rows)


def grown(rows: Sequence[Row]) -> Tree:
    """The tree of sorted rows."""
    tokens: list[int] = []
    places: list[int] = []
    before: list[int] = []  # of each knot; the root is before itself
    ends: list[int] = []
    way: list[int] = []
    last: Row = ()
    for row in rows:
        del way[_common(last, row) :]
        for place in range(len(way), len(row)):
            before.append(way[-1] if way else len(tokens))
            way.append(len(tokens))
            tokens.append(row[place])
            places.append(place)
        ends.append(way[-1])
        last = row
    sees = np.eye(len(tokens), dtype=bool)
    for knot, parent in enumerate(before):
        sees[knot] |= sees[parent]
    return Tree(np.array(tokens), np.array(places), sees, np.array(ends))


def _common(a: Row, b: Row) -> int:
    """Tokens that both begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
