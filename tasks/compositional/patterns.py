"""Patterns: from a meaning (a value for every slot) to sentences, statements and foils, all by the same templates.

A template is a Python format string over the slots: `{hat}` is the value, `{hat.a}` with its article, `{hat.many}` its
plural, `{hat.adjective}` the adjective of a noun (pentagon: pentagonal). In a statement `{it}` is the value under
question. Foils are the same wording over a changed meaning, so that nothing but the one fact differs.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.generator.prompts import Foil, Prompt, Slot
from bench.generator.vocabulary import NUMBERS
from tasks.compositional.words import Word

MOST_FOILS = 4
"""Foils of a prompt."""
SOURCE = "OpenAI, DALL-E: Creating Images from Text, 2021-01-05 (example caption)"
Meaning = Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """A slot of a pattern. `statement` is one template, or one an option."""

    name: str
    kind: str
    options: tuple[str, ...]
    statement: str | Mapping[str, str]
    question: str
    fixed: str = ""
    """The only value in prompts; the other options are for readers and foils."""
    accepts: tuple[str, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)
    """Foils of a fixed slot by option: a sentence of its own, since no wording of the pattern would say it."""
    free: bool = False
    """Fixed in prompts, but the wordings can say the other values as well."""

    def statements(self, meaning: Meaning) -> dict[str, str]:
        return {it: said(self.statement if isinstance(self.statement, str) else self.statement[it], meaning, it)
                for it in self.options}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """A kind of prompt: `wordings` are equivalent, the first is that of the announcement where it has one."""

    name: str
    category: str
    tier: str
    wordings: tuple[str, ...]
    asks: tuple[Ask, ...]
    objects: int = 1
    examples: Mapping[str, Meaning] = field(default_factory=dict)
    """Meanings of the seed article, by name."""
    source: str = SOURCE

    def meanings(self, count: int, seed: int) -> list[Meaning]:
        """At most `count` meanings, drawn without repetition. Slots of one kind and options have different values."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        every = itertools.product(*((ask.fixed,) if ask.fixed else ask.options for ask in self.asks))
        names = [ask.name for ask in self.asks]
        sound = [dict(zip(names, values, strict=True)) for values in every if self._distinct(values)]
        return [sound[i] for i in rng.permutation(len(sound))[:count]]

    def _distinct(self, values: Sequence[str]) -> bool:
        seen = {(ask.kind, ask.options, value) for ask, value in zip(self.asks, values, strict=True)}
        return len(seen) == len(values)

    def slots(self, meaning: Meaning) -> tuple[Slot, ...]:
        return tuple(Slot(ask.name, ask.kind, meaning[ask.name], ask.statements(meaning),
                          said(ask.question, meaning, ""), ask.accepts) for ask in self.asks)  # fmt: skip

    def foils(self, meaning: Meaning, wording: str, seed: int) -> tuple[Foil, ...]:
        """Exchanges of two values of a kind, and changes of one, of each kind in turn."""
        rng = np.random.default_rng([seed, zlib.crc32(repr([self.name, sorted(meaning.items())]).encode())])
        exchanged = [Foil(said(wording, {**meaning, **changes}), f"swap {kind}", changes)
                     for kind, changes in swaps(self.asks, meaning)]  # fmt: skip
        changed = [foil for ask in self.asks for foil in self._changes(ask, meaning, wording, rng)]
        by_kind: dict[str, list[Foil]] = {}
        for foil in (*exchanged, *changed):
            by_kind.setdefault(foil.kind, []).append(foil)
        for several in by_kind.values():
            rng.shuffle(several)
        in_turn = [foil for turn in itertools.zip_longest(*by_kind.values()) for foil in turn if foil is not None]
        return tuple(in_turn[:MOST_FOILS])

    def _changes(self, ask: Ask, meaning: Meaning, wording: str, rng: np.random.Generator) -> Iterator[Foil]:
        avoid = taken(self.asks, ask, meaning) | set(ask.accepts)
        value = other_value(ask.kind, meaning[ask.name], ask.options, avoid, rng)
        if not value:
            return
        text = said(ask.instead.get(value, wording), {**meaning, ask.name: value})
        if ask.free or not ask.fixed or value in ask.instead:
            yield Foil(text, ask.kind, {ask.name: value})


def said(template: str, meaning: Meaning, it: str = "") -> str:
    """The template filled in. Names with a point (`first.colour`) are written with a low line in templates."""
    words = {name.replace(".", "_"): Word(value) for name, value in meaning.items()}
    return template.format(**words, it=Word(it))


def swaps(asks: Sequence[Ask], meaning: Meaning) -> Iterator[tuple[str, dict[str, str]]]:
    """Each exchange of the different values of two slots that could hold each other's."""
    for one, other in itertools.combinations(asks, 2):
        a, b = meaning[one.name], meaning[other.name]
        alike = one.kind == other.kind and (one.free or not one.fixed) and (other.free or not other.fixed)
        if alike and a != b and a in other.options and b in one.options:
            yield one.kind, {one.name: b, other.name: a}


def taken(asks: Sequence[Ask], ask: Ask, meaning: Meaning) -> set[str]:
    """Values that other slots of the kind have: a foil that took one would change more than one fact."""
    return {meaning[other.name] for other in asks if other.kind == ask.kind and other.name != ask.name}


def other_value(kind: str, value: str, options: Sequence[str], avoid: set[str], rng: np.random.Generator) -> str:
    """A wrong value: of a number its neighbour (one more or one less), else any that nothing else has; '' if none."""
    if kind == "count":
        at = NUMBERS.index(value)
        near = [NUMBERS[i] for i in (at - 1, at + 1) if 0 <= i < len(NUMBERS) and NUMBERS[i] in options]
        return near[int(rng.integers(len(near)))]
    rest = [one for one in options if one != value and one not in avoid]
    return rest[int(rng.integers(len(rest)))] if rest else ""


def prompts_of(pattern: Pattern, heading: str, rule: str, *, count: int, seed: int) -> Iterator[Prompt]:
    """Every wording of so many meanings; the seed article's own come first, and on top of the count."""
    named = {name: dict(meaning) for name, meaning in pattern.examples.items()}
    drawn = [one for one in pattern.meanings(count + len(named), seed) if one not in named.values()][:count]
    for name, meaning in [*named.items(), *(("", one) for one in drawn)]:
        group = f"{pattern.category}/{pattern.name}/" + "-".join(
            meaning[ask.name] for ask in pattern.asks if not ask.fixed
        )
        for number, wording in enumerate(pattern.wordings, 1):
            yield Prompt(
                id=f"{group.replace(' ', '_')}/{number}", text=said(wording, meaning), category=pattern.category,
                heading=heading, tier=pattern.tier, group=group.replace(" ", "_"), slots=pattern.slots(meaning),
                foils=pattern.foils(meaning, wording, seed), objects=pattern.objects, rule=rule,
                example=name if number == 1 else "", source=pattern.source if name and number == 1 else "own wording",
            )  # fmt: skip
