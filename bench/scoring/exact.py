"""The exact reader: parses a picture of our renderer's world into things and compares them with what was asked for.

It is exact about such pictures only (its reliability card says how exact): flat things on a plain background. Which
drawn thing is meant by which words is decided in the drawing's favour: the assignment with the most agreement, shapes
before colours; where two are equally good, each counts half. Something drawn that nobody asked for makes the whole
picture wrong, though its slots may be right.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from bench.generator import reader
from bench.generator.compositions import SHAPES
from bench.generator.prompts import GONE, Prompt, Slot
from bench.generator.vocabulary import NUMBERS, RELATIONS
from bench.scoring import Material, Reading, Shares, surely

if TYPE_CHECKING:
    from PIL.Image import Image

LARGE = 0.24
"""Radius from which a thing alone is large, between what is drawn small and large."""
LARGER = 1.15
"""One of two is the larger if its radius is so many times the other's."""
SOLID = tuple(shape for shape in SHAPES if shape != "ring")
HYBRIDS = tuple(f"{left}+{right}" for left in SOLID for right in SOLID if left != right)


class Thing(Protocol):
    """What was seen; places and sizes as in `scenes.Thing`. No colour where none prevails."""

    @property
    def shape(self) -> str: ...
    @property
    def colour(self) -> str | None: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def size(self) -> float: ...
    @property
    def texture(self) -> str: ...


class Look(Protocol):
    """A parser of pictures, by what is looked for; `bench.generator.reader` is one."""

    def things(self, picture: Image, shapes: tuple[str, ...] = ...) -> Sequence[Thing]: ...
    def stack(self, picture: Image) -> Sequence[str]: ...
    def figure(self, picture: Image) -> Mapping[str, str] | None: ...


READER = cast("Look", reader)


@dataclass(frozen=True)
class Exact:
    """`look` parses a picture."""

    look: Look = READER
    name: str = "exact"
    model: str = ""

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return prompt.scene is not None and prompt.scene.kind in KINDS and slot.kind != "word"

    def read(self, material: Material) -> list[Reading]:
        return [
            self._one(prompt, material.images[i])
            if all(self.reads(prompt, slot) for slot in prompt.slots)
            else Reading({})
            for i, prompt in enumerate(material.prompts)
        ]

    def _one(self, prompt: Prompt, picture: Image) -> Reading:
        assert prompt.scene is not None
        kind = prompt.scene.kind
        if kind in ("stack", "tall_stack"):
            return _stack(prompt, self.look.stack(picture))
        if kind in ("outfit", "full_outfit"):
            return _outfit(prompt, self.look.figure(picture))
        seen = self.look.things(picture, (*SHAPES, *HYBRIDS) if kind == "hybrid" else SHAPES)
        return KINDS[kind](prompt, list(seen))  # type: ignore[misc]


def _single(prompt: Prompt, things: list[Thing]) -> Reading:
    if not things:
        return Reading({slot.name: surely(None) for slot in prompt.slots}, 0.0)
    it = max(things, key=lambda one: one.size)
    return Reading({slot.name: surely(_value(slot, it)) for slot in prompt.slots}, float(len(things) == 1))


def _value(slot: Slot, thing: Thing) -> str:
    """An attribute of a thing."""
    if slot.kind == "size":
        return "small" if thing.size < LARGE else "large"
    return {"shape": thing.shape, "colour": thing.colour or GONE, "texture": thing.texture}[slot.kind]


def _group(prompt: Prompt, things: list[Thing]) -> Reading:
    number = NUMBERS[len(things) - 1] if 0 < len(things) <= len(NUMBERS) else None
    said = {
        "count": surely(number),
        "shape": _usual([it.shape for it in things]),
        "colour": _usual([it.colour or GONE for it in things]),
    }
    alike = len({(it.shape, it.colour) for it in things}) == 1
    return Reading({slot.name: said[slot.kind] for slot in prompt.slots}, float(alike))


def _usual(values: list[str]) -> Shares:
    """The most frequent value; equal ones share."""
    if not values:
        return surely(None)
    counts = Counter(values)
    most = [value for value, count in counts.items() if count == max(counts.values())]
    return dict.fromkeys(most, 1 / len(most))


def _pair(prompt: Prompt, things: list[Thing]) -> Reading:
    """Two things: every way of taking two drawn things for the asked ones is tried."""
    whole = float(len(things) == 2)
    ways = [(one, other) for one, other in itertools.permutations([*things, None, None], 2)]
    rated = [(_agreement(prompt, way), way) for way in ways]
    top = max(score for score, _ in rated)
    found = [way for score, way in rated if score == top]
    readings = [_of_pair(prompt, way) for way in found]
    return Reading({slot.name: _mean([one[slot.name] for one in readings]) for slot in prompt.slots}, whole)


Way = tuple[Thing | None, Thing | None]


def _agreement(prompt: Prompt, way: Way) -> float:
    """Agreement in shapes counts most, then in colours; a drawn thing beats none. Relation and size do not count."""
    score = 0.0
    for which, thing in zip(("first", "second"), way, strict=True):
        if thing is not None:
            shape, colour = prompt.slot(f"{which}.shape").value, prompt.slot(f"{which}.colour").value
            score += 1 + 16 * (thing.shape == shape) + 4 * (thing.colour == colour)
    return score


def _of_pair(prompt: Prompt, way: Way) -> dict[str, str]:
    by_name = dict(zip(("first", "second"), way, strict=True))
    return {slot.name: _pair_value(slot, way, by_name.get(slot.name.split(".")[0])) for slot in prompt.slots}


def _pair_value(slot: Slot, way: Way, thing: Thing | None) -> str:
    first, second = way
    if slot.kind == "relation":
        return GONE if first is None or second is None else _relation(first, second)
    if slot.kind == "size" and thing is not None:
        other = second if thing is first else first
        ratio = 1.0 if other is None else thing.size / other.size
        return "large" if ratio > LARGER else "small" if ratio < 1 / LARGER else GONE
    return GONE if thing is None else _value(slot, thing)


def _relation(first: Thing, second: Thing) -> str:
    dx, dy = first.x - second.x, first.y - second.y
    return RELATIONS[int(dx > 0)] if abs(dx) >= abs(dy) else RELATIONS[2 + int(dy > 0)]


def _mean(values: list[str]) -> Shares:
    return {value: count / len(values) for value, count in Counter(values).items()}


def _stack(prompt: Prompt, colours: Sequence[str]) -> Reading:
    """Blocks from top to bottom; they must be as many as asked for."""
    levels = [*colours, *[GONE] * len(prompt.slots)]
    return Reading(
        {slot.name: surely(colour) for slot, colour in zip(prompt.slots, levels, strict=False)},
        float(len(colours) == len(prompt.slots)),
    )


def _outfit(prompt: Prompt, worn: Mapping[str, str] | None) -> Reading:
    """Garment by garment; what was not asked for must not be worn."""
    found = worn or {}
    extra = set(found) - {slot.name for slot in prompt.slots}
    return Reading(
        {slot.name: surely(found.get(slot.name)) for slot in prompt.slots}, float(worn is not None and not extra)
    )


def _hybrid(prompt: Prompt, things: list[Thing]) -> Reading:
    """Both parents, in either order, in one thing."""
    asked = [prompt.slot("left").value, prompt.slot("right").value]
    parents = [half for it in things for half in it.shape.split("+")][:2]
    if parents[::-1] == asked or (len(parents) == 2 and parents[0] == asked[1] and parents[1] != asked[1]):
        parents = parents[::-1]
    left, right = [*parents, GONE, GONE][:2]
    one = len(things) == 1 and "+" in things[0].shape
    said = {
        "left": surely(left),
        "right": surely(right),
        "colour": _usual([it.colour or GONE for it in things]),
        "fused": surely("one" if one else "apart" if len(things) > 1 else None),
    }
    return Reading({slot.name: said[slot.name] for slot in prompt.slots}, float(0 < len(things) < 3))


def _again(prompt: Prompt, things: list[Thing]) -> Reading:
    above, below = ([it for it in things if (it.y < 0.5) == upper] for upper in (True, False))
    said = {
        "shape": _usual([it.shape for it in below]),
        "above": _usual([it.colour or GONE for it in above]),
        "below": _usual([it.colour or GONE for it in below]),
    }
    same = len(above) == len(below) == 1 and above[0].shape == below[0].shape
    return Reading({slot.name: said[slot.name] for slot in prompt.slots}, float(same))


KINDS: dict[str, Callable[[Prompt, list[Thing]], Reading] | None] = {
    "single": _single,
    "size": _single,
    "texture": _single,
    "few": _group,
    "many": _group,
    "two": _pair,
    "pair": _pair,
    "sized_pair": _pair,
    "hybrid": _hybrid,
    "again": _again,
    "stack": None,
    "tall_stack": None,
    "outfit": None,
    "full_outfit": None,
}
"""How each kind of scene is read; stacks and figures have layouts of their own."""
