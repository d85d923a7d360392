"""Prompts with stored truth: what must be in the picture, what would be wrong, and how it is judged.

Nothing is ever parsed back from a sentence: the sentence was made from the truth, which travels with it (T2I-CompBench
finds its nouns again by a tagger, and its prompts by file names). One JSON object a line; `bench-tasks export` writes
it for use outside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench.errors import BenchError
from bench.generator.scenes import Scene, Thing

TIERS = ("easy", "middle", "hard")
GONE = ""
"""What a reader reads of a slot whose thing is not in the picture."""


@dataclass(frozen=True)
class Slot:
    """One fact that the picture must show."""

    name: str
    """Within the prompt: `hat`, `first.colour`."""
    kind: str
    """colour, shape, size, texture, count, relation, order, object, view, sense, word, fused ..."""
    value: str
    options: Mapping[str, str]
    """Every value that a reader chooses from, the true one among them, with the statement that holds where it is so."""
    question: str = ""
    """For a model that answers questions; its answer is one of the options."""
    accepts: tuple[str, ...] = ()
    """Values that are right as well: an ambiguous word may be drawn in any of its senses."""

    @property
    def right(self) -> frozenset[str]:
        return frozenset((self.value, *self.accepts))


@dataclass(frozen=True)
class Foil:
    """A sentence that is false of the picture in exactly one fact: one slot changed, or two of a kind exchanged."""

    text: str
    kind: str
    """The slot's kind (colour, relation, count ...), or `swap` and the kind."""
    changes: Mapping[str, str]
    scene: Scene | None = None
    """The foil's own truth, where our renderer can draw it."""


@dataclass(frozen=True)
class Prompt:
    """A sentence and its truth."""

    id: str
    text: str
    category: str
    heading: str
    """Where the category stands in the announcement of DALL-E (OpenAI, 2021-01-05)."""
    tier: str
    group: str
    """Prompts of one group say the same in other words."""
    slots: tuple[Slot, ...]
    foils: tuple[Foil, ...]
    objects: int
    rule: str
    """How it is judged, in words."""
    scene: Scene | None = None
    """The truth as our renderer draws it; None outside its world."""
    given: Scene | None = None
    """An image prompt: the upper half of this scene's picture is given, to be kept."""
    example: str = ""
    """Name of the seed article's own example, if this is one."""
    source: str = ""

    def slot(self, name: str) -> Slot:
        return next(one for one in self.slots if one.name == name)

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)


def read(lines: Iterable[str]) -> list[Prompt]:
    """Prompts from JSON lines.

    Raises:
        BenchError: names the line that is not a prompt.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_prompt(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BenchError(f"Line {number} is not a prompt ({type(error).__name__}: {error}). "
                             "`bench-tasks export compositional` shows the form.") from error  # fmt: skip
    return found


def _prompt(given: dict[str, Any]) -> Prompt:
    slots = tuple(Slot(**{**one, "accepts": tuple(one.get("accepts", ()))}) for one in given["slots"])
    foils = tuple(Foil(**{**one, "scene": _scene(one.get("scene"))}) for one in given["foils"])
    scenes = {name: _scene(given.get(name)) for name in ("scene", "given")}
    return Prompt(**{**given, "slots": slots, "foils": foils, **scenes})


def _scene(given: dict[str, Any] | None) -> Scene | None:
    return None if given is None else Scene(**{**given, "things": tuple(Thing(**one) for one in given["things"])})
