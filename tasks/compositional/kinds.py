"""A kind of prompt about the world that our renderer can draw: slots, and how facts become a scene and a scene words.

A meaning is a table of facts (slot -> value), from which a kind builds a `Scene`; the wordings are those of
`bench.generator.compositions`, which the bundled DALL-E learned from: what it is asked here it was never trained on,
but for single things, of which there are few. A foil is the same wording over a scene with one fact changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from bench.generator import compositions as drawn
from bench.generator.prompts import Foil, Prompt, Slot
from bench.generator.scenes import Scene
from tasks.compositional.patterns import MOST_FOILS, Ask, other_value, swaps, taken

Facts = Mapping[str, str]
QUESTIONS = {
    "shape": "What shape is the {of}?",
    "colour": "What colour is the {of}?",
    "size": "Is the {of} small or large?",
    "texture": "Is the {of} striped or dotted?",
    "count": "How many shapes are there?",
    "relation": "Where is the first shape?",
    "order": "What colour is the {of}?",
    "word": "Which word is written?",
    "fused": "Is it one thing or two?",
}


@dataclass(frozen=True)
class Kind:
    """A family of scenes: its slots (name -> kind and options), how facts become a scene and a scene words."""

    name: str
    category: str
    tier: str
    slots: Mapping[str, tuple[str, tuple[str, ...]]]
    build: Callable[[Facts, np.random.Generator], Scene]
    words: Callable[[Scene], tuple[str, ...]] = drawn.wordings
    fixed: Facts = field(default_factory=dict)
    given: Callable[[Scene], Scene] | None = None
    """The scene whose picture's upper half is given as an image prompt."""
    whole: bool = False
    """So few meanings that all are asked for, those that the bundled DALL-E learned from as well."""
    symmetric: bool = False
    """An exchange of two slots means the same: it is no foil."""

    def facts(self, rng: np.random.Generator) -> Facts:
        """Values drawn for all slots; slots that could hold each other's value hold different ones."""
        found: dict[str, str] = {}
        for name, (kind, options) in self.slots.items():
            used = {found[one] for one in found if self.slots[one] == (kind, options)}
            free = [one for one in options if one not in used]
            found[name] = self.fixed.get(name) or free[int(rng.integers(len(free)))]
        return found

    def asks(self) -> list[Ask]:
        return [
            Ask(name, kind, options, "", "", fixed=self.fixed.get(name, ""))
            for name, (kind, options) in self.slots.items()
        ]


def prompts_of(kind: Kind, heading: str, rule: str, *, count: int, seed: int) -> Iterator[Prompt]:
    """Every wording of `count` meanings (fewer where there are not so many)."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
    seen: set[tuple[str, ...]] = set()
    for _ in range(50 * count):
        facts = kind.facts(rng)
        scene = kind.build(facts, rng)
        learned = not kind.whole and scene.kind in drawn.KINDS and not drawn.is_held_out(scene)
        if tuple(facts.values()) in seen or learned:
            continue
        seen.add(tuple(facts.values()))
        yield from _wordings(kind, facts, scene, heading, rule, rng)
        if len(seen) == count:
            return


def _wordings(
    kind: Kind, facts: Facts, scene: Scene, heading: str, rule: str, rng: np.random.Generator
) -> Iterator[Prompt]:
    group = f"{kind.category}/{kind.name}/" + "-".join(value.replace(" ", "_") for value in facts.values())
    slots, edits = _slots(kind, facts, rng), _edits(kind, facts, rng)
    for number, text in enumerate(kind.words(scene), 1):
        foils = [Foil(kind.words(other)[number - 1], name, changes, other) for name, changes, other in edits]
        yield Prompt(
            id=f"{group}/{number}",
            text=text,
            category=kind.category,
            heading=heading,
            tier=kind.tier,
            group=group,
            slots=slots,
            foils=tuple(foils),
            objects=_objects(scene),
            rule=rule,
            scene=scene,
            given=kind.given(scene) if kind.given else None,
            source="own wording",
        )


def _slots(kind: Kind, facts: Facts, rng: np.random.Generator) -> tuple[Slot, ...]:
    """Slots with a statement for every option: the plainest wording of the scene in which it holds."""
    found = []
    for name, (what, options) in kind.slots.items():
        says = {value: kind.words(kind.build({**facts, name: value}, rng))[0] for value in options}
        found.append(Slot(name, what, facts[name], says, _question(name, what, facts)))
    return tuple(found)


def _question(name: str, what: str, facts: Facts) -> str:
    which = name.rpartition(".")[0]
    of = (
        f"{which} thing"
        if which
        else name.replace("level", "block")
        if what == "order"
        else ("thing" if what == "shape" else facts.get("shape", name))
    )
    asked = QUESTIONS[what].replace("{of}", of)
    return asked.replace(" is ", " are ") if of in ("gloves", "trousers") else asked


def _edits(kind: Kind, facts: Facts, rng: np.random.Generator) -> list[tuple[str, dict[str, str], Scene]]:
    """Foils as (kind, changes, scene): exchanges first, then single changes, one of each kind in turn."""
    asks = kind.asks()
    exchanged = [] if kind.symmetric else [(f"swap {what}", changes) for what, changes in swaps(asks, facts)]
    changed = [
        (ask.kind, {ask.name: other_value(ask.kind, facts[ask.name], ask.options, taken(asks, ask, facts), rng)})
        for ask in asks
    ]
    changed = [(what, changes) for what, changes in changed if all(changes.values())]
    every = [
        *(exchanged[i] for i in rng.permutation(len(exchanged))),
        *(changed[i] for i in rng.permutation(len(changed))),
    ]
    firsts = {name: (name, changes) for name, changes in reversed(every)}
    rest = [one for one in every if one not in firsts.values()]
    chosen = [*sorted(firsts.values(), key=lambda one: not one[0].startswith("swap")), *rest][:MOST_FOILS]
    return [(name, changes, kind.build({**facts, **changes}, rng)) for name, changes in chosen]


def _objects(scene: Scene) -> int:
    if scene.kind in ("outfit", "full_outfit"):
        return len(drawn.worn(scene.things)) + 1
    return max(1, len(scene.things))
