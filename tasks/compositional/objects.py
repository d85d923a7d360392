"""Patterns about things and what belongs to them: attributes, bindings on one wearer, position, stacks, counts."""

from __future__ import annotations

from tasks.compositional.patterns import Ask, Pattern

COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "black")
POLYGONS = ("triangle", "square", "pentagon", "hexagon")
ANIMALS = ("hedgehog", "penguin", "capybara", "corgi", "cat", "fox")
BEFORE = {
    "on": "sitting on",
    "in front of": "in front of",
    "left of": "to the left of",
    "right of": "to the right of",
    "below": "below",
}
SOME = ("two", "three", "four", "five", "six")


def colour(of: str, name: str = "", plural: bool = False, options: tuple[str, ...] = COLOURS) -> Ask:
    """The colour of a thing that is named in words."""
    there = "{it} " + of if plural else "{it.a} " + of
    return Ask(name or of, "colour", options, there, f"What colour {'are' if plural else 'is'} the {of}?")


def relation(first: str, second: str) -> Ask:
    says = {name: f"{first} {words} {second}" for name, words in BEFORE.items()}
    return Ask("relation", "relation", tuple(BEFORE), says, f"Where is {first}, seen from {second}?")


HAT, GLOVES, SHIRT, TROUSERS = (
    colour("hat"),
    colour("gloves", plural=True),
    colour("shirt"),
    colour("pants", plural=True),
)
WEARER = Ask("wearer", "object", ANIMALS, "{it.a} wearing a hat", "Which animal is it?")


def worn(*asks: Ask, wearer: str = "{wearer.a}") -> str:
    """`a hedgehog wearing a red hat, yellow gloves, blue shirt, and green pants`, as the announcement says it."""
    parts = [f"{{{ask.name}{'.a' if i == 0 else ''}}} {ask.name}" for i, ask in enumerate(asks)]
    together = (
        parts[0]
        if len(parts) == 1
        else " and ".join(parts)
        if len(parts) == 2
        else (", ".join(parts[:-1]) + ", and " + parts[-1])
    )
    return f"{wearer} wearing {together}"


def each(*asks: Ask, wearer: str = "{wearer.a}") -> str:
    """The same, a sentence a garment."""
    says = " ".join(f"the {a.name} {'are' if a.name in ('gloves', 'pants') else 'is'} {{{a.name}}}." for a in asks)
    return f"{wearer} in clothes. {says}"


def backwards(*asks: Ask, wearer: str = "{wearer.a}") -> str:
    """The same, from the feet upwards, and trousers by their other name."""
    parts = [
        f"{{{a.name}}} {a.name.replace('pants', 'trousers')}"
        if a.name in ("gloves", "pants")
        else f"{{{a.name}.a}} {a.name}"
        for a in reversed(asks)
    ]
    return f"{wearer} with {parts[0] if len(parts) == 1 else ', '.join(parts[:-1]) + ' and ' + parts[-1]}"


def outfit(
    name: str,
    tier: str,
    *asks: Ask,
    wearer: str = "{wearer.a}",
    who: tuple[Ask, ...] = (WEARER,),
    examples: dict[str, dict[str, str]] | None = None,
) -> Pattern:
    wordings = (worn(*asks, wearer=wearer), each(*asks, wearer=wearer), backwards(*asks, wearer=wearer))
    return Pattern(name, "bindings", tier, wordings, (*who, *asks), objects=len(asks) + 1, examples=examples or {})


BABY = Ask("wearer", "object", ANIMALS, "an emoji of a baby {it} wearing a hat", "Which animal is it?")
STACK_OF_THREE = (
    "a stack of 3 cubes. {top.a} cube is on the top, sitting on {middle.a} cube. the {middle} cube is in the middle, "
    "sitting on {bottom.a} cube. the {bottom} cube is on the bottom.",
    "three cubes on top of each other: {top} at the top, {middle} in the middle, {bottom} at the bottom",
    "a tower of three cubes, from bottom to top {bottom}, {middle} and {top}",
)

OBJECTS = (
    Pattern(
        "cup",
        "attributes",
        "easy",
        ("{colour.a} {object}", "a photo of {colour.a} {object}", "{object.a} that is {colour}"),
        (
            Ask("object", "object", ("cup", "chair", "car", "ball", "flower", "hat"), "{it.a}", "What is it?"),
            Ask("colour", "colour", COLOURS, "{it.a} {object}", "What colour is the {object}?"),
        ),
    ),
    Pattern(
        "clock",
        "attributes",
        "hard",
        (
            "{shape.adjective.a} {colour} {object}. {colour.a} {object} in the shape of {shape.a}.",
            "{colour.a} {object} that is {shape.adjective}",
            "{object.a}, {colour} and {shape.adjective}",
        ),
        (
            Ask("object", "object", ("clock", "plate", "mirror", "frame"), "{it.a}", "What is it?"),
            Ask("shape", "shape", POLYGONS, "{object.a} in the shape of {it.a}", "What shape is the {object}?"),
            Ask("colour", "colour", COLOURS, "{it.a} {object}", "What colour is the {object}?"),
        ),
        examples={"pentagonal green clock": {"object": "clock", "shape": "pentagon", "colour": "green"}},
    ),
    outfit("one garment", "easy", HAT),
    outfit("two garments", "middle", HAT, SHIRT),
    outfit(
        "hedgehog",
        "hard",
        HAT,
        GLOVES,
        SHIRT,
        TROUSERS,
        examples={
            "hedgehog in four garments": {
                "wearer": "hedgehog",
                "hat": "red",
                "gloves": "yellow",
                "shirt": "blue",
                "pants": "green",
            }
        },
    ),
    outfit(
        "baby penguin",
        "hard",
        HAT,
        GLOVES,
        SHIRT,
        TROUSERS,
        wearer="an emoji of a baby {wearer}",
        who=(BABY,),
        examples={
            "baby penguin emoji": {
                "wearer": "penguin",
                "hat": "blue",
                "gloves": "red",
                "shirt": "green",
                "pants": "yellow",
            }
        },
    ),
    Pattern(
        "mannequin",
        "bindings",
        "hard",
        (
            "a female mannequin dressed in {jacket.a} leather jacket and {skirt} pleated skirt",
            "a mannequin wearing {skirt.a} pleated skirt and {jacket.a} leather jacket",
            "a mannequin. its leather jacket is {jacket}. its pleated skirt is {skirt}.",
        ),
        (
            colour("leather jacket", "jacket", options=(*COLOURS, "gold")),
            colour("pleated skirt", "skirt", options=(*COLOURS, "gold")),
        ),
        objects=3,
        examples={"mannequin in jacket and skirt": {"jacket": "black", "skirt": "gold"}},
    ),
    Pattern(
        "dog walker",
        "bindings",
        "hard",
        (
            "an illustration of a baby {agent} in a {garment} walking a {patient}",
            "an illustration: a baby {agent}, dressed in a {garment}, takes a {patient} for a walk",
            "an illustration of a {patient} that is walked by a baby {agent} in a {garment}",
        ),
        (
            Ask(
                "agent",
                "object",
                ("daikon radish", "cucumber", "penguin", "panda", "cat", "hamster"),
                "a baby {it} walking a {patient}",
                "Who walks?",
            ),
            Ask(
                "garment",
                "garment",
                ("tutu", "wizard hat", "raincoat", "scarf"),
                "a baby {agent} in a {it}",
                "What does it wear?",
            ),
            Ask(
                "patient",
                "object",
                ("dog", "cat", "hamster", "snail"),
                "a baby {agent} walking a {it}",
                "What is walked?",
            ),
        ),
        objects=3,
        examples={"baby daikon radish walking a dog": {"agent": "daikon radish", "garment": "tutu", "patient": "dog"}},
    ),
    Pattern(
        "blocks",
        "position",
        "hard",
        (
            "{small_size.a} {first} block sitting on {large_size.a} {second} block",
            "{large_size.a} {second} block with {small_size.a} {first} block on it",
            "{first.a} block on {second.a} block. the {first} block is {small_size}. "
            "the {second} block is {large_size}.",
        ),
        (
            colour("block on top", "first"),
            colour("block below", "second"),
            Ask(
                "small.size",
                "size",
                ("small", "large"),
                "a {it} {first} block",
                "What size is the {first} block?",
                fixed="small",
                free=True,
            ),
            Ask(
                "large.size",
                "size",
                ("large", "small"),
                "a {it} {second} block",
                "What size is the {second} block?",
                fixed="large",
                free=True,
            ),
        ),
        objects=2,
        examples={
            "small red block on a large green block": {
                "first": "red",
                "second": "green",
                "small.size": "small",
                "large.size": "large",
            }
        },
    ),
    Pattern(
        "cubes",
        "stacks",
        "hard",
        STACK_OF_THREE,
        (colour("top cube", "top"), colour("middle cube", "middle"), colour("bottom cube", "bottom")),
        objects=3,
        examples={"stack of 3 cubes": {"top": "red", "middle": "green", "bottom": "blue"}},
    ),
    Pattern(
        "table",
        "counts",
        "hard",
        (
            "{count} {object.many} on a table",
            "a table with {count} {object.many} on it",
            "a collection of {object.many} is sitting on a table. there are {count} {object.many}.",
        ),
        (
            Ask("count", "count", SOME, "{it} {object.many} on a table", "How many {object.many} are there?"),
            Ask(
                "object",
                "object",
                ("cup", "apple", "candle", "book"),
                "{count} {it.many} on a table",
                "What is on the table?",
            ),
        ),
        objects=4,
    ),
    Pattern(
        "living room",
        "counts",
        "hard",
        (
            "a living room with {count} {colour} armchairs and a painting of {painting}",
            "a painting of {painting} in a living room with {count} armchairs. the armchairs are {colour}.",
        ),
        (
            Ask(
                "count",
                "count",
                ("two", "three", "four"),
                "a living room with {it} armchairs",
                "How many armchairs are there?",
            ),
            colour("armchairs", "colour", plural=True, options=(*COLOURS, "white")),
            Ask(
                "painting",
                "object",
                ("the colosseum", "a ship", "a horse"),
                "a painting of {it}",
                "What does the painting show?",
            ),
        ),
        objects=4,
        examples={"living room with armchairs": {"count": "two", "colour": "white", "painting": "the colosseum"}},
    ),
)
