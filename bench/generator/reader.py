"""The exact reader: a picture of our renderer's world back into things with shape, colour, size, texture and place.

It segments by distance from the white ground, names colours by the nearest in CIELAB, and shapes by the overlap with
the renderer's own silhouettes at equal area and centre. It is also meant for generated, blurred pictures; how well it
reads is measured per slot on rendered scenes and on their VAE reconstructions (the card of the bundled checkpoint).

What it never sees is what was asked for: only pixels, and which of three layouts to look for (things apart from each
other, a stack of blocks, the dressed figure).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bench.generator import vocabulary
from bench.generator.brush import silhouette
from bench.generator.compositions import BARE, COLOURS, SHAPES, dress
from bench.generator.vocabulary import GARMENTS

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64
"""Pictures are read at this size."""
INK = 0.35
"""Share of a thing's own distance from white that a pixel needs to belong to it."""
FAINT = 60
"""What differs less than this from white (0 to 255, in the strongest channel) is ground."""
SMALLEST = 14
"""Pixels; smaller specks are dirt."""
PURE = 0.6
"""Share of a thing's strong pixels that must agree on the colour; else it has none."""
LIGHT = 0.4
"""Strength of the light marks of a texture, beside the thing's own."""
GRID = 24
"""Cells along a side in which silhouettes are compared."""
REACH = 1.5
"""The grid covers this many times the root of the area to each side of the centre."""


@dataclass(frozen=True)
class Seen:
    """One thing that was read. Places and sizes are fractions of the side, as in `scenes.Thing`."""

    shape: str
    colour: str | None
    """None: no colour prevails."""
    x: float
    y: float
    size: float
    texture: str
    overlap: float
    """Intersection over union with the silhouette of `shape`: how sure the shape is."""


def things(picture: Image, shapes: tuple[str, ...] = SHAPES) -> list[Seen]:
    """All things that stand apart from each other, from the top down; `shapes` are those it may name."""
    from scipy.ndimage import label

    pixels = _pixels(picture)
    strength = _strength(pixels)
    labels, count = label(strength > FAINT * INK * 2, structure=np.ones((3, 3)))
    found = []
    for number in range(1, count + 1):
        inside = labels == number
        peak = float(np.quantile(strength[inside], 0.9))
        if peak < FAINT or (inside & (strength > INK * peak)).sum() < SMALLEST:
            continue
        found.append(_thing(pixels, np.where(inside, np.clip(strength / peak, 0, 1), 0), shapes))
    return sorted(found, key=lambda one: (one.y, one.x))


def stack(picture: Image) -> list[str]:
    """Colours of the blocks of a stack, from top to bottom: runs of one colour down its middle."""
    pixels = _pixels(picture)
    ink = _strength(pixels) > FAINT
    if not ink.any():
        return []
    middle = round(float(np.argwhere(ink)[:, 1].mean()))
    band = pixels[:, max(middle - 3, 0) : middle + 4]
    names = [name_colour(np.median(row, axis=0)) if solid.mean() > 0.5 else None
             for row, solid in zip(band, ink[:, max(middle - 3, 0) : middle + 4], strict=True)]  # fmt: skip
    runs: list[tuple[str | None, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    solid = [name for name, length in runs if name is not None and length >= SIDE // 14]
    return [name for place, name in enumerate(solid) if place == 0 or solid[place - 1] != name]


def figure(picture: Image) -> dict[str, str] | None:
    """Garment -> colour where one is worn; None if there is no figure. Read at the garments' usual places."""
    pixels = _pixels(picture)
    ink = _strength(pixels) > FAINT
    masks = _garment_masks()
    body = np.any([mask for name, mask in masks.items() if name != "hat"], axis=0)
    missing, surplus = (body & ~ink).sum() / body.sum(), (ink & ~_around(body | masks["hat"])).sum() / body.sum()
    if missing > 0.4 or surplus > 0.4:
        return None
    found = {}
    for garment in GARMENTS:
        here = masks[garment] & ink
        if here.sum() < 0.4 * masks[garment].sum():
            continue
        names = _names(pixels[here])
        prevailing = max(set(names), key=names.count)
        if prevailing != BARE:
            found[garment] = prevailing
    return found


def name_colour(rgb: np.ndarray) -> str:
    """The nearest named colour in CIELAB."""
    return _names(rgb[None])[0]


def _names(rgb: np.ndarray) -> list[str]:
    """The nearest named colour of each pixel [n, 3]."""
    names, points = _palette()
    nearest = ((_lab(rgb)[:, None] - points) ** 2).sum(2).argmin(1)
    return [names[place] for place in nearest.tolist()]


def _pixels(picture: Image) -> np.ndarray:
    """float [SIDE, SIDE, 3], 0 to 255"""
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE))
    return np.asarray(picture.convert("RGB"), dtype=np.float64)


def _strength(pixels: np.ndarray) -> np.ndarray:
    """Distance from white in the strongest channel [side, side]."""
    found: np.ndarray = (255 - pixels).max(-1)
    return found


def _thing(pixels: np.ndarray, cover: np.ndarray, shapes: tuple[str, ...]) -> Seen:
    """One thing from its soft mask in 0..1."""
    texture, colour = _texture(pixels, cover), _colour(pixels, cover)
    if texture != "plain":  # its light parts belong to it as much as the others
        cover = np.minimum(cover / LIGHT, 1)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    area = float(cover.sum())
    x, y = float((cover * columns).sum() / area), float((cover * rows).sum() / area)
    names, templates, offsets = _templates(shapes)
    seen = _normalised(cover, x, y, area**0.5)
    shared = np.minimum(templates, seen).sum(1) / np.maximum(templates, seen).sum(1)
    best = int(shared.argmax())
    unit, (dx, dy) = offsets[best]
    size = (area / unit) ** 0.5  # radius in pixels
    return Seen(
        names[best], colour, (x - dx * size) / SIDE, (y - dy * size) / SIDE, size / SIDE, texture, float(shared[best]),
    )  # fmt: skip


def _normalised(cover: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
    """The soft mask on a grid around its centre, in units of the root of its area; flat."""
    from scipy.ndimage import map_coordinates

    steps = np.linspace(-REACH, REACH, GRID) * scale
    rows, columns = np.meshgrid(y + steps - 0.5, x + steps - 0.5, indexing="ij")
    found: np.ndarray = map_coordinates(cover, [rows, columns], order=1, mode="constant").ravel()
    return found


@cache
def _templates(shapes: tuple[str, ...]) -> tuple[list[str], np.ndarray, list[tuple[float, tuple[float, float]]]]:
    """Normalised silhouettes at several turns and sharpnesses; with area and centre of a shape of radius 1."""
    from scipy.ndimage import gaussian_filter

    names, masks, offsets = [], [], []
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    for shape in shapes:
        for turn in (-8, -4, 0, 4, 8):
            for radius in (0.1, 0.17, 0.3):
                fine = np.asarray(silhouette(shape, 4 * SIDE, (0.5, 0.5), radius, turn), dtype=np.float64)
                cover = gaussian_filter(fine.reshape(SIDE, 4, SIDE, 4).mean((1, 3)), 0.5)
                area, r = float(cover.sum()), radius * SIDE
                x, y = float((cover * columns).sum() / area), float((cover * rows).sum() / area)
                names.append(shape)
                masks.append(_normalised(cover, x, y, area**0.5))
                offsets.append((area / r**2, ((x - SIDE / 2) / r, (y - SIDE / 2) / r)))
    return names, np.stack(masks), offsets


def _colour(pixels: np.ndarray, cover: np.ndarray) -> str | None:
    """The colour of the strongest third, if it prevails there."""
    chosen = cover >= np.quantile(cover[cover > INK], 0.67)
    names = _names(pixels[chosen])
    prevailing = max(set(names), key=names.count)
    return prevailing if names.count(prevailing) >= PURE * len(names) else None


def _texture(pixels: np.ndarray, cover: np.ndarray) -> str:
    """plain, or striped where lightness changes downwards only, else dotted."""
    from scipy.ndimage import binary_erosion

    solid = binary_erosion(cover > INK, iterations=2)
    if solid.sum() < 40:
        return "plain"
    light = cover - cover[solid].mean()
    if np.std(light[solid]) < 0.13:
        return "plain"
    down, across = (_spread(light, solid, axis) for axis in (1, 0))
    return "striped" if down > 1.8 * across else "dotted"


def _spread(light: np.ndarray, solid: np.ndarray, axis: int) -> float:
    """Deviation of the means of rows (axis 1) or columns (axis 0) that have enough of the thing."""
    counts = solid.sum(axis)
    means = (light * solid).sum(axis)[counts > 5] / counts[counts > 5]
    return float(np.std(means)) if len(means) > 2 else 0.0


@cache
def _garment_masks() -> dict[str, np.ndarray]:
    """Where each garment is usually, less its rim; and the head."""
    from scipy.ndimage import binary_erosion

    everything = dress(dict.fromkeys(GARMENTS, "red"))
    words = {outline: word for word, outline in GARMENTS.items()}
    masks: dict[str, np.ndarray] = {}
    for thing in everything:  # in the order of painting: later parts cover earlier ones
        mask = np.asarray(silhouette(thing.shape, SIDE, (thing.x, thing.y), thing.size))
        for name in masks:
            masks[name] = masks[name] & ~mask
        word = words.get(thing.shape, thing.shape)
        masks[word] = masks[word] | mask if word in masks else mask
    return {name: binary_erosion(mask) for name, mask in masks.items()}


def _around(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    found: np.ndarray = binary_dilation(mask, iterations=4)
    return found


@cache
def _palette() -> tuple[tuple[str, ...], np.ndarray]:
    names = (*COLOURS, BARE)
    return names, _lab(np.array([vocabulary.COLOURS[name] for name in names], dtype=np.float64))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB in 0..255 [n, 3] -> CIELAB (white D65)."""
    unit = rgb / 255
    linear = np.where(unit > 0.04045, ((unit + 0.055) / 1.055) ** 2.4, unit / 12.92)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
