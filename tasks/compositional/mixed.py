"""Patterns that mix what does not belong together: concepts fused in one thing, texture against shape."""

from __future__ import annotations

from tasks.compositional.patterns import Ask, Pattern

FUSED = ("armchair", "lamp", "teapot", "clock")
FRUITS = ("avocado", "peach", "snail", "cactus")
NOUN_ANIMALS = ("snail", "turtle", "giraffe", "whale")
STUFF = ("harp", "porcupine", "pizza", "brick")
TWO_OR_ONE = ("one", "apart")


def fused(one: str, apart: str) -> Ask:
    return Ask(
        "fused",
        "fused",
        TWO_OR_ONE,
        {"one": one, "apart": apart},
        "Is it one thing, or are there two?",
        fixed="one",
        instead={"apart": apart},
    )


MIXED = (
    Pattern(
        "armchair",
        "fusion",
        "middle",
        (
            "{object.a} in the shape of {idea.a}. {object.a} imitating {idea.a}.",
            "{object.a} that is shaped like {idea.a}",
            "{object.a} with the form of {idea.a}",
        ),
        (
            Ask("object", "object", FUSED, "{it.a}", "What is it for?"),
            Ask("idea", "idea", FRUITS, "{object.a} in the shape of {it.a}", "What does it look like?"),
            fused("{object.a} in the shape of {idea.a}", "{object.a} next to {idea.a}"),
        ),
        objects=2,
        examples={"avocado armchair": {"object": "armchair", "idea": "avocado", "fused": "one"}},
    ),
    Pattern(
        "harp",
        "fusion",
        "hard",
        ("{animal.a} made of {stuff}. {animal.a} with the texture of {stuff.a}.", "{animal.a} that is made of {stuff}"),
        (
            Ask("animal", "object", NOUN_ANIMALS, "{it.a}", "Which animal is it?"),
            Ask("stuff", "idea", STUFF, "{animal.a} made of {it}", "What is it made of?"),
            fused("{animal.a} made of {stuff}", "{animal.a} next to {stuff.a}"),
        ),
        objects=2,
        examples={"snail made of harp": {"animal": "snail", "stuff": "harp", "fused": "one"}},
    ),
    Pattern(
        "chimera",
        "fusion",
        "hard",
        (
            "a professional high quality illustration of {one.a} {other} chimera. {one.a} imitating {other.a}. "
            "{one.a} made of {other}.",
            "a creature, half {one}, half {other}",
        ),
        (
            Ask("one", "object", NOUN_ANIMALS, "a chimera, half {it}, half {other}", "Which animal is it?"),
            Ask(
                "other",
                "idea",
                ("turtle", "penguin", "lion"),
                "a chimera, half {one}, half {it}",
                "Which other animal is it?",
            ),
            fused("{one.a} {other} chimera", "{one.a} beside {other.a}"),
        ),
        objects=2,
        examples={"giraffe turtle chimera": {"one": "giraffe", "other": "turtle", "fused": "one"}},
    ),
    Pattern(
        "boba",
        "fusion",
        "hard",
        ("a professional high quality emoji of {mood.a} {object}", "an emoji: {object.a} that looks {mood}"),
        (
            Ask(
                "mood", "mood", ("lovestruck", "angry", "sleepy"), "an emoji of {it.a} {object}", "In what mood is it?"
            ),
            Ask("object", "object", ("cup of boba", "taco", "cloud"), "an emoji of {it.a}", "What is it?"),
        ),
        objects=1,
        examples={"lovestruck cup of boba": {"mood": "lovestruck", "object": "cup of boba"}},
    ),
    Pattern(
        "surface",
        "texture",
        "middle",
        (
            "{object.a} with {surface}",
            "{object.a} covered in {surface}",
            "a photo of {object.a} with {surface} all over",
        ),
        (
            Ask("object", "object", ("cup", "car", "chair", "vase"), "{it.a}", "What is it?"),
            Ask(
                "surface",
                "texture",
                ("stripes", "dots", "bricks", "fur"),
                "{object.a} with {it}",
                "What is its surface like?",
            ),
        ),
    ),
    Pattern(
        "cube",
        "texture",
        "hard",
        ("a {solid} made of {stuff}. a {solid} with the texture of {stuff.a}.", "a {solid} that is covered in {stuff}"),
        (
            Ask("solid", "shape", ("cube", "sphere", "pyramid"), "a {it}", "What shape is it?"),
            Ask(
                "stuff",
                "texture",
                ("porcupine", "brick", "strawberry", "zebra"),
                "the texture of {it}",
                "What is its surface like?",
            ),
        ),
        examples={"cube made of porcupine": {"solid": "cube", "stuff": "porcupine"}},
    ),
)
