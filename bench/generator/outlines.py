"""Outlines of the shapes our renderer knows: polygons inside the unit circle, [point, (x, y)], y pointing down."""

from __future__ import annotations

import numpy as np


def _regular(corners: int, *, start: float = -90.0) -> np.ndarray:
    """A regular polygon, its first corner at `start` degrees (-90 is up)."""
    angles = np.deg2rad(start + np.arange(corners) * 360 / corners)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star(points: int = 5, inner: float = 0.42) -> np.ndarray:
    outline = _regular(2 * points)
    outline[1::2] *= inner
    return outline


def _cross(arm: float = 0.3, length: float = 0.95) -> np.ndarray:
    a, b = arm, length
    corners = [
        (-a, -b),
        (a, -b),
        (a, -a),
        (b, -a),
        (b, a),
        (a, a),
        (a, b),
        (-a, b),
        (-a, a),
        (-b, a),
        (-b, -a),
        (-a, -a),
    ]
    return np.array(corners)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x, y - 2], axis=1) / 19


def _crescent() -> np.ndarray:
    """A disc less a second disc of the same size, shifted right."""
    shift = 0.55
    corner = np.arccos(shift / 2)
    outer = np.linspace(corner, 2 * np.pi - corner, 90)
    inner = np.linspace(np.pi + corner, np.pi - corner, 90)
    outside = np.stack([np.cos(outer), np.sin(outer)], axis=1)
    inside = np.stack([np.cos(inner) + shift, np.sin(inner)], axis=1)
    return np.concatenate([outside, inside]) * 0.98


def _arrow() -> np.ndarray:
    """An arrow that points right."""
    return np.array([(-0.95, -0.22), (0.1, -0.22), (0.1, -0.62), (0.97, 0), (0.1, 0.62), (0.1, 0.22), (-0.95, 0.22)])


OUTLINES: dict[str, np.ndarray] = {
    "circle": _regular(120) * 0.95,
    "square": _regular(4, start=45),
    "triangle": _regular(3),
    "star": _star(),
    "heart": _heart(),
    "diamond": _regular(4) * (0.68, 1.0),
    "hexagon": _regular(6),
    "cross": _cross(),
    "crescent": _crescent(),
    "ring": _regular(120),
    "arrow": _arrow(),
    "oval": _regular(120) * (1.0, 0.55),
}
HOLES: dict[str, np.ndarray] = {"ring": _regular(120) * 0.58}


# Parts of a dressed figure and other outlines that the closed sets above, which tests use by number, must not gain.
PARTS: dict[str, np.ndarray] = {
    "head": _regular(60),
    "hat": np.array([(-0.95, 0.5), (-0.95, 0.15), (-0.6, 0.15), (-0.5, -0.55), (0.5, -0.55), (0.6, 0.15), (0.95, 0.15),
                     (0.95, 0.5)]),
    "glove": _regular(30),
    "shirt": np.array([(-0.55, -0.55), (0.55, -0.55), (1.0, -0.15), (0.85, 0.15), (0.52, 0.0), (0.52, 0.62),
                       (-0.52, 0.62), (-0.52, 0.0), (-0.85, 0.15), (-1.0, -0.15)]),
    "trousers": np.array([(-0.6, -0.75), (0.6, -0.75), (0.7, 0.75), (0.14, 0.75), (0.0, -0.2), (-0.14, 0.75),
                          (-0.7, 0.75)]),
}  # fmt: skip
