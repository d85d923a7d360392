"""What our renderer can draw, so that a picture's truth is known and an exact reader can check: `KINDS`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.generator import compositions as drawn
from bench.generator.compositions import COLOURS, SHAPES, a
from bench.generator.scenes import Scene, Thing
from bench.generator.vocabulary import GARMENTS, NUMBERS, RELATIONS
from tasks.compositional.kinds import Facts, Kind

SIZES = ("small", "large")
RADII = {"small": (0.11, 0.13), "large": (0.36, 0.39), "": (0.22, 0.27)}
PAIRED = {"small": (0.11, 0.13), "large": (0.185, 0.195), "": (0.152, 0.163)}
TEXTURES = ("striped", "dotted")
WRITTEN = {"easy": ("cat", "sun", "tea", "open"), "hard": ("coffee", "winter", "market", "summer")}


# Facts -> scenes ----------------------------------------------------------------------------------------------------


def _radius(rng: np.random.Generator, between: tuple[float, float]) -> float:
    return float(rng.uniform(*between))


def _single(name: str) -> Callable[[Facts, np.random.Generator], Scene]:
    def build(facts: Facts, rng: np.random.Generator) -> Scene:
        x, y = (float(one) for one in rng.uniform(0.46, 0.54, 2))
        size = "large" if name in ("texture", "hybrid") else facts.get("size", "")
        shape = f"{facts['left']}+{facts['right']}" if name == "hybrid" else facts["shape"]
        thing = Thing(shape, facts["colour"], x, y, _radius(rng, RADII[size]), facts.get("texture", "plain"))
        if facts.get("fused") == "apart":
            return _beside(facts, rng)
        return Scene(name, (thing,), background="white")

    return build


def _beside(facts: Facts, rng: np.random.Generator) -> Scene:
    """The parents of a hybrid, side by side."""
    return Scene(
        "apart",
        tuple(
            Thing(facts[side], facts["colour"], x, 0.5, _radius(rng, PAIRED[""]))
            for side, x in (("left", 0.25), ("right", 0.75))
        ),
        background="white",
    )


def _hybrid_words(scene: Scene) -> tuple[str, ...]:
    if scene.kind == "hybrid":
        return drawn.wordings(scene)
    left, right = (it.shape for it in scene.things)
    plain = f"{a(f'{scene.things[0].colour} {left}')} beside {a(f'{scene.things[0].colour} {right}')}"
    return (plain, f"{plain}, apart", f"two things: {plain}")


def _group(name: str) -> Callable[[Facts, np.random.Generator], Scene]:
    def build(facts: Facts, rng: np.random.Generator) -> Scene:
        cells = sorted(int(cell) for cell in rng.permutation(9)[: NUMBERS.index(facts["count"]) + 1])
        size = _radius(rng, (0.115, 0.13))
        return Scene(
            name,
            tuple(Thing(facts["shape"], facts["colour"], (c % 3 + 0.5) / 3, (c // 3 + 0.5) / 3, size) for c in cells),
            background="white",
        )

    return build


def _count_words(scene: Scene) -> tuple[str, ...]:
    it = scene.things[0]
    if len(scene.things) > 1:
        return drawn.wordings(scene)
    one = a(f"{it.colour} {it.shape}")
    return (
        f"one {it.colour} {it.shape}",
        f"a picture of one {it.colour} {it.shape}",
        f"a collection of {one} alone",
        f"one {it.shape} in {it.colour}",
    )


def _pair(name: str) -> Callable[[Facts, np.random.Generator], Scene]:
    def build(facts: Facts, rng: np.random.Generator) -> Scene:
        near, far, aside = (
            float(one) for one in (rng.uniform(0.24, 0.27), rng.uniform(0.73, 0.76), rng.uniform(0.44, 0.56))
        )
        places = {
            "to the left of": ((near, aside), (far, aside)),
            "to the right of": ((far, aside), (near, aside)),
            "above": ((aside, near), (aside, far)),
            "below": ((aside, far), (aside, near)),
        }
        both = places[facts.get("relation", "to the left of")]
        things = (
            Thing(
                facts[f"{which}.shape"],
                facts[f"{which}.colour"],
                *place,
                _radius(rng, PAIRED[facts.get(f"{which}.size", "")]),
            )
            for which, place in zip(("first", "second"), both, strict=True)
        )
        return Scene(name, tuple(things), background="white")

    return build


def _two_words(scene: Scene) -> tuple[str, ...]:
    one, other = (a(f"{it.colour} {it.shape}") for it in scene.things)
    return (f"{one} and {other}", f"a picture of {one} and {other}", f"{other} and {one}")


def _stack(facts: Facts, rng: np.random.Generator) -> Scene:
    colours, radius = list(facts.values()), {2: 0.2, 3: 0.18, 4: 0.15}[len(facts)]
    middle = (len(colours) - 1) / 2
    return Scene(
        "stack" if len(colours) == 2 else "tall_stack",
        tuple(
            Thing("square", colour, 0.5, float(0.5 + (place - middle) * radius * np.sqrt(2)), radius)
            for place, colour in enumerate(colours)
        ),
        background="white",
    )


def _outfit(name: str) -> Callable[[Facts, np.random.Generator], Scene]:
    return lambda facts, rng: Scene(name, drawn.dress(dict(facts)), background="white")


def _word(facts: Facts, rng: np.random.Generator) -> Scene:
    return Scene("words", word=facts["word"], background="white")


def _word_words(scene: Scene) -> tuple[str, ...]:
    return (
        f'the word "{scene.word}"',
        f"a picture of the word '{scene.word}'",
        f"a sign that has the word '{scene.word}' written on it",
    )


def _again(facts: Facts, rng: np.random.Generator) -> Scene:
    """A thing above, and the same again below in another colour."""
    size = _radius(rng, PAIRED[""])
    return Scene(
        "again",
        (
            Thing(facts["shape"], facts["above"], 0.5, 0.25, size),
            Thing(facts["shape"], facts["below"], 0.5, 0.75, size),
        ),
        background="white",
    )


def _again_words(scene: Scene) -> tuple[str, ...]:
    top, bottom = scene.things
    return (
        f"the exact same {top.colour} {top.shape} on the top in {bottom.colour} on the bottom",
        f"{a(f'{top.colour} {top.shape}')} at the top, the same {top.shape} in {bottom.colour} at the bottom",
    )


def _top(scene: Scene) -> Scene:
    return Scene(scene.kind, scene.things[:1], background="white")


# The kinds ----------------------------------------------------------------------------------------------------------

_SHAPE, _COLOUR = ("shape", SHAPES), ("colour", COLOURS)
_SOLID = ("shape", tuple(shape for shape in SHAPES if shape != "ring"))
_ONE = {"shape": _SHAPE, "colour": _COLOUR}
_BOTH = {f"{which}.{part}": own for which in ("first", "second") for part, own in _ONE.items()}
_SIZED = {"first.size": ("size", SIZES), "second.size": ("size", SIZES)}
_RELATION = {"relation": ("relation", RELATIONS)}
_GARMENT = tuple(GARMENTS)


def _levels(number: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {f"level {i + 1}": ("order", COLOURS) for i in range(number)}


def _wear(*garments: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    return dict.fromkeys(garments, _COLOUR)


def _counted(*options: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {"count": ("count", options), **_ONE}


KINDS = (
    Kind("single", "attributes", "easy", _ONE, _single("single"), whole=True),
    Kind("size", "attributes", "middle", {**_ONE, "size": ("size", SIZES)}, _single("size")),
    Kind("texture", "texture", "easy", {**_ONE, "texture": ("texture", TEXTURES)}, _single("texture")),
    Kind(
        "hybrid",
        "fusion",
        "easy",
        {"left": _SOLID, "right": _SOLID, "colour": _COLOUR, "fused": ("fused", ("one", "apart"))},
        _single("hybrid"),
        _hybrid_words,
        fixed={"fused": "one"},
        symmetric=True,
    ),
    Kind(
        "two or three", "counts", "easy", _counted(*NUMBERS[1:4]), _group("few"), _count_words, fixed={"count": "two"}
    ),
    Kind("three", "counts", "middle", _counted(*NUMBERS[1:4]), _group("few"), _count_words, fixed={"count": "three"}),
    Kind("many", "counts", "hard", _counted(*NUMBERS[3:6]), _group("many"), _count_words),
    Kind("two things", "position", "easy", _BOTH, _pair("two"), _two_words),
    Kind("pair", "position", "middle", {**_BOTH, **_RELATION}, _pair("pair")),
    Kind("sized pair", "position", "hard", {**_BOTH, **_SIZED, **_RELATION}, _pair("sized_pair")),
    Kind("stack of two", "stacks", "easy", _levels(2), _stack),
    Kind("stack of three", "stacks", "middle", _levels(3), _stack),
    Kind("stack of four", "stacks", "hard", _levels(4), _stack),
    Kind("figure in one", "bindings", "easy", _wear("hat"), _outfit("outfit"), whole=True),
    Kind("figure in two", "bindings", "middle", _wear("hat", "trousers"), _outfit("outfit")),
    Kind("figure in four", "bindings", "hard", _wear(*_GARMENT), _outfit("full_outfit")),
    Kind("short word", "context", "easy", {"word": ("word", WRITTEN["easy"])}, _word, _word_words),
    Kind("long word", "context", "middle", {"word": ("word", WRITTEN["hard"])}, _word, _word_words),
    Kind(
        "again",
        "sketch",
        "easy",
        {"shape": _SHAPE, "above": _COLOUR, "below": _COLOUR},
        _again,
        _again_words,
        given=_top,
    ),
)
