"""Captioned scenes: wordings of one meaning, held-out meanings, and old pictures that must not change."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from bench.errors import BenchError
from bench.generator import scenes
from bench.generator.brush import silhouette
from bench.generator.compositions import KINDS, TIERS, compose, dress, is_held_out, meaning, render, wordings, worn
from bench.generator.scenes import FIRST_TEST_SEED, Scene, Thing

SEEDS = range(40)
OLD_PICTURES = "1a7a1c351b5b8bdd70b902c41acd7d0c6da015b9b06da0d1539de21cc878f729"
"""Of captions and pixels as they were before textures and figures came: the bundled tasks use them by seed."""


def test_old_scenes_are_drawn_as_ever() -> None:
    found = hashlib.sha256()
    for seed in [*range(60), *range(FIRST_TEST_SEED, FIRST_TEST_SEED + 60)]:
        for kind in (None, *scenes.KINDS):
            caption, scene = scenes.sample(seed, kind=kind)
            found.update(caption.encode())
            found.update(scenes.draw(scene, size=64, seed=seed).tobytes())
    assert found.hexdigest() == OLD_PICTURES


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_of_the_seed_with_several_wordings(kind: str) -> None:
    for seed in SEEDS:
        scene = compose(seed, kind=kind)
        assert scene == compose(seed, kind=kind)
        assert 3 <= len(set(wordings(scene))) == len(wordings(scene))
    assert render(scene, seed=1).tobytes() == render(scene, seed=1).tobytes() != render(scene, seed=2).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_training_and_test_share_no_meaning(kind: str) -> None:
    assert not any(is_held_out(compose(seed, kind=kind)) for seed in SEEDS)
    if kind != "single":  # the easy tier asks for all of its 64 meanings
        assert all(is_held_out(compose(FIRST_TEST_SEED + seed, kind=kind)) for seed in SEEDS)


@pytest.mark.parametrize("kind", KINDS)
def test_wordings_tell_apart_what_differs(kind: str) -> None:
    """No caption serves two meanings, so a wording never drops a slot."""
    found: dict[str, str] = {}
    for seed in range(300):
        scene = compose(seed, kind=kind)
        for caption in wordings(scene):
            assert found.setdefault(caption, meaning(scene)) == meaning(scene)


def test_wordings_by_hand() -> None:
    red, blue = Thing("circle", "red", 0.25, 0.5, 0.16), Thing("star", "orange", 0.75, 0.5, 0.16)
    assert wordings(Scene("pair", (red, blue))) == (
        "a red circle to the left of an orange star", "an orange star to the right of a red circle",
        "a red circle on the left, an orange star on the right",
        "on the left a red circle, on the right an orange star",
    )  # fmt: skip
    clothes = dress({"hat": "red", "gloves": "yellow"})
    assert worn(clothes) == {"hat": "red", "gloves": "yellow"}
    assert wordings(Scene("outfit", clothes))[:3] == (
        "a figure wearing a red hat and yellow gloves", "a figure in yellow gloves and a red hat",
        "a figure. the hat is red. the gloves are yellow.",
    )  # fmt: skip
    stack = tuple(Thing("square", colour) for colour in ("red", "green", "blue"))
    assert wordings(Scene("tall_stack", stack))[1] == "a red block on a green block on a blue block"


def test_every_tier_has_kinds() -> None:
    assert {kind.tier for kind in KINDS.values()} == set(TIERS)


def test_hybrid_is_half_of_each() -> None:
    both, left, right = (
        np.asarray(silhouette(shape, 64, (0.5, 0.5), 0.4)) for shape in ("circle+square", "circle", "square")
    )
    assert (both[:, :32] == left[:, :32]).all()
    assert (both[:, 32:] == right[:, 32:]).all()


def test_unknown_kind_names_the_closest() -> None:
    with pytest.raises(BenchError, match="pair"):
        compose(1, kind="pairs")
