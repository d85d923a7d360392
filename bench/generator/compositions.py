"""Captioned scenes in three tiers: what the bundled DALL-E learns to draw, with several equivalent wordings each.

Kinds follow the categories of the DALL-E announcement (OpenAI, 2021-01-05) in our renderer's flat world: attributes,
size, texture, counts, two bound objects in a relation, ordered stacks, a figure in coloured garments, hybrids.
The truth is the `Scene`; the words are made from it and never read back.

A share of all meanings (`HELD_OUT`, by a hash) is kept from training; of the easy tier training
may see them all only in other kinds. Training scenes have seeds below `FIRST_TEST_SEED`, test scenes from it on.

To add a kind: a sampler and a list of wordings here, and a line in `KINDS`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import unknown
from bench.generator.scenes import FIRST_TEST_SEED, Scene, Thing, draw, plural
from bench.generator.vocabulary import GARMENTS, NUMBERS, RELATIONS

if TYPE_CHECKING:
    from PIL.Image import Image

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "ring", "diamond")
COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "black")
HELD_OUT = 8
"""One meaning in eight is never trained on."""
SMALL, MIDDLING, LARGE = (0.1, 0.14), (0.2, 0.28), (0.34, 0.4)
"""Radii of single things, as fractions of the picture's side."""
BARE = "grey"
"""The figure's head, and its hands, trunk and legs where nothing is worn."""

Words = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One kind of captioned scene."""

    tier: str
    """easy, middle or hard."""
    sample: Callable[[np.random.Generator], tuple[Thing, ...]]
    words: Callable[[tuple[Thing, ...]], Words]
    """All wordings of one meaning, the plainest first."""


def compose(seed: int, *, kind: str) -> Scene:
    """A scene of this kind. Seeds from `FIRST_TEST_SEED` on give held-out meanings only, the others never do.

    Raises:
        BenchError: an unknown kind.
    """
    if kind not in KINDS:
        raise unknown("kind of composition", kind, KINDS)
    rng = np.random.default_rng([seed, 3])
    while True:
        scene = Scene(kind, KINDS[kind].sample(rng), background="white")
        if kind == "single" and seed >= FIRST_TEST_SEED:  # 64 meanings: all are asked for, seen and unseen ones
            return scene
        if is_held_out(scene) == (seed >= FIRST_TEST_SEED):
            return scene


def wordings(scene: Scene) -> Words:
    """Every caption of this scene; all mean the same."""
    return KINDS[scene.kind].words(scene.things)


def meaning(scene: Scene) -> str:
    """One caption for all scenes that mean the same: a pair means the same from either thing's side."""
    words = wordings(scene)
    return min(words[:2]) if scene.kind in ("pair", "sized_pair") else words[0]


def is_held_out(scene: Scene) -> bool:
    """Whether this meaning is kept from training."""
    return zlib.crc32(meaning(scene).encode()) % HELD_OUT == 0


def render(scene: Scene, *, size: int = 64, seed: int = 0) -> Image:
    """The picture of a composition; jitter by `seed`."""
    return draw(scene, size=size, seed=seed)


def a(words: str) -> str:
    """With the indefinite article."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def _pick(rng: np.random.Generator, items: tuple[str, ...]) -> str:
    return items[int(rng.integers(len(items)))]


def _two(rng: np.random.Generator, items: tuple[str, ...]) -> tuple[str, str]:
    first, second = rng.permutation(len(items))[:2]
    return items[first], items[second]


# One thing --------------------------------------------------------------------------------------------------------


def _one(rng: np.random.Generator, radius: tuple[float, float], texture: str = "plain") -> tuple[Thing, ...]:
    x, y = rng.uniform(0.45, 0.55, 2)
    return (Thing(_pick(rng, SHAPES), _pick(rng, COLOURS), x, y, rng.uniform(*radius), texture),)


def _sized(rng: np.random.Generator) -> tuple[Thing, ...]:
    return _one(rng, SMALL if rng.random() < 0.5 else LARGE)


def _textured(rng: np.random.Generator) -> tuple[Thing, ...]:
    return _one(rng, LARGE, "striped" if rng.random() < 0.5 else "dotted")


def _single_words(things: tuple[Thing, ...]) -> Words:
    (it,) = things
    plain = f"{it.colour} {it.shape}"
    twice = f"{a(plain)}. {a(it.shape)} in {it.colour}."
    return a(plain), f"a picture of {a(plain)}", f"{a(it.shape)} that is {it.colour}", twice


def size_word(thing: Thing) -> str:
    """small, large, or nothing for the usual size."""
    return "small" if thing.size <= SMALL[1] else "large" if thing.size >= 0.17 else ""


def _sized_words(things: tuple[Thing, ...]) -> Words:
    (it,) = things
    size, thing = "small" if it.size <= SMALL[1] else "large", f"{it.colour} {it.shape}"
    return (a(f"{size} {thing}"), f"{a(thing)} that is {size}", f"a picture of {a(f'{size} {thing}')}",
            f"{a(f'{size} {it.shape}')} in {it.colour}")  # fmt: skip


def _textured_words(things: tuple[Thing, ...]) -> Words:
    (it,) = things
    noun, thing = {"striped": "stripes", "dotted": "dots"}[it.texture], f"{it.colour} {it.shape}"
    return (a(f"{it.texture} {thing}"), f"{a(thing)} with {noun}", f"a picture of {a(f'{it.texture} {thing}')}",
            f"{a(thing)} with the texture of {noun}")  # fmt: skip


def _hybrid(rng: np.random.Generator) -> tuple[Thing, ...]:
    left, right = _two(rng, tuple(shape for shape in SHAPES if shape != "ring"))
    (it,) = _one(rng, LARGE)
    return (Thing(f"{left}+{right}", it.colour, it.x, it.y, it.size),)


def _hybrid_words(things: tuple[Thing, ...]) -> Words:
    (it,) = things
    left, right = it.shape.split("+")
    return (f"{a(it.colour)} hybrid of {a(left)} and {a(right)}", f"{a(it.colour)} {left} {right} chimera",
            f"half {left}, half {right}, in {it.colour}")  # fmt: skip


# Many of one ------------------------------------------------------------------------------------------------------


def _some(rng: np.random.Generator, low: int, high: int) -> tuple[Thing, ...]:
    shape, colour = _pick(rng, SHAPES), _pick(rng, COLOURS)
    cells = rng.permutation(9)[: int(rng.integers(low, high + 1))]
    size = rng.uniform(0.115, 0.13)  # with jitter still inside a cell, so that things never touch
    return tuple(Thing(shape, colour, (c % 3 + 0.5) / 3, (c // 3 + 0.5) / 3, size) for c in sorted(cells))


def _count_words(things: tuple[Thing, ...]) -> Words:
    number, many = NUMBERS[len(things) - 1], f"{things[0].colour} {plural(things[0].shape)}"
    return (f"{number} {many}", f"a picture of {number} {many}", f"a collection of {number} {many}",
            f"{number} {plural(things[0].shape)} in {things[0].colour}")  # fmt: skip


# Two things in a relation -----------------------------------------------------------------------------------------


def _pair(rng: np.random.Generator, sizes: tuple[tuple[float, float], tuple[float, float]]) -> tuple[Thing, ...]:
    near, far, aside = rng.uniform(0.24, 0.27), rng.uniform(0.73, 0.76), rng.uniform(0.42, 0.58)
    first, second = {
        "to the left of": ((near, aside), (far, aside)), "to the right of": ((far, aside), (near, aside)),
        "above": ((aside, near), (aside, far)), "below": ((aside, far), (aside, near)),
    }[_pick(rng, RELATIONS)]  # fmt: skip
    shapes, colours = _two(rng, SHAPES), _two(rng, COLOURS)
    return (Thing(shapes[0], colours[0], *first, rng.uniform(*sizes[0])),
            Thing(shapes[1], colours[1], *second, rng.uniform(*sizes[1])))  # fmt: skip


def _usual_pair(rng: np.random.Generator) -> tuple[Thing, ...]:
    return _pair(rng, ((0.15, 0.165), (0.15, 0.165)))


def _sized_pair(rng: np.random.Generator) -> tuple[Thing, ...]:
    small, large = SMALL, (0.18, 0.2)
    return _pair(rng, (small, large) if rng.random() < 0.5 else (large, small))


_BACK = {"to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above"}
_PLACES = {
    "to the left of": ("on the left", "on the right"), "to the right of": ("on the right", "on the left"),
    "above": ("at the top", "at the bottom"), "below": ("at the bottom", "at the top"),
}  # fmt: skip


def _pair_words(things: tuple[Thing, ...]) -> Words:
    first, second = (a(f"{size_word(it)} {it.colour} {it.shape}".strip()) for it in things)
    relation = Scene("position", things).relation
    here, there = _PLACES[relation]
    return (f"{first} {relation} {second}", f"{second} {_BACK[relation]} {first}", f"{first} {here}, {second} {there}",
            f"{here} {first}, {there} {second}")  # fmt: skip


# Stacks -----------------------------------------------------------------------------------------------------------


def _stack(rng: np.random.Generator, low: int, high: int) -> tuple[Thing, ...]:
    number = int(rng.integers(low, high + 1))
    radius = {2: 0.2, 3: 0.18, 4: 0.15}[number]
    tall = radius * np.sqrt(2)
    colours = [COLOURS[i] for i in rng.permutation(len(COLOURS))[:number]]
    return tuple(
        Thing("square", colour, 0.5, float(0.5 + (place - (number - 1) / 2) * tall), radius)
        for place, colour in enumerate(colours)
    )


def _stack_words(things: tuple[Thing, ...]) -> Words:
    colours, number = [it.colour for it in things], NUMBERS[len(things) - 1]
    downwards = " on ".join(a(f"{colour} block") for colour in colours)
    return (f"a stack of {number} blocks: {', '.join(colours)} from top to bottom",
            downwards,
            f"a stack of {number} blocks. {colours[0]} is on the top, sitting on {', sitting on '.join(colours[1:])}.",
            f"a stack of {number} blocks: {', '.join(reversed(colours))} from bottom to top")  # fmt: skip


# A figure in garments ---------------------------------------------------------------------------------------------

_FIGURE = (
    ("trousers", (0.5, 0.79), 0.24), ("shirt", (0.5, 0.51), 0.27), ("gloves", (0.2, 0.57), 0.075),
    ("gloves", (0.8, 0.57), 0.075), ("head", (0.5, 0.26), 0.125), ("hat", (0.5, 0.12), 0.16),
)  # fmt: skip
"""Garment, place and radius, in the order of painting."""


def dress(colours: dict[str, str]) -> tuple[Thing, ...]:
    """The figure with these garments; what is not worn is bare, and an absent hat is nothing."""
    parts = []
    for garment, (x, y), radius in _FIGURE:
        if garment != "hat" or garment in colours:
            parts.append(Thing(GARMENTS.get(garment, garment), colours.get(garment, BARE), x, y, radius))
    return tuple(parts)


def worn(things: tuple[Thing, ...]) -> dict[str, str]:
    """Garment -> colour, from hat to trousers."""
    colours = {thing.shape: thing.colour for thing in things if thing.colour != BARE}
    return {word: colours[outline] for word, outline in GARMENTS.items() if outline in colours}


def _outfit(rng: np.random.Generator, low: int, high: int) -> tuple[Thing, ...]:
    chosen = rng.permutation(len(GARMENTS))[: int(rng.integers(low, high + 1))]
    colours = rng.permutation(len(COLOURS))
    names = tuple(GARMENTS)
    return dress({names[g]: COLOURS[c] for g, c in zip(chosen, colours, strict=False)})


def _outfit_words(things: tuple[Thing, ...]) -> Words:
    pairs = list(worn(things).items())
    one_by_one = [f"{colour} {garment}" if garment in ("gloves", "trousers") else a(f"{colour} {garment}")
                  for garment, colour in pairs]  # fmt: skip
    return (f"a figure wearing {_join(one_by_one)}", f"a figure in {_join(one_by_one[::-1])}",
            "a figure. " + " ".join(f"the {g} {'are' if g in ('gloves', 'trousers') else 'is'} {c}." for g, c in pairs),
            f"an emoji of a figure wearing {_join(one_by_one)}")  # fmt: skip


def _join(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


KINDS: dict[str, Kind] = {
    "single": Kind("easy", lambda rng: _one(rng, MIDDLING), _single_words),
    "size": Kind("middle", _sized, _sized_words),
    "texture": Kind("middle", _textured, _textured_words),
    "few": Kind("middle", lambda rng: _some(rng, 2, 3), _count_words),
    "pair": Kind("middle", _usual_pair, _pair_words),
    "stack": Kind("middle", lambda rng: _stack(rng, 2, 2), _stack_words),
    "outfit": Kind("middle", lambda rng: _outfit(rng, 1, 2), _outfit_words),
    "many": Kind("hard", lambda rng: _some(rng, 4, 6), _count_words),
    "sized_pair": Kind("hard", _sized_pair, _pair_words),
    "tall_stack": Kind("hard", lambda rng: _stack(rng, 3, 4), _stack_words),
    "full_outfit": Kind("hard", lambda rng: _outfit(rng, 3, 4), _outfit_words),
    "hybrid": Kind("hard", _hybrid, _hybrid_words),
}
TIERS = ("easy", "middle", "hard")
