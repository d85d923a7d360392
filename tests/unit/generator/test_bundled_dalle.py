"""The bundled DALL-E draws what its card claims, on captions of test seeds; its card says what it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.generator.compositions import render
from bench.generator.dalle import Dalle
from bench.generator.dalle.checkpoint import BUNDLED, CARD, WEIGHTS
from bench.generator.dalle.completion import Rectangle
from bench.generator.verdicts import is_right, verdict
from bench.training.dalle_figures import ask


@pytest.fixture(scope="module")
def dalle() -> Dalle:
    return Dalle()


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = json.loads((BUNDLED / CARD).read_text())["figures"]
    return found


def test_size_on_disk() -> None:
    assert (BUNDLED / WEIGHTS).stat().st_size < 30e6


def test_card_meets_the_bar(figures: dict[str, dict[str, dict[str, dict[str, float]]]]) -> None:
    easy = figures["tiers"]["easy"]["all right"]
    assert easy["n"] >= 500
    assert easy["value"] >= 0.8
    pair = figures["tiers"]["middle"]["kinds"]["pair"]  # type: ignore[index]
    assert pair["all right"]["low"] > 0.5  # type: ignore[index]


@pytest.mark.parametrize(("kind", "least"), [("single", 0.8), ("outfit", 0.75), ("full_outfit", 0.65)])
def test_draws_what_is_asked(dalle: Dalle, kind: str, least: float) -> None:
    asked = ask([kind], 64)
    pictures = dalle.generate([one.caption for one in asked], [one.seed for one in asked])
    right = [is_right(verdict(one.scene, it)) for one, it in zip(asked, pictures, strict=True) if it is not None]
    assert np.mean(right) >= least
    other = [
        is_right(verdict(one.scene, it)) for one, it in zip(asked[1:], pictures[:-1], strict=True) if it is not None
    ]
    assert np.mean(other) < 0.25


def test_binds_colours_to_places(dalle: Dalle) -> None:
    """Where both colours are there, chance would put them right in one half."""
    asked = ask(["pair"], 96)
    pictures = dalle.generate([one.caption for one in asked], [one.seed for one in asked])
    slots = [verdict(one.scene, it) for one, it in zip(asked, pictures, strict=True) if it is not None]
    placed = [one["places"] for one in slots if one["count"] and one["colours"]]
    assert len(placed) > 40
    assert np.mean(placed) > 0.65


def test_completes_the_lower_half(dalle: Dalle) -> None:
    asked = ask(["outfit"], 24)
    given = [render(one.scene, seed=one.seed) for one in asked]
    pictures, done = dalle.complete([one.caption for one in asked], given, Rectangle(4, 0, 8, 8), range(24))
    assert done.native
    assert (done.codes[:, :4] == dalle.codes(given)[:, :4]).all()
    assert np.mean([is_right(verdict(one.scene, it)) for one, it in zip(asked, pictures, strict=True)]) > 0.6
