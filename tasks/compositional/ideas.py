"""Patterns about how a thing is seen, made or meant: perspective, structure, context, fusion, texture, senses, places,
times, and the same thing again under an image prompt."""

from __future__ import annotations

from tasks.compositional.objects import COLOURS
from tasks.compositional.patterns import Ask, Pattern

ANIMALS = ("capybara", "fox", "owl", "cat")
VIEWS = ("an extreme close-up view", "an aerial view", "a side view", "a rear view")
STYLES = ("made of voxels", "made of clay", "made of glass", "as an x-ray")
HOURS = ("sunrise", "noon", "night")
MEDIA = ("a stained glass window", "a pencil drawing", "a cake", "a mosaic")
WORDS = ("openai", "hello", "coffee", "open", "music", "dalle")
FUSED = ("armchair", "lamp", "teapot", "clock")
FRUITS = ("avocado", "peach", "snail", "cactus")
NOUN_ANIMALS = ("snail", "turtle", "giraffe", "whale")
STUFF = ("harp", "porcupine", "pizza", "brick")
ERAS = ("20s", "50s", "70s", "90s")
COUNTRIES = ("china", "italy", "mexico", "japan", "india", "france")
TWO_OR_ONE = ("one", "apart")


def fused(one: str, apart: str) -> Ask:
    return Ask("fused", "fused", TWO_OR_ONE, {"one": one, "apart": apart}, "Is it one thing, or are there two?",
               fixed="one", instead={"apart": apart})  # fmt: skip


def senses(name: str, wording: str, kinds: tuple[str, str], *, example: bool = False) -> tuple[Pattern, Pattern]:
    """The word with its sense said, and the word alone, for which either sense is right."""
    told = Ask("sense", "sense", kinds, wording.replace(name, "{it}"), f"Which {name} are there?")
    nothing = wording.replace(f"a collection of {name}", "nothing")
    bare = Ask("sense", "sense", (*kinds, "neither"), {
        **{kind: wording.replace(name, kind) for kind in kinds}, "neither": nothing,
    }, f"Which {name} are there?", fixed=kinds[0], accepts=kinds, instead={"neither": nothing})  # fmt: skip
    clear = (wording.replace(name, "{sense}"), wording.replace(name, "{sense}") + ", seen from the front",
             f"a photo in which {wording.replace(name, '{sense}')}")  # fmt: skip
    open_to_both = (wording, f"a photo in which {wording}")
    examples = {f"a collection of {name}": {"sense": kinds[0]}} if example else {}
    return (Pattern(f"{name}, told", "senses", "middle", clear, (told,)),
            Pattern(name, "senses", "hard", open_to_both, (bare,), examples=examples))  # fmt: skip


VIEWED = Ask("view", "view", VIEWS, "{it} of {animal.a}", "From where is it seen?")
ANIMAL = Ask("animal", "object", ANIMALS, "{it.a} in a field", "Which animal is it?")

IDEAS = (
    Pattern("animal", "perspective", "easy", ("a photo of {animal.a} from {side}", "{animal.a} seen from {side}"),
            (ANIMAL, Ask("side", "view", ("above", "the side"), "{animal.a} seen from {it}", "From where is it seen?"))),
    Pattern("view", "perspective", "middle",
            ("{view} of {animal.a} sitting in a field", "{animal.a} sitting in a field. {view}."), (VIEWED, ANIMAL),
            examples={"close-up of a capybara": {"view": "an extreme close-up view", "animal": "capybara"}}),
    Pattern("voxels", "perspective", "hard",
            ("{animal.a} {style} sitting in a field", "in a field sits {animal.a} {style}"),
            (ANIMAL, Ask("style", "style", STYLES, "{animal.a} {it}", "What is the {animal} made of?")),
            examples={"capybara made of voxels": {"animal": "capybara", "style": "made of voxels"}}),
    Pattern("bust", "perspective", "hard",
            ("a photograph of a bust of {figure}", "a bust of {figure}, photographed"),
            (Ask("figure", "object", ("homer", "athena", "caesar"), "a photograph of a bust of {it}", "Whose bust is it?"),),
            examples={"bust of homer": {"figure": "homer"}}),
    Pattern("mirror", "perspective", "hard",
            ("{object} looking at its own reflection in a mirror. {object} gazing at itself in a mirror.",
             "a mirror in which {object} is reflected, and {object} before it"),
            (Ask("object", "object", ("a plain white cube", "a teapot", "a cat"), "{it} before a mirror", "What is before the mirror?"),
             Ask("count", "fused", ("reflected", "alone"),
                 {"reflected": "{object} and its reflection in a mirror", "alone": "{object} without any mirror"},
                 "Is it reflected?", fixed="reflected", instead={"alone": "{object} without any mirror"})),
            objects=2, examples={"cube before a mirror": {"object": "a plain white cube", "count": "reflected"}}),
    Pattern("outside", "structure", "easy", ("a photo of {object.a}, {side}", "{side}: {object.a}"),
            (Ask("object", "object", ("walnut", "orange", "tree", "watermelon"), "{it.a}", "What is it?"),
             Ask("side", "view", ("whole, from outside", "cut open"), "{object.a}, {it}", "Is it whole or cut open?"))),
    Pattern("cross-section", "structure", "middle",
            ("a cross-section view of {object.a}", "{object.a} cut through the middle", "the inside of {object.a}, seen in cross-section"),
            (Ask("object", "object", ("walnut", "pomegranate", "engine", "onion"), "a cross-section view of {it.a}", "What is it?"),
             Ask("view", "view", ("inside", "outside"),
                 {"inside": "a cross-section view of {object.a}", "outside": "{object.a} seen from outside"},
                 "Is the inside or the outside seen?", fixed="inside", instead={"outside": "{object.a} seen from outside"})),
            examples={"cross-section of a walnut": {"object": "walnut", "view": "inside"}}),
    Pattern("macro", "structure", "hard", ("a macro photograph of {object}", "{object}, photographed from very near"),
            (Ask("object", "object", ("brain coral", "a snowflake", "a leaf", "velvet"), "a macro photograph of {it}", "What is it?"),),
            examples={"macro photograph of brain coral": {"object": "brain coral"}}),
    Pattern("sunrise", "context", "middle",
            ("a painting of {animal.a} sitting in a {place} at {hour}", "at {hour}, {animal.a} sits in a {place}. a painting.",
             "a painting that shows {animal.a} in a {place} at {hour}"),
            (ANIMAL, Ask("place", "place", ("field", "forest", "city"), "{animal.a} in a {it}", "Where is it?"),
             Ask("hour", "time", HOURS, "a painting of a {place} at {it}", "What time of day is it?")),
            objects=2, examples={"capybara at sunrise": {"animal": "capybara", "place": "field", "hour": "sunrise"}}),
    Pattern("stained glass", "context", "hard",
            ("{medium} with an image of {colour.a} {object}", "{colour.a} {object}, shown by {medium}"),
            (Ask("medium", "style", MEDIA, "{it}", "What is the picture made in?"),
             Ask("colour", "colour", COLOURS, "{it.a} {object}", "What colour is the {object}?"),
             Ask("object", "object", ("strawberry", "tree", "bird", "boat"), "{medium} with an image of {it.a}", "What is shown?")),
            objects=2, examples={"stained glass strawberry": {"medium": "a stained glass window", "colour": "blue", "object": "strawberry"}}),
    Pattern("store front", "context", "hard",
            ("{medium} that has the word '{word}' written on it. {medium} that has the word '{word}' written on it. "
             "{medium} that has the word '{word}' written on it.", "'{word}' written on {medium}"),
            (Ask("medium", "object", ("a store front", "a t-shirt", "a street sign"), "{it}", "What is it?"),
             Ask("word", "word", WORDS, "{medium} with the word '{it}' on it", "Which word is written there?")),
            objects=2, examples={"store front 'openai'": {"medium": "a store front", "word": "openai"}}),
    Pattern("loft", "context", "hard",
            ("a loft bedroom with {bed.a} bed next to a nightstand. there is {object.a} beside the bed.",
             "a loft bedroom: {object.a}, a nightstand and {bed.a} bed"),
            (Ask("bed", "colour", ("white", *COLOURS), "{it.a} bed", "What colour is the bed?"),
             Ask("object", "object", ("fish tank", "cat", "guitar"), "{it.a} beside a bed", "What is beside the bed?")),
            objects=3, examples={"loft bedroom": {"bed": "white", "object": "fish tank"}}),
    Pattern("armchair", "fusion", "middle",
            ("{object.a} in the shape of {idea.a}. {object.a} imitating {idea.a}.", "{object.a} that is shaped like {idea.a}",
             "{object.a} with the form of {idea.a}"),
            (Ask("object", "object", FUSED, "{it.a}", "What is it for?"), Ask("idea", "idea", FRUITS, "{object.a} in the shape of {it.a}", "What does it look like?"),
             fused("{object.a} in the shape of {idea.a}", "{object.a} next to {idea.a}")),
            objects=2, examples={"avocado armchair": {"object": "armchair", "idea": "avocado", "fused": "one"}}),
    Pattern("harp", "fusion", "hard",
            ("{animal.a} made of {stuff}. {animal.a} with the texture of {stuff.a}.", "{animal.a} that is made of {stuff}"),
            (Ask("animal", "object", NOUN_ANIMALS, "{it.a}", "Which animal is it?"),
             Ask("stuff", "idea", STUFF, "{animal.a} made of {it}", "What is it made of?"),
             fused("{animal.a} made of {stuff}", "{animal.a} next to {stuff.a}")),
            objects=2, examples={"snail made of harp": {"animal": "snail", "stuff": "harp", "fused": "one"}}),
    Pattern("chimera", "fusion", "hard",
            ("a professional high quality illustration of {one.a} {other} chimera. {one.a} imitating {other.a}. {one.a} made of {other}.",
             "a creature, half {one}, half {other}"),
            (Ask("one", "object", NOUN_ANIMALS, "a chimera, half {it}, half {other}", "Which animal is it?"),
             Ask("other", "idea", ("turtle", "penguin", "lion"), "a chimera, half {one}, half {it}", "Which other animal is it?"),
             fused("{one.a} {other} chimera", "{one.a} beside {other.a}")),
            objects=2, examples={"giraffe turtle chimera": {"one": "giraffe", "other": "turtle", "fused": "one"}}),
    Pattern("boba", "fusion", "hard",
            ("a professional high quality emoji of {mood.a} {object}", "an emoji: {object.a} that looks {mood}"),
            (Ask("mood", "mood", ("lovestruck", "angry", "sleepy"), "an emoji of {it.a} {object}", "In what mood is it?"),
             Ask("object", "object", ("cup of boba", "taco", "cloud"), "an emoji of {it.a}", "What is it?")),
            objects=1, examples={"lovestruck cup of boba": {"mood": "lovestruck", "object": "cup of boba"}}),
    Pattern("surface", "texture", "middle",
            ("{object.a} with {surface}", "{object.a} covered in {surface}", "a photo of {object.a} with {surface} all over"),
            (Ask("object", "object", ("cup", "car", "chair", "vase"), "{it.a}", "What is it?"),
             Ask("surface", "texture", ("stripes", "dots", "bricks", "fur"), "{object.a} with {it}", "What is its surface like?"))),
    Pattern("cube", "texture", "hard",
            ("a {solid} made of {stuff}. a {solid} with the texture of {stuff.a}.", "a {solid} that is covered in {stuff}"),
            (Ask("solid", "shape", ("cube", "sphere", "pyramid"), "a {it}", "What shape is it?"),
             Ask("stuff", "texture", ("porcupine", "brick", "strawberry", "zebra"), "the texture of {it}", "What is its surface like?")),
            examples={"cube made of porcupine": {"solid": "cube", "stuff": "porcupine"}}),
    *senses("glasses", "a collection of glasses is sitting on a table", ("drinking glasses", "eyeglasses"), example=True),
    *senses("chips", "a collection of chips is sitting on a table", ("potato chips", "computer chips")),
    *senses("bats", "a collection of bats is sitting on a table", ("baseball bats", "flying bats")),
    Pattern("plain sense", "senses", "easy", ("a photo of {object}", "{object} on a table"),
            (Ask("object", "sense", ("drinking glasses", "eyeglasses", "computer chips", "baseball bats"), "a photo of {it}", "What is it?"),)),
    Pattern("recoloured", "sketch", "middle",
            ("the exact same {object} on the top in {colour} on the bottom", "at the top {object.a}, at the bottom the same {object} in {colour}"),
            (Ask("object", "object", ("cat", "teapot", "owl", "car"), "{it.a} above {it.a}", "What is shown twice?"),
             Ask("colour", "colour", COLOURS, "{object.a} above {it.a} one", "What colour is the lower one?")), objects=2),
    Pattern("cat", "sketch", "hard",
            ("the exact same {object} on the top as {edit.a} on the bottom", "at the top {object.a}, at the bottom the same {object} as {edit.a}"),
            (Ask("object", "object", ("cat", "teapot", "owl"), "{it.a} above {it.a}", "What is shown twice?"),
             Ask("edit", "style", ("sketch", "photo in grey", "mirror image"), "{object.a} above its {it}", "What is the lower one?")),
            objects=2, examples={"cat sketch": {"object": "cat", "edit": "sketch"}}),
    Pattern("teapot", "sketch", "hard",
            ("the exact same {object} on the top with '{word}' written on it on the bottom", "at the top a {object}, at the bottom the same {object} with '{word}' on it"),
            (Ask("object", "object", ("teapot", "cup", "plate"), "{it.a} above {it.a}", "What is shown twice?"),
             Ask("word", "word", ("gpt", "tea", "hot"), "a {object} with the word '{it}' on it", "Which word is written there?")),
            objects=2, examples={"teapot with 'gpt'": {"object": "teapot", "word": "gpt"}}),
    Pattern("flag", "geography", "easy", ("the flag of {country}", "a picture of the flag of {country}", "{country}'s flag"),
            (Ask("country", "place", COUNTRIES, "the flag of {it}", "Whose flag is it?"),)),
    Pattern("food", "geography", "middle", ("a photo of the {topic} of {country}", "{country}: a photo of its {topic}"),
            (Ask("country", "place", COUNTRIES, "a photo of the {topic} of {it}", "Which country is it?"),
             Ask("topic", "object", ("food", "landscape", "capital"), "a photo of the {it} of {country}", "What is shown?")),
            examples={"food of china": {"country": "china", "topic": "food"}}),
    Pattern("alamo square", "geography", "hard",
            ("a photo of {place}, from a street at {hour}", "{place} at {hour}, photographed from a street"),
            (Ask("place", "place", ("alamo square, san francisco", "the colosseum, rome", "big ben, london"), "a photo of {it}", "Which place is it?"),
             Ask("hour", "time", ("night", "noon"), "a street at {it}", "Is it night or noon?")),
            objects=2, examples={"alamo square at night": {"place": "alamo square, san francisco", "hour": "night"}}),
    Pattern("hour", "time", "easy", ("a {place} at {hour}", "{hour}: a {place}"),
            (Ask("place", "place", ("street", "beach", "forest"), "a {it}", "Where is it?"),
             Ask("hour", "time", ("noon", "night"), "a {place} at {it}", "Is it noon or night?"))),
    Pattern("phone", "time", "middle", ("a photo of a {object} from the {era}", "a {object} as it was in the {era}, photographed"),
            (Ask("object", "object", ("phone", "car", "camera", "computer"), "{it.a}", "What is it?"),
             Ask("era", "time", ERAS, "a photo of a {object} from the {it}", "From which decade is it?")),
            examples={"phone from the 20s": {"object": "phone", "era": "20s"}}),
    Pattern("anachronism", "time", "hard", ("a photo of a {object} from the {era}, used by people of the {people}",
                                       "people of the {people} with a {object} of the {era}, photographed"),
            (Ask("object", "object", ("phone", "car", "computer"), "{it.a}", "What is it?"),
             Ask("era", "time", ERAS, "a {object} from the {it}", "From which decade is the {object}?"),
             Ask("people", "time", ERAS, "people of the {it}", "From which decade are the people?")),
            objects=2),
)  # fmt: skip
