"""Patterns about how a thing is seen: perspective and three-dimensionality, inside and outside, context."""

from __future__ import annotations

from tasks.compositional.objects import COLOURS
from tasks.compositional.patterns import Ask, Pattern

ANIMALS = ("capybara", "fox", "owl", "cat")
VIEWS = ("an extreme close-up view", "an aerial view", "a side view", "a rear view")
STYLES = ("made of voxels", "made of clay", "made of glass", "as an x-ray")
HOURS = ("sunrise", "noon", "night")
MEDIA = ("a stained glass window", "a pencil drawing", "a cake", "a mosaic")
WORDS = ("openai", "hello", "coffee", "open", "music", "dalle")
VIEWED = Ask("view", "view", VIEWS, "{it} of {animal.a}", "From where is it seen?")
ANIMAL = Ask("animal", "object", ANIMALS, "{it.a} in a field", "Which animal is it?")

SEEN = (
    Pattern(
        "animal",
        "perspective",
        "easy",
        ("a photo of {animal.a} from {side}", "{animal.a} seen from {side}"),
        (ANIMAL, Ask("side", "view", ("above", "the side"), "{animal.a} seen from {it}", "From where is it seen?")),
    ),
    Pattern(
        "view",
        "perspective",
        "middle",
        ("{view} of {animal.a} sitting in a field", "{animal.a} sitting in a field. {view}."),
        (VIEWED, ANIMAL),
        examples={"close-up of a capybara": {"view": "an extreme close-up view", "animal": "capybara"}},
    ),
    Pattern(
        "voxels",
        "perspective",
        "hard",
        ("{animal.a} {style} sitting in a field", "in a field sits {animal.a} {style}"),
        (ANIMAL, Ask("style", "style", STYLES, "{animal.a} {it}", "What is the {animal} made of?")),
        examples={"capybara made of voxels": {"animal": "capybara", "style": "made of voxels"}},
    ),
    Pattern(
        "bust",
        "perspective",
        "hard",
        ("a photograph of a bust of {figure}", "a bust of {figure}, photographed"),
        (
            Ask(
                "figure", "object", ("homer", "athena", "caesar"), "a photograph of a bust of {it}", "Whose bust is it?"
            ),
        ),
        examples={"bust of homer": {"figure": "homer"}},
    ),
    Pattern(
        "mirror",
        "perspective",
        "hard",
        (
            "{object} looking at its own reflection in a mirror. {object} gazing at itself in a mirror.",
            "a mirror in which {object} is reflected, and {object} before it",
        ),
        (
            Ask(
                "object",
                "object",
                ("a plain white cube", "a teapot", "a cat"),
                "{it} before a mirror",
                "What is before the mirror?",
            ),
            Ask(
                "count",
                "fused",
                ("reflected", "alone"),
                {"reflected": "{object} and its reflection in a mirror", "alone": "{object} without any mirror"},
                "Is it reflected?",
                fixed="reflected",
                instead={"alone": "{object} without any mirror"},
            ),
        ),
        objects=2,
        examples={"cube before a mirror": {"object": "a plain white cube", "count": "reflected"}},
    ),
    Pattern(
        "outside",
        "structure",
        "easy",
        ("a photo of {object.a}, {side}", "{side}: {object.a}"),
        (
            Ask("object", "object", ("walnut", "orange", "tree", "watermelon"), "{it.a}", "What is it?"),
            Ask("side", "view", ("whole, from outside", "cut open"), "{object.a}, {it}", "Is it whole or cut open?"),
        ),
    ),
    Pattern(
        "cross-section",
        "structure",
        "middle",
        (
            "a cross-section view of {object.a}",
            "{object.a} cut through the middle",
            "the inside of {object.a}, seen in cross-section",
        ),
        (
            Ask(
                "object",
                "object",
                ("walnut", "pomegranate", "engine", "onion"),
                "a cross-section view of {it.a}",
                "What is it?",
            ),
            Ask(
                "view",
                "view",
                ("inside", "outside"),
                {"inside": "a cross-section view of {object.a}", "outside": "{object.a} seen from outside"},
                "Is the inside or the outside seen?",
                fixed="inside",
                instead={"outside": "{object.a} seen from outside"},
            ),
        ),
        examples={"cross-section of a walnut": {"object": "walnut", "view": "inside"}},
    ),
    Pattern(
        "macro",
        "structure",
        "hard",
        ("a macro photograph of {object}", "{object}, photographed from very near"),
        (
            Ask(
                "object",
                "object",
                ("brain coral", "a snowflake", "a leaf", "velvet"),
                "a macro photograph of {it}",
                "What is it?",
            ),
        ),
        examples={"macro photograph of brain coral": {"object": "brain coral"}},
    ),
    Pattern(
        "sunrise",
        "context",
        "middle",
        (
            "a painting of {animal.a} sitting in a {place} at {hour}",
            "at {hour}, {animal.a} sits in a {place}. a painting.",
            "a painting that shows {animal.a} in a {place} at {hour}",
        ),
        (
            ANIMAL,
            Ask("place", "place", ("field", "forest", "city"), "{animal.a} in a {it}", "Where is it?"),
            Ask("hour", "time", HOURS, "a painting of a {place} at {it}", "What time of day is it?"),
        ),
        objects=2,
        examples={"capybara at sunrise": {"animal": "capybara", "place": "field", "hour": "sunrise"}},
    ),
    Pattern(
        "stained glass",
        "context",
        "hard",
        ("{medium} with an image of {colour.a} {object}", "{colour.a} {object}, shown by {medium}"),
        (
            Ask("medium", "style", MEDIA, "{it}", "What is the picture made in?"),
            Ask("colour", "colour", COLOURS, "{it.a} {object}", "What colour is the {object}?"),
            Ask(
                "object",
                "object",
                ("strawberry", "tree", "bird", "boat"),
                "{medium} with an image of {it.a}",
                "What is shown?",
            ),
        ),
        objects=2,
        examples={
            "stained glass strawberry": {"medium": "a stained glass window", "colour": "blue", "object": "strawberry"}
        },
    ),
    Pattern(
        "store front",
        "context",
        "hard",
        (
            "{medium} that has the word '{word}' written on it. {medium} that has the word '{word}' written on it. "
            "{medium} that has the word '{word}' written on it.",
            "'{word}' written on {medium}",
        ),
        (
            Ask("medium", "object", ("a store front", "a t-shirt", "a street sign"), "{it}", "What is it?"),
            Ask("word", "word", WORDS, "{medium} with the word '{it}' on it", "Which word is written there?"),
        ),
        objects=2,
        examples={"store front 'openai'": {"medium": "a store front", "word": "openai"}},
    ),
    Pattern(
        "loft",
        "context",
        "hard",
        (
            "a loft bedroom with {bed.a} bed next to a nightstand. there is {object.a} beside the bed.",
            "a loft bedroom: {object.a}, a nightstand and {bed.a} bed",
        ),
        (
            Ask("bed", "colour", ("white", *COLOURS), "{it.a} bed", "What colour is the bed?"),
            Ask("object", "object", ("fish tank", "cat", "guitar"), "{it.a} beside a bed", "What is beside the bed?"),
        ),
        objects=3,
        examples={"loft bedroom": {"bed": "white", "object": "fish tank"}},
    ),
)
