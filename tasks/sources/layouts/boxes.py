"""Boxes of objects in pictures: left, upper, right, lower in pixels, counted from 0, the last two outside."""

from __future__ import annotations

Box = tuple[int, int, int, int]
FARTHEST = 1 << 13
"""Pixels: no box of a photograph of these data sets reaches farther."""


def box(left: int, upper: int, right: int, lower: int) -> Box:
    """A box that a picture can be cut to (what lies outside the picture is black). ValueError if it is none."""
    if not (-FARTHEST <= left < right <= FARTHEST and -FARTHEST <= upper < lower <= FARTHEST):
        raise ValueError(f"from ({left}, {upper}) to ({right}, {lower}) is no box")
    return left, upper, right, lower
