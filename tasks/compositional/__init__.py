"""The compositional suite: prompts with stored truth, in the categories of DALL-E's announcement (OpenAI, 2021-01-05).

`prompts(seed=...)` is the whole grammar. Each category has easy, middle and hard meanings, each meaning two to four
equivalent wordings (a paraphrase group), each prompt its slots (facts, with a statement for every value that could
hold), its foils (sentences false in exactly one fact) and its rule. The seed article's own examples are in by name.

`world` holds what our renderer can draw and an exact reader can check (as `kinds`); `objects`, `seen`, `mixed` and
`meant` hold all else (as `patterns`). To add one: a `Pattern` in one of these; the tests check its slots and foils.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.errors import unknown
from bench.generator.prompts import TIERS, Prompt
from tasks.compositional import kinds, patterns, world
from tasks.compositional.meant import MEANT
from tasks.compositional.mixed import MIXED
from tasks.compositional.objects import OBJECTS
from tasks.compositional.seen import SEEN

PATTERNS = (*OBJECTS, *SEEN, *MIXED, *MEANT)


class Category(NamedTuple):
    """Where it stands in the announcement, and how a picture is judged."""

    heading: str
    rule: str


CATEGORIES = {
    "attributes": Category("controlling attributes", "every attribute is the one that was asked for"),
    "bindings": Category("drawing multiple objects", "every garment has its own colour; exchanges are counted"),
    "position": Category("drawing multiple objects", "both things with their attributes, in the relation asked for"),
    "stacks": Category("drawing multiple objects", "the whole order, from top to bottom"),
    "counts": Category("controlling attributes", "exactly the number, of the thing asked for"),
    "perspective": Category("perspective and three-dimensionality", "the thing, seen or made as asked for"),
    "structure": Category("internal and external structure", "the thing, and its inside or outside as asked for"),
    "context": Category("contextual details", "every detail; written words letter by letter"),
    "fusion": Category("combining unrelated concepts", "both parents in one thing, not two things side by side"),
    "texture": Category("controlling attributes", "shape and surface are judged apart"),
    "senses": Category("controlling attributes", "the sense that was said; where none was, either"),
    "sketch": Category("zero-shot visual reasoning", "the given upper half stays, the lower is the same thing changed"),
    "geography": Category("geographic knowledge", "the place asked for"),
    "time": Category("temporal knowledge", "the time asked for"),
}


WORLD = 2
"""Times as many meanings of what can be checked exactly."""


def prompts(
    *, seed: int = 0, meanings: int = 4, categories: Sequence[str] = (), tiers: Sequence[str] = ()
) -> list[Prompt]:
    """The suite, the same for the same arguments.

    Args:
        meanings: of each pattern (there are one to four of them a category and tier), and twice as many of each kind
            in our renderer's world; the seed article's own examples are added to them.
        categories: some of `CATEGORIES`; all if empty.
        tiers: some of easy, middle, hard; all if empty.

    Raises:
        BenchError: an unknown category or tier.
    """
    for given, known, what in ((categories, CATEGORIES, "category of prompts"), (tiers, TIERS, "tier")):
        for name in given:
            if name not in known:
                raise unknown(what, name, known)
    every = [one for source in (world.KINDS, PATTERNS) for one in _of(source, seed, meanings)]
    places = {name: place for place, name in enumerate(CATEGORIES)}
    chosen = [one for one in every if one.category in (categories or CATEGORIES) and one.tier in (tiers or TIERS)]
    return sorted(chosen, key=lambda one: (places[one.category], TIERS.index(one.tier)))


def _of(sources: Sequence[kinds.Kind | patterns.Pattern], seed: int, count: int) -> Iterator[Prompt]:
    for one in sources:
        category = CATEGORIES[one.category]
        if isinstance(one, kinds.Kind):
            yield from kinds.prompts_of(one, *category, count=WORLD * count, seed=seed)
        else:
            yield from patterns.prompts_of(one, *category, count=count, seed=seed)


EXAMPLES = tuple(name for pattern in PATTERNS for name in pattern.examples)
"""The seed article's own examples that are in the suite, by name."""
