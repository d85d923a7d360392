"""The exact reader: parses a picture of our renderer's world into things and compares them with what was asked for.

It is exact about such pictures only (its reliability card says how exact): flat things on a plain background. Which
drawn thing is meant by which words is decided in the drawing's favour: the assignment with the most agreement, shapes
before colours; where two are equally good, each counts half. Something drawn that nobody asked for makes the whole
picture wrong, though its slots may be right.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.generator.prompts import GONE, Prompt, Slot
from bench.generator.scenes import Scene, Thing
from bench.generator.vocabulary import GARMENTS, NUMBERS
from bench.scoring import Material, Reading, Shares, surely

if TYPE_CHECKING:
    from PIL.Image import Image

HALF_SIZE = {"size": 0.21, "sized_pair": 0.151}
"""Radius between small and large, the geometric mean of what is drawn, by kind of scene."""
BARE = "grey"


def default_reader(picture: Image) -> Sequence[Thing]:
    from bench.generator.reader import read

    return read(picture)


@dataclass(frozen=True)
class Exact:
    """`look` turns a picture into things, in any order."""

    look: Callable[[Image], Sequence[Thing]] = default_reader
    name: str = "exact"
    model: str = ""

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return prompt.scene is not None and prompt.scene.kind in KINDS and slot.kind != "word"

    def read(self, material: Material) -> list[Reading]:
        return [
            facts(prompt, self.look(material.images[i]))
            if prompt.scene is not None and prompt.scene.kind in KINDS else Reading({})
            for i, prompt in enumerate(material.prompts)
        ]  # fmt: skip


def facts(prompt: Prompt, things: Sequence[Thing]) -> Reading:
    """What these things say about the slots of the prompt."""
    assert prompt.scene is not None
    return KINDS[prompt.scene.kind](prompt, list(things))


def _single(prompt: Prompt, things: list[Thing]) -> Reading:
    if not things:
        return Reading({slot.name: surely(None) for slot in prompt.slots}, 0.0)
    it = max(things, key=lambda one: one.size)
    return Reading({slot.name: surely(_value(slot, it, prompt)) for slot in prompt.slots}, float(len(things) == 1))


def _value(slot: Slot, thing: Thing, prompt: Prompt) -> str:
    """An attribute of a thing."""
    if slot.kind == "size":
        assert prompt.scene is not None
        return "small" if thing.size < HALF_SIZE[prompt.scene.kind] else "large"
    return {"shape": thing.shape, "colour": thing.colour, "order": thing.colour, "texture": thing.texture}[slot.kind]


def _group(prompt: Prompt, things: list[Thing]) -> Reading:
    number = NUMBERS[len(things) - 1] if 0 < len(things) <= len(NUMBERS) else None
    said = {"count": surely(number), "shape": _usual([it.shape for it in things]), "colour": _usual([it.colour for it in things])}
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
    found = {}
    for slot in prompt.slots:
        if slot.kind == "relation":
            first, second = way
            found[slot.name] = GONE if first is None or second is None else Scene("pair", (first, second)).relation
        else:
            thing = by_name[slot.name.split(".")[0]]
            found[slot.name] = GONE if thing is None else _value(slot, thing, prompt)
    return found


def _mean(values: list[str]) -> Shares:
    return {value: count / len(values) for value, count in Counter(values).items()}


def _stack(prompt: Prompt, things: list[Thing]) -> Reading:
    """Blocks from top to bottom; they must be as many as asked for, all square, one above the other."""
    rising = sorted(things, key=lambda it: it.y)
    colours = [it.colour for it in rising] + [GONE] * len(prompt.slots)
    upright = bool(things) and max(it.x for it in things) - min(it.x for it in things) < 0.2
    sound = len(things) == len(prompt.slots) and upright and all(it.shape == "square" for it in things)
    return Reading({slot.name: surely(colour) for slot, colour in zip(prompt.slots, colours, strict=False)}, float(sound))


def _outfit(prompt: Prompt, things: list[Thing]) -> Reading:
    worn = {word: [it.colour for it in things if it.shape == outline] for word, outline in GARMENTS.items()}
    asked = {slot.name for slot in prompt.slots}
    extra = any(colour != BARE for word, colours in worn.items() if word not in asked for colour in colours)
    return Reading({slot.name: _mean(worn[slot.name]) if worn[slot.name] else surely(None) for slot in prompt.slots},
                   float(not extra))  # fmt: skip


def _hybrid(prompt: Prompt, things: list[Thing]) -> Reading:
    """Both parents, in either order, in one thing."""
    asked = [prompt.slot("left").value, prompt.slot("right").value]
    parents = [half for it in things for half in it.shape.split("+")][:2]
    if parents[::-1] == asked or (len(parents) == 2 and parents[0] == asked[1] and parents[1] != asked[1]):
        parents = parents[::-1]
    left, right = [*parents, GONE, GONE][:2]
    one = len(things) == 1 and "+" in things[0].shape
    said = {"left": surely(left), "right": surely(right), "colour": _usual([it.colour for it in things]),
            "fused": surely("one" if one else "apart" if len(things) > 1 else None)}  # fmt: skip
    return Reading({slot.name: said[slot.name] for slot in prompt.slots}, float(one))


def _again(prompt: Prompt, things: list[Thing]) -> Reading:
    above, below = ([it for it in things if (it.y < 0.5) == upper] for upper in (True, False))
    said = {"shape": _usual([it.shape for it in below]), "above": _usual([it.colour for it in above]),
            "below": _usual([it.colour for it in below])}  # fmt: skip
    same = len(above) == len(below) == 1 and above[0].shape == below[0].shape
    return Reading({slot.name: said[slot.name] for slot in prompt.slots}, float(same))


KINDS: dict[str, Callable[[Prompt, list[Thing]], Reading]] = {
    "single": _single, "size": _single, "texture": _single, "few": _group, "many": _group, "two": _pair, "pair": _pair,
    "sized_pair": _pair, "stack": _stack, "tall_stack": _stack, "outfit": _outfit, "full_outfit": _outfit,
    "hybrid": _hybrid, "again": _again,
}  # fmt: skip
"""How each kind of scene is read."""
