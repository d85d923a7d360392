"""The renderer: its truth can be read back from the pixels, and everything is a function of the seed."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.generator import scenes
from bench.generator.scenes import KINDS, Options, Scene, Thing, describe, draw, sample, truth
from bench.generator.vocabulary import COLOURS, SHAPES, WORDS

SEEDS = range(scenes.FIRST_TEST_SEED, scenes.FIRST_TEST_SEED + 60)


def ink(picture: Image.Image) -> np.ndarray:
    """Where something is drawn: far from the corner's background colour."""
    pixels = np.asarray(picture).astype(int)
    return np.abs(pixels - pixels[0, 0]).sum(-1) > 60


def border(mask: np.ndarray) -> np.ndarray:
    return np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])


def pieces(mask: np.ndarray) -> int:
    from scipy.ndimage import label

    return int(label(mask)[1])


def nearest_colour(pixel: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: np.abs(np.array(COLOURS[name]) - pixel).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_picture_other_seed_other_picture(kind: str) -> None:
    caption, scene = sample(7, kind=kind)
    assert sample(7, kind=kind) == (caption, scene)
    assert draw(scene, size=48, seed=3).tobytes() == draw(scene, size=48, seed=3).tobytes()
    assert draw(scene, size=48, seed=3).tobytes() != draw(scene, size=48, seed=4).tobytes()
    assert len({repr(sample(seed, kind=kind)) for seed in SEEDS}) > 30


def test_global_random_state_is_neither_used_nor_changed() -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    draw(sample(1)[1], size=32, seed=1)
    assert (np.random.get_state()[1] == before).all()


def test_count_is_read_back_from_the_pixels() -> None:
    counted = [pieces(ink(draw(sample(seed, kind="count")[1], seed=seed))) for seed in SEEDS]
    assert counted == [sample(seed, kind="count")[1].count for seed in SEEDS]
    assert set(counted) == {1, 2, 3, 4, 5, 6}


def test_colour_is_read_back_from_the_pixels() -> None:
    for seed in SEEDS:
        _, scene = sample(seed, kind="colour")
        picture = draw(scene, seed=seed)
        seen = np.median(np.asarray(picture)[ink(picture)], axis=0)
        assert nearest_colour(seen) == truth(scene) == scene.things[0].colour


def test_position_is_read_back_from_the_pixels() -> None:
    options = Options(shapes=("circle", "square"), colours=("red", "blue"))
    for seed in SEEDS:
        _, scene = sample(seed, kind="position", options=options)
        pixels = np.asarray(draw(scene, seed=seed)).astype(int)
        red = pixels[..., 0] - pixels[..., 2]
        centres = {"red": np.argwhere(red > 100).mean(0), "blue": np.argwhere(red < -100).mean(0)}
        first, second = (centres[thing.colour] for thing in scene.things)
        down, right = first - second
        seen = {"below": down, "above": -down, "to the right of": right, "to the left of": -right}
        assert max(seen, key=lambda name: seen[name]) == truth(scene)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_one_piece_inside_the_picture(shape: str) -> None:
    mask = ink(draw(Scene("shape", (Thing(shape, "blue"),), background="white"), size=64))
    assert pieces(mask) == 1
    assert 0.04 < mask.mean() < 0.35
    assert not border(mask).any()


def test_shapes_differ_from_each_other() -> None:
    masks = {s: ink(draw(Scene("shape", (Thing(s, "black"),), background="white"), size=64, seed=5)) for s in SHAPES}
    for one in SHAPES:
        for other in SHAPES:
            if one < other:
                overlap = (masks[one] & masks[other]).sum() / (masks[one] | masks[other]).sum()
                assert overlap < 0.9, (one, other)


@pytest.mark.parametrize("word", [max(WORDS, key=len), "yes", "new"])
def test_words_are_not_cut(word: str) -> None:
    for seed in range(24):
        mask = ink(draw(Scene("words", word=word, background="white"), size=96, seed=seed))
        assert mask.any()
        assert not border(mask).any()


def test_captions_are_true_and_plain() -> None:
    red, blue = Thing("circle", "red", 0.2, 0.5), Thing("square", "blue", 0.8, 0.5)
    assert describe(Scene("position", (red, blue))) == "a red circle to the left of a blue square"
    assert describe(Scene("shape", (Thing("oval", "orange"),))) == "an orange oval"
    assert describe(Scene("count", (Thing("cross", "red"),) * 3)) == "three red crosses"
    assert describe(Scene("count", (Thing("cross", "red"),))) == "one red cross"
    assert describe(Scene("words", word="open")) == 'the word "open"'


def test_relation_and_cell() -> None:
    assert Scene("position", (Thing("ring", "red", 0.5, 0.9), Thing("star", "red", 0.5, 0.1))).relation == "below"
    assert Thing("ring", "red", 0.1, 0.99).cell == (0, 2)


def test_hue_jitter_keeps_colours_apart() -> None:
    hues = sorted(
        colorsys.rgb_to_hsv(*(c / 255 for c in COLOURS[name]))[0] for name in ("red", "orange", "yellow", "green")
    )
    assert min(np.diff(hues)) > 2 * 0.01


def test_unknown_kind_names_the_closest() -> None:
    with pytest.raises(BenchError, match="colour"):
        sample(1, kind="color")
