"""Sweeps: the dose is what its unit says, and more is more."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from bench.audit.corruption import SWEEPS, sweep, typographic_sweep
from bench.audit.corruption.draws import Draws
from bench.audit.corruption.typographic import wrong_class
from bench.errors import BenchError
from tests.unit.corruption.pictures import scene


def under(condition, image: np.ndarray, index: int = 0) -> np.ndarray:
    return image if condition.apply is None else np.asarray(condition.apply(Image.fromarray(image), index))


@pytest.mark.parametrize("name", SWEEPS)
def test_doses_run_from_weak_to_strong(name: str) -> None:
    found = SWEEPS[name]
    doses = (found.neutral, *found.doses, found.limit)
    rising = np.diff(doses) * np.sign(found.limit - found.neutral)
    assert (rising[:-1] > 0).all()
    assert rising[-1] >= 0
    assert len({one.name for one in sweep(name)}) == len(found.doses)


@pytest.mark.parametrize("name", SWEEPS)
def test_neutral_dose_is_the_picture(name: str) -> None:
    (condition,) = sweep(name, [SWEEPS[name].neutral])
    assert condition.apply is None
    image = scene()
    draws = Draws(0, name, image)
    near = SWEEPS[name].function(image, SWEEPS[name].neutral, draws)
    assert np.abs(near.astype(int) - image).max() == 0


@pytest.mark.parametrize("name", ["resolution", "jpeg_quality", "greyscale", "blur", "occlusion"])
def test_a_stronger_dose_takes_more_away(name: str) -> None:
    image = scene(200, 160)
    away = [np.abs(under(one, image).astype(float) - image).mean() for one in sweep(name)]
    assert all(more > less for less, more in pairwise(away)), away


def test_resolution_counts_pixels_of_the_shorter_side() -> None:
    image = scene(96, 64)
    assert (under(sweep("resolution", [64])[0], image) == image).all()
    (condition,) = sweep("resolution", [8])
    small = Image.fromarray(image).resize((8, 12), Image.Resampling.BICUBIC)
    assert (under(condition, image) == np.asarray(small.resize((64, 96), Image.Resampling.BICUBIC))).all()


def test_rotation_by_quarter_turns_is_exact() -> None:
    image = scene(50, 50)
    for degrees, turns in ((90, 1), (180, 2)):
        assert np.abs(under(sweep("rotation", [degrees])[0], image).astype(int) - np.rot90(image, turns)).max() <= 1


def test_greyscale_takes_the_colour() -> None:
    grey = under(sweep("greyscale", [1])[0], scene())
    assert (grey.max(axis=2) == grey.min(axis=2)).all()
    assert (grey == np.asarray(Image.fromarray(scene()).convert("L").convert("RGB"))).mean() > 0.99


def test_blur_is_relative_to_the_picture() -> None:
    small = scene(80, 80)
    large = np.asarray(Image.fromarray(small).resize((240, 240), Image.Resampling.BICUBIC))
    (condition,) = sweep("blur", [4])
    reduced = Image.fromarray(under(condition, large)).resize((80, 80), Image.Resampling.BOX)
    assert np.abs(np.asarray(reduced).astype(int) - under(condition, small)).mean() < 1.5


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 1.0])
def test_occlusion_covers_its_share_and_grows(share: float) -> None:
    image = np.zeros((101, 67, 3), np.uint8)
    covered = under(sweep("occlusion", [share])[0], image)[..., 0] == 128
    assert covered.mean() == pytest.approx(share, abs=0.01)
    smaller = under(sweep("occlusion", [share / 2])[0], image)[..., 0] == 128
    assert (covered | ~smaller).all(), "a larger patch holds the smaller one"


def test_occlusion_goes_anywhere() -> None:
    places = []
    for value in range(60):
        image = np.full((50, 50, 3), value, np.uint8)
        rows, columns = np.nonzero(under(sweep("occlusion", [0.1])[0], image)[..., 0] == 128)
        places.append((rows.min(), columns.min()))
    assert np.std(places, axis=0) == pytest.approx([34 / 12**0.5] * 2, rel=0.35)


NAMES = ("tabby cat", "dog", "iPod", "Taj Mahal")


def test_typographic_never_writes_what_is_there() -> None:
    random = np.random.default_rng(0)
    chosen = []
    for index in range(200):
        image = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        labels = np.full(200, index % 4)
        chosen.append((index % 4, wrong_class(labels, index, 4, Draws(0, "typographic", image))))
    assert all(own != wrong for own, wrong in chosen)
    counts = np.bincount([(wrong - own) % 4 for own, wrong in chosen], minlength=4)
    assert counts[0] == 0
    assert (counts[1:] > 40).all(), "every other class gets its turn"


def test_typographic_with_several_labels() -> None:
    labels = np.array([[True, False, True, True], [True, True, True, True]])
    draws = Draws(0, "typographic", scene())
    assert wrong_class(labels, 0, 4, draws) == 1
    with pytest.raises(BenchError, match="every class"):
        wrong_class(labels, 1, 4, draws)


def test_the_word_grows_with_its_dose_and_with_the_picture() -> None:
    def label(side: int, dose: float) -> int:
        image = np.full((side, side, 3), 90, np.uint8)
        found = under(typographic_sweep(("a", "it"), np.array([0]), [dose])[0], image)
        return int((found[..., 0] > 250).any(axis=1).sum())

    heights = [label(224, dose) for dose in (0.05, 0.1, 0.2, 0.3)]
    assert heights == sorted(heights)
    assert heights[3] > 4 * heights[0]
    assert label(448, 0.1) == pytest.approx(2 * label(224, 0.1), abs=2)


def test_a_long_word_stays_in_the_picture() -> None:
    image = np.full((60, 60, 3), 90, np.uint8)
    names = ("x", "a class with a name that is far too long for its picture")
    found = under(typographic_sweep(names, np.array([0]), [0.3])[0], image)
    white = (found == 255).all(axis=2)
    assert white.any()
    assert (found < 80).any(), "letters"
