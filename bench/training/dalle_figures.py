"""What the card of the bundled DALL-E says: drawn on test seeds, judged by the exact reader, with 95 % intervals.

Intervals are of clusters of one meaning (the easy tier asks each of its 64 several times), as in `bench.metrics`.
Beside each figure stands a control: the same pictures judged against another caption of their kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.generator.compositions import KINDS, TIERS, compose, is_held_out, meaning, render, wordings
from bench.generator.dalle.rerank import scores
from bench.generator.scenes import FIRST_TEST_SEED, Scene
from bench.generator.verdicts import Slots, is_right, verdict
from bench.metrics.estimate import clustered, widened
from bench.metrics.reranking import curve

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.generator.dalle import Dalle
    from bench.model import Encoder

Figure = dict[str, float | int]
RERANKED = ("texture", "few", "many", "tall_stack")
"""Kinds of which one sample is often wrong: where all are right, nothing can be gained."""
COUNTS = (1, 2, 4, 8, 16, 32)
"""Samples of which the best is kept."""


@dataclass(frozen=True)
class Asked:
    """A caption of a test scene, and the seed that draws for it."""

    scene: Scene
    caption: str
    seed: int

    @property
    def meaning(self) -> str:
        return meaning(self.scene)


def ask(kinds: Sequence[str], count: int, *, first: int = FIRST_TEST_SEED) -> list[Asked]:
    """Captions of test scenes: the kinds in turn, each with one of its wordings in turn."""
    found = []
    for number in range(count):
        scene = compose(first + number, kind=kinds[number % len(kinds)])
        words = wordings(scene)
        found.append(Asked(scene, words[(number // len(kinds)) % len(words)], first + number))
    return found


def share(right: Sequence[bool] | np.ndarray, meanings: Sequence[str]) -> Figure:
    """Value with its interval over meanings."""
    value, variance, clusters = clustered(np.asarray(right, dtype=np.float64), np.asarray(meanings))
    low, high = widened(value, variance, clusters)
    value, low, high = (round(one, 4) for one in (value, low, high))
    return {"value": value, "low": low, "high": high, "n": len(right), "meanings": clusters}


def of_tiers(dalle: Dalle, count: int) -> dict[str, Any]:
    """All-correct share of each tier and kind, slots of each kind, and the control."""
    found: dict[str, Any] = {}
    for tier in TIERS:
        asked = ask([name for name, kind in KINDS.items() if kind.tier == tier], count)
        pictures = drawn(dalle, asked)
        found[tier] = summary(asked, pictures)
        if tier == "easy":
            unseen = np.array([is_held_out(one.scene) for one in asked])
            right = np.array([is_right(verdict(one.scene, it)) for one, it in zip(asked, pictures, strict=True)])
            names = np.array([one.meaning for one in asked])
            found[tier]["held-out meanings"] = share(right[unseen], names[unseen])
            found[tier]["trained meanings"] = share(right[~unseen], names[~unseen])
    return found


def drawn(dalle: Dalle, asked: Sequence[Asked]) -> list[Image]:
    """One picture a caption."""
    pictures = dalle.generate([one.caption for one in asked], [one.seed for one in asked])
    return [picture for picture in pictures if picture is not None]


def summary(asked: Sequence[Asked], pictures: Sequence[Image]) -> dict[str, Any]:
    """All of it right; judged against a neighbour of the same kind; and by kind, with slots."""
    slots = [verdict(one.scene, picture) for one, picture in zip(asked, pictures, strict=True)]
    names = [one.meaning for one in asked]
    kinds: dict[str, list[int]] = {}
    for place, one in enumerate(asked):
        kinds.setdefault(one.scene.kind, []).append(place)
    other = np.arange(len(asked))
    for places in kinds.values():
        other[places] = np.roll(places, 1)
    of_kinds = {kind: ([slots[p] for p in places], [names[p] for p in places]) for kind, places in kinds.items()}
    control = [is_right(verdict(asked[o].scene, picture)) for o, picture in zip(other.tolist(), pictures, strict=True)]
    return {
        "all right": share([is_right(one) for one in slots], names),
        "against another caption": share(control, names),
        "kinds": {
            kind: by_slot(*both)
            | conditional(*both)
            | {"against another caption": share([control[p] for p in kinds[kind]], both[1])}
            for kind, both in of_kinds.items()
        },
    }


def by_slot(slots: Sequence[Slots], names: Sequence[str]) -> dict[str, Figure]:
    """Each slot that occurs, over those that have it, and all of them at once."""
    found = {"all right": share([is_right(one) for one in slots], names)}
    for slot in dict.fromkeys(name for one in slots for name in one):
        having = [place for place, one in enumerate(slots) if slot in one]
        found[slot] = share([slots[p][slot] for p in having], [names[p] for p in having])
    return found


def conditional(slots: Sequence[Slots], names: Sequence[str]) -> dict[str, Figure]:
    """Binding alone, where what is to be bound is there: by chance 1/2, of a stack of n blocks 1/n!."""
    found = {}
    for slot, given in (("places", ("count", "colours")), ("binding", ("count", "colours", "shapes"))):
        having = [p for p, one in enumerate(slots) if slot in one and all(one[other] for other in given)]
        if len({names[p] for p in having}) > 1:
            found[f"{slot}, given {' and '.join(given)}"] = share(
                [slots[p][slot] for p in having], [names[p] for p in having]
            )
    stacks = [p for p, one in enumerate(slots) if one.get("colours") and "order" in one]
    if len({names[p] for p in stacks}) > 1:
        found["order, given colours"] = share([slots[p]["order"] for p in stacks], [names[p] for p in stacks])
    return found


def of_temperatures(dalle: Dalle, temperatures: Sequence[float], count: int) -> dict[str, float]:
    """Share of all right at each, over all kinds, on scenes of trained meanings that no training run draws."""
    asked = ask(list(KINDS), count, first=FIRST_TEST_SEED - 100_000)
    found = {}
    for temperature in temperatures:
        pictures = drawn(dalle.at(temperature), asked)
        right = [is_right(verdict(one.scene, it)) for one, it in zip(asked, pictures, strict=True)]
        found[f"{temperature:g}"] = round(float(np.mean(right)), 4)
    return found


def of_reader(dalle: Dalle, count: int) -> dict[str, Any]:
    """The reader on pictures of known truth: as rendered, and after the VAE (the ceiling of anything drawn)."""
    found: dict[str, Any] = {"rendered": {}, "reconstructed": {}}
    for kind in KINDS:
        asked = ask([kind], count, first=FIRST_TEST_SEED + 500_000)
        plain = [render(one.scene, seed=one.seed) for one in asked]
        names = [one.meaning for one in asked]
        for where, pictures in (("rendered", plain), ("reconstructed", dalle.decode(dalle.codes(plain)))):
            slots = [verdict(one.scene, picture) for one, picture in zip(asked, pictures, strict=True)]
            found[where][kind] = by_slot(slots, names)
    return found


def of_reranking(dalle: Dalle, encoder: Encoder, prompts: int, samples: int = 32) -> list[dict[str, float | str]]:
    """Gain of keeping the best of N by this encoder, judged by the exact reader: of RERANKED in turn."""
    asked = ask(RERANKED, prompts)
    lines = []
    for one in asked:
        seeds = [one.seed * samples + number for number in range(samples)]
        pictures = [it for it in dalle.generate([one.caption] * samples, seeds) if it is not None]
        liked = scores(encoder, one.caption, pictures)
        right = [float(is_right(verdict(one.scene, picture))) for picture in pictures]
        lines += [{"prompt": one.seed, "meaning": one.meaning, "liking": float(like), "credit": credit}
                  for like, credit in zip(liked, right, strict=True)]  # fmt: skip
    found = curve(pd.DataFrame(lines), [n for n in COUNTS if n <= samples]).round(4)
    return [{str(name): value for name, value in one.items()} for one in found.to_dict("records")]


def of_completion(dalle: Dalle, count: int) -> dict[str, Any]:
    """The lower half of rendered pairs, one above the other, drawn anew: under the caption, and under another's."""
    from bench.generator.dalle.completion import Rectangle

    asked = [one for one in ask(["pair"], 3 * count) if one.scene.relation in ("above", "below")][:count]
    given = [render(one.scene, seed=one.seed) for one in asked]
    side = dalle.checkpoint.card.transformer.side
    lower, known = Rectangle(side // 2, 0, side, side), dalle.codes(given)
    seeds, names = [one.seed for one in asked], [one.meaning for one in asked]
    captions = [one.caption for one in asked]
    right, kept = {}, True
    for name, words in (("caption", captions), ("shuffled", captions[1:] + captions[:1])):
        pictures, done = dalle.complete(words, given, lower, seeds)
        kept = kept and bool((done.codes[:, : side // 2] == known[:, : side // 2]).all())
        right[name] = np.array([_bottom_right(one.scene, it) for one, it in zip(asked, pictures, strict=True)])
    difference, variance, clusters = clustered(right["caption"] * 1.0 - right["shuffled"], np.asarray(names))
    ends = (difference + sign * 1.96 * variance**0.5 for sign in (0, -1, 1))
    return {
        "caption": share(right["caption"], names), "shuffled caption": share(right["shuffled"], names),
        "difference": dict(zip(("value", "low", "high"), (round(end, 4) for end in ends), strict=True)),
        "native": True, "known tokens untouched": kept, "meanings": clusters,
    }  # fmt: skip


def _bottom_right(scene: Scene, picture: Image) -> bool:
    """Whether the thing that the caption puts below is there with its shape and colour."""
    from bench.generator import reader

    wanted = max(scene.things, key=lambda it: it.y)
    return any((it.shape, it.colour) == (wanted.shape, wanted.colour) and it.y > 0.5 for it in reader.things(picture))
