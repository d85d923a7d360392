"""What a picture got right of a composition, slot by slot: the exact reader's finding held against the scene.

| kind                      | slots                                                                    |
|---------------------------|--------------------------------------------------------------------------|
| single                    | count (one thing), shape, colour                                         |
| size, texture             | the same and size, or texture                                            |
| few, many                 | count, shape (of all), colour (of all)                                   |
| pair, sized_pair          | count, shapes, colours (as sets), places (which colour where, whatever    |
|                           | the shapes), binding (which colour on which shape), relation; sizes      |
| stack, tall_stack         | colours (as a set), order (the whole list)                               |
| outfit, full_outfit       | figure, then each garment's colour, and bare (nothing else is worn)      |
| hybrid                    | count, colour, halves (both in their order), parents (in any order)      |

A picture is right if every slot is. A relation is read between the two bound things; without them it is wrong.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from bench.generator import reader
from bench.generator.compositions import SHAPES, worn
from bench.generator.reader import Seen
from bench.generator.scenes import Scene, Thing
from bench.generator.vocabulary import GARMENTS, RELATIONS

if TYPE_CHECKING:
    from PIL.Image import Image

Slots = dict[str, bool]
LARGER = 1.15
"""One of a pair is the larger if its radius is so many times the other's."""
LARGE = 0.24
"""Radius from which a thing alone is large."""
HYBRIDS = tuple(
    f"{left}+{right}" for left in SHAPES for right in SHAPES if left != right and "ring" not in (left, right)
)


def verdict(scene: Scene, picture: Image) -> Slots:
    """Slot -> right."""
    if scene.kind in ("stack", "tall_stack"):
        return _stack(scene, reader.stack(picture))
    if scene.kind in ("outfit", "full_outfit"):
        return _outfit(scene, reader.figure(picture))
    seen = reader.things(picture, (*SHAPES, *HYBRIDS) if scene.kind == "hybrid" else SHAPES)
    if scene.kind in ("pair", "sized_pair"):
        return _pair(scene, seen)
    if scene.kind == "hybrid":
        return _hybrid(scene.things[0], seen)
    return _alike(scene, seen)


def is_right(slots: Slots) -> bool:
    """Whether all of it is right."""
    return all(slots.values())


def _alike(scene: Scene, seen: list[Seen]) -> Slots:
    asked = scene.things[0]
    slots = {
        "count": len(seen) == scene.count,
        "shape": bool(seen) and all(one.shape == asked.shape for one in seen),
        "colour": bool(seen) and all(one.colour == asked.colour for one in seen),
    }
    if scene.kind == "size":
        slots["size"] = bool(seen) and all((one.size >= LARGE) == (asked.size >= LARGE) for one in seen)
    if scene.kind == "texture":
        slots["texture"] = bool(seen) and all(one.texture == asked.texture for one in seen)
    return slots


def _pair(scene: Scene, seen: list[Seen]) -> Slots:
    first, second = scene.things
    matched = [[one for one in seen if (one.shape, one.colour) == (it.shape, it.colour)] for it in (first, second)]
    bound = all(matched)
    slots = {
        "count": len(seen) == 2,
        "shapes": {one.shape for one in seen} == {first.shape, second.shape},
        "colours": {one.colour for one in seen} == {first.colour, second.colour},
        "places": _placed(scene, seen),
        "binding": bound,
        "relation": any(_relation(one, other) == scene.relation for one in matched[0] for other in matched[1]),
    }
    if scene.kind == "sized_pair":
        smaller, larger = (0, 1) if first.size < second.size else (1, 0)
        slots["sizes"] = any(one.size > LARGER * other.size for one in matched[larger] for other in matched[smaller])
    return slots


def _placed(scene: Scene, seen: list[Seen]) -> bool:
    """Whether two things stand along the asked axis with their colours in the asked order."""
    if len(seen) != 2:
        return False
    across = scene.relation in RELATIONS[:2]
    if across != (abs(seen[0].x - seen[1].x) >= abs(seen[0].y - seen[1].y)):
        return False
    axis = attrgetter("x" if across else "y")
    return [one.colour for one in sorted(seen, key=axis)] == [it.colour for it in sorted(scene.things, key=axis)]


def _relation(first: Seen, second: Seen) -> str:
    things = tuple(Thing(one.shape, one.colour or "", one.x, one.y) for one in (first, second))
    return Scene("position", things).relation


def _stack(scene: Scene, colours: list[str]) -> Slots:
    asked = [it.colour for it in scene.things]
    return {"colours": sorted(colours) == sorted(asked), "order": colours == asked}


def _outfit(scene: Scene, seen: dict[str, str] | None) -> Slots:
    asked = worn(scene.things)
    slots = {"figure": seen is not None}
    slots |= {garment: seen is not None and seen.get(garment) == colour for garment, colour in asked.items()}
    if len(asked) < len(GARMENTS):
        slots["bare"] = seen is not None and set(seen) <= set(asked)
    return slots


def _hybrid(asked: Thing, seen: list[Seen]) -> Slots:
    one = max(seen, key=lambda it: it.size, default=None)
    return {
        "count": len(seen) == 1,
        "colour": one is not None and one.colour == asked.colour,
        "parents": one is not None and set(one.shape.split("+")) == set(asked.shape.split("+")),
        "halves": one is not None and one.shape == asked.shape,
    }
