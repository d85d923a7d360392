"""Patterns about what is meant: senses of a word, the same thing again, places, times."""

from __future__ import annotations

from tasks.compositional.objects import COLOURS
from tasks.compositional.patterns import Ask, Pattern

ERAS = ("20s", "50s", "70s", "90s")
COUNTRIES = ("china", "italy", "mexico", "japan", "india", "france")


def senses(name: str, wording: str, kinds: tuple[str, str], *, example: bool = False) -> tuple[Pattern, Pattern]:
    """The word with its sense said, and the word alone, for which either sense is right."""
    told = Ask("sense", "sense", kinds, wording.replace(name, "{it}"), f"Which {name} are there?")
    nothing = wording.replace(f"a collection of {name}", "nothing")
    bare = Ask(
        "sense",
        "sense",
        (*kinds, "neither"),
        {
            **{kind: wording.replace(name, kind) for kind in kinds},
            "neither": nothing,
        },
        f"Which {name} are there?",
        fixed=kinds[0],
        accepts=kinds,
        instead={"neither": nothing},
    )
    clear = (
        wording.replace(name, "{sense}"),
        wording.replace(name, "{sense}") + ", seen from the front",
        f"a photo in which {wording.replace(name, '{sense}')}",
    )
    open_to_both = (wording, f"a photo in which {wording}")
    examples = {f"a collection of {name}": {"sense": kinds[0]}} if example else {}
    return (
        Pattern(f"{name}, told", "senses", "middle", clear, (told,)),
        Pattern(name, "senses", "hard", open_to_both, (bare,), examples=examples),
    )


MEANT = (
    *senses(
        "glasses", "a collection of glasses is sitting on a table", ("drinking glasses", "eyeglasses"), example=True
    ),
    *senses("chips", "a collection of chips is sitting on a table", ("potato chips", "computer chips")),
    *senses("bats", "a collection of bats is sitting on a table", ("baseball bats", "flying bats")),
    Pattern(
        "plain sense",
        "senses",
        "easy",
        ("a photo of {object}", "{object} on a table"),
        (
            Ask(
                "object",
                "sense",
                ("drinking glasses", "eyeglasses", "computer chips", "baseball bats"),
                "a photo of {it}",
                "What is it?",
            ),
        ),
    ),
    Pattern(
        "recoloured",
        "sketch",
        "middle",
        (
            "the exact same {object} on the top in {colour} on the bottom",
            "at the top {object.a}, at the bottom the same {object} in {colour}",
        ),
        (
            Ask("object", "object", ("cat", "teapot", "owl", "car"), "{it.a} above {it.a}", "What is shown twice?"),
            Ask("colour", "colour", COLOURS, "{object.a} above {it.a} one", "What colour is the lower one?"),
        ),
        objects=2,
    ),
    Pattern(
        "cat",
        "sketch",
        "hard",
        (
            "the exact same {object} on the top as {edit.a} on the bottom",
            "at the top {object.a}, at the bottom the same {object} as {edit.a}",
        ),
        (
            Ask("object", "object", ("cat", "teapot", "owl"), "{it.a} above {it.a}", "What is shown twice?"),
            Ask(
                "edit",
                "style",
                ("sketch", "photo in grey", "mirror image"),
                "{object.a} above its {it}",
                "What is the lower one?",
            ),
        ),
        objects=2,
        examples={"cat sketch": {"object": "cat", "edit": "sketch"}},
    ),
    Pattern(
        "teapot",
        "sketch",
        "hard",
        (
            "the exact same {object} on the top with '{word}' written on it on the bottom",
            "at the top a {object}, at the bottom the same {object} with '{word}' on it",
        ),
        (
            Ask("object", "object", ("teapot", "cup", "plate"), "{it.a} above {it.a}", "What is shown twice?"),
            Ask(
                "word",
                "word",
                ("gpt", "tea", "hot"),
                "a {object} with the word '{it}' on it",
                "Which word is written there?",
            ),
        ),
        objects=2,
        examples={"teapot with 'gpt'": {"object": "teapot", "word": "gpt"}},
    ),
    Pattern(
        "flag",
        "geography",
        "easy",
        ("the flag of {country}", "a picture of the flag of {country}", "{country}'s flag"),
        (Ask("country", "place", COUNTRIES, "the flag of {it}", "Whose flag is it?"),),
    ),
    Pattern(
        "food",
        "geography",
        "middle",
        ("a photo of the {topic} of {country}", "{country}: a photo of its {topic}"),
        (
            Ask("country", "place", COUNTRIES, "a photo of the {topic} of {it}", "Which country is it?"),
            Ask(
                "topic",
                "object",
                ("food", "landscape", "capital"),
                "a photo of the {it} of {country}",
                "What is shown?",
            ),
        ),
        examples={"food of china": {"country": "china", "topic": "food"}},
    ),
    Pattern(
        "alamo square",
        "geography",
        "hard",
        ("a photo of {place}, from a street at {hour}", "{place} at {hour}, photographed from a street"),
        (
            Ask(
                "place",
                "place",
                ("alamo square, san francisco", "the colosseum, rome", "big ben, london"),
                "a photo of {it}",
                "Which place is it?",
            ),
            Ask("hour", "time", ("night", "noon"), "a street at {it}", "Is it night or noon?"),
        ),
        objects=2,
        examples={"alamo square at night": {"place": "alamo square, san francisco", "hour": "night"}},
    ),
    Pattern(
        "hour",
        "time",
        "easy",
        ("a {place} at {hour}", "{hour}: a {place}"),
        (
            Ask("place", "place", ("street", "beach", "forest"), "a {it}", "Where is it?"),
            Ask("hour", "time", ("noon", "night"), "a {place} at {it}", "Is it noon or night?"),
        ),
    ),
    Pattern(
        "phone",
        "time",
        "middle",
        ("a photo of a {object} from the {era}", "a {object} as it was in the {era}, photographed"),
        (
            Ask("object", "object", ("phone", "car", "camera", "computer"), "{it.a}", "What is it?"),
            Ask("era", "time", ERAS, "a photo of a {object} from the {it}", "From which decade is it?"),
        ),
        examples={"phone from the 20s": {"object": "phone", "era": "20s"}},
    ),
    Pattern(
        "anachronism",
        "time",
        "hard",
        (
            "a photo of a {object} from the {era}, used by people of the {people}",
            "people of the {people} with a {object} of the {era}, photographed",
        ),
        (
            Ask("object", "object", ("phone", "car", "computer"), "{it.a}", "What is it?"),
            Ask("era", "time", ERAS, "a {object} from the {it}", "From which decade is the {object}?"),
            Ask("people", "time", ERAS, "people of the {it}", "From which decade are the people?"),
        ),
        objects=2,
    ),
)
