"""Scenes: simple rendered pictures whose content is known exactly (shape, colour, count, position, written words).

The idea is that of CLEVR (Johnson et al., CVPR 2017) in two dimensions: a `Scene` holds the truth, `draw` turns it into
a picture and adds only what does not change the truth (place, size, turn and hue jitter, background, font). Whatever a
test wants to ask can therefore be computed from the Scene. Everything is a function of its seed.

Seeds from `FIRST_TEST_SEED` on belong to the bundled tasks; training uses the seeds below it.

To add a kind of scene: write `_sample_<kind>(rng, options) -> Scene`, put it into `KINDS`, and say in `describe` and
`truth` what its words and its label are. Outlines of shapes are in `bench.generator.outlines`, all
names in `bench.generator.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import unknown
from bench.generator.brush import draw_thing, draw_word
from bench.generator.vocabulary import BACKGROUNDS, COLOURS, NUMBERS, RELATIONS, SHAPES, WORDS

if TYPE_CHECKING:
    from PIL.Image import Image

FIRST_TEST_SEED = 1_000_000
SUPERSAMPLE = 4


@dataclass(frozen=True)
class Thing:
    """One object. `x, y` is its centre and `size` its radius, as fractions of the picture's side (y points down)."""

    shape: str
    colour: str
    x: float = 0.5
    y: float = 0.5
    size: float = 0.3
    texture: str = "plain"

    @property
    def cell(self) -> tuple[int, int]:
        """Column and row (0, 1, 2) of the centre in a 3 x 3 grid."""
        return min(int(self.x * 3), 2), min(int(self.y * 3), 2)


@dataclass(frozen=True)
class Scene:
    """The whole truth of one picture. `background` None means that `draw` chooses one by its seed."""

    kind: str
    things: tuple[Thing, ...] = ()
    word: str | None = None
    word_colour: str = "black"
    background: str | None = None

    @property
    def count(self) -> int:
        return len(self.things)

    @property
    def relation(self) -> str:
        """Where the first thing is, seen from the second. Only for scenes of two things."""
        first, second = self.things
        dx, dy = first.x - second.x, first.y - second.y
        if abs(dx) >= abs(dy):
            return RELATIONS[0] if dx < 0 else RELATIONS[1]
        return RELATIONS[2] if dy < 0 else RELATIONS[3]


@dataclass(frozen=True)
class Options:
    """What may occur in a sampled scene; narrow it to make a closed set of classes."""

    shapes: Sequence[str] = SHAPES
    colours: Sequence[str] = field(default_factory=lambda: tuple(COLOURS))
    words: Sequence[str] = WORDS
    largest_count: int = len(NUMBERS)


def sample(seed: int, *, kind: str | None = None, options: Options | None = None) -> tuple[str, Scene]:
    """A caption and its scene. Without `kind`, the seed also chooses the kind.

    Raises:
        BenchError: an unknown kind.
    """
    if kind is not None and kind not in KINDS:
        raise unknown("kind of scene", kind, KINDS)
    rng = np.random.default_rng([seed, 1])
    chosen = _pick(rng, tuple(KINDS))
    scene = KINDS[kind or chosen](rng, options or Options())
    return describe(scene), scene


def describe(scene: Scene) -> str:
    """The plain caption of a scene: true, and complete up to jitter, background and absolute place."""
    if scene.word is not None:
        return f'the word "{scene.word}"'
    if scene.kind == "position":
        first, second = (_article(f"{one.colour} {one.shape}") for one in scene.things)
        return f"{first} {scene.relation} {second}"
    thing = scene.things[0]
    if scene.kind == "count":
        return f"{NUMBERS[scene.count - 1]} {thing.colour} {plural(thing.shape) if scene.count > 1 else thing.shape}"
    return _article(f"{thing.colour} {thing.shape}")


def truth(scene: Scene) -> str:
    """The label of a scene for the question its kind asks."""
    if scene.word is not None:
        return scene.word
    thing = scene.things[0]
    return {"shape": thing.shape, "colour": thing.colour, "count": NUMBERS[scene.count - 1]}.get(
        scene.kind, scene.relation if scene.count == 2 else ""
    )


def draw(scene: Scene, *, size: int = 128, seed: int = 0) -> Image:
    """The scene as an RGB picture of `size` x `size` pixels, antialiased."""
    from PIL import Image

    rng = np.random.default_rng([seed, 2])
    names = tuple(BACKGROUNDS)
    chosen = "white" if rng.random() < 0.5 else _pick(rng, names)
    canvas = Image.new("RGB", (size * SUPERSAMPLE,) * 2, BACKGROUNDS[scene.background or chosen])
    for thing in scene.things:
        draw_thing(canvas, thing, rng)
    if scene.word is not None:
        draw_word(canvas, scene.word, scene.word_colour, rng)
    return canvas.reduce(SUPERSAMPLE)


def plural(shape: str) -> str:
    """The plural of a shape's name."""
    return shape + ("es" if shape.endswith(("s", "x")) else "s")


def _article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _pick(rng: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


def _sample_single(rng: np.random.Generator, options: Options, *, kind: str) -> Scene:
    x, y = rng.uniform(0.4, 0.6, 2)
    size = rng.uniform(0.2, 0.34)
    return Scene(kind, (Thing(_pick(rng, options.shapes), _pick(rng, options.colours), x, y, size),))


def _sample_shape(rng: np.random.Generator, options: Options) -> Scene:
    return _sample_single(rng, options, kind="shape")


def _sample_colour(rng: np.random.Generator, options: Options) -> Scene:
    return _sample_single(rng, options, kind="colour")


def _sample_count(rng: np.random.Generator, options: Options) -> Scene:
    shape, colour = _pick(rng, options.shapes), _pick(rng, options.colours)
    cells = rng.permutation(9)[: int(rng.integers(1, options.largest_count + 1))]
    size = rng.uniform(0.09, 0.115)  # with jitter still inside a cell, so that things never touch
    return Scene("count", tuple(Thing(shape, colour, (c % 3 + 0.5) / 3, (c // 3 + 0.5) / 3, size) for c in cells))


def _sample_position(rng: np.random.Generator, options: Options) -> Scene:
    shapes = [options.shapes[i] for i in rng.permutation(len(options.shapes))[:2]]
    if len(options.shapes) == 2:  # a closed pair keeps its order, so that four relations are four classes
        shapes = list(options.shapes)
    colours = [options.colours[i] for i in rng.permutation(len(options.colours))[:2]]
    near, far, aside = rng.uniform(0.24, 0.3), rng.uniform(0.7, 0.76), rng.uniform(0.4, 0.6)
    places = {
        "to the left of": ((near, aside), (far, aside)), "to the right of": ((far, aside), (near, aside)),
        "above": ((aside, near), (aside, far)), "below": ((aside, far), (aside, near)),
    }[_pick(rng, RELATIONS)]  # fmt: skip
    size = rng.uniform(0.13, 0.18)
    things = (Thing(s, c, x, y, size) for s, c, (x, y) in zip(shapes, colours, places, strict=True))
    return Scene("position", tuple(things))


def _sample_words(rng: np.random.Generator, options: Options) -> Scene:
    dark = [name for name in options.colours if name not in ("yellow", "pink", "orange")] or list(options.colours)
    return Scene("words", word=_pick(rng, options.words), word_colour=_pick(rng, dark))


KINDS: dict[str, Callable[[np.random.Generator, Options], Scene]] = {
    "shape": _sample_shape,
    "colour": _sample_colour,
    "count": _sample_count,
    "position": _sample_position,
    "words": _sample_words,
}
