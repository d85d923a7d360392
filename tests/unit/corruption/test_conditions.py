"""Conditions: same picture, same pixels, whatever the order, the process, the mode or the batch."""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.audit.corruption import (
    BY_SIZE,
    CORRUPTIONS,
    IN_MCE,
    SEVERITIES,
    SWEEPS,
    conditions,
    contact_sheet,
    corrupt,
    expand,
    sweep,
    typographic_sweep,
)
from bench.audit.corruption.constants import SETS
from bench.audit.corruption.draws import Draws, normal_quantiles
from bench.audit.corruption.views import LARGEST, LONGEST, bounded, rgb_of
from bench.embeddings import Condition
from bench.errors import BenchError
from bench.model.clip.preprocess import eight_bit
from tests.unit.corruption.pictures import scene

LABELS = np.array([0, 1, 2, 0])
NAMES = ("cat", "dog", "iPod")


def everything(seed: int = 0) -> list[Condition]:
    return [
        *conditions(["all"], (1, 5), seed=seed),
        *(one for name in SWEEPS for one in sweep(name, seed=seed)),
        *typographic_sweep(NAMES, LABELS, seed=seed),
    ]


def applied(condition: Condition, picture: Image.Image, index: int = 0) -> bytes:
    assert condition.apply is not None
    return condition.apply(picture, index).tobytes()


def job(work: tuple[Condition, np.ndarray, int]) -> bytes:
    condition, image, index = work
    return applied(condition, Image.fromarray(image), index)


def test_same_pixels_in_any_order_and_process() -> None:
    images = [scene(17, 23, seed) for seed in range(2)]
    work = [(condition, image, i) for condition in everything() for i, image in enumerate(images)]
    here = [job(one) for one in work]
    order = np.random.default_rng(0).permutation(len(work))
    again = {int(i): job(work[i]) for i in order}
    assert all(again[i] == here[i] for i in range(len(work)))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(job, work, chunksize=7) == here


def test_seed_moves_the_random_ones_and_only_them() -> None:
    image = scene()
    for name, corruption in CORRUPTIONS.items():
        first, second = (corrupt(image, name, 3, seed=seed) for seed in (0, 1))
        assert (first != second).any() == corruption.random, name
    for one, other in zip(everything(0), everything(1), strict=True):
        same_pixels = applied(one, Image.fromarray(image)) == applied(other, Image.fromarray(image))
        if one.identity == other.identity:
            assert same_pixels, one.name
    at_once = {one.name: one.identity for one in everything(0)}
    assert at_once["gaussian_noise@1"] != {one.name: one.identity for one in everything(1)}["gaussian_noise@1"]


def test_index_counts_only_where_labels_do() -> None:
    picture = Image.fromarray(scene())
    for condition in conditions(["all"], (2,)) + sweep("occlusion"):
        assert applied(condition, picture, 0) == applied(condition, picture, 999)


def test_pictures_differ_in_their_noise() -> None:
    image = scene()
    other = image.copy()
    other[0, 0, 0] ^= 1
    first, second = (corrupt(one, "gaussian_noise", 1).astype(int) - one for one in (image, other))
    assert (first != second).mean() > 0.5


def test_severities_share_their_draws() -> None:
    image = np.full((40, 40, 3), 128, np.uint8)
    mild, strong = (corrupt(image, "gaussian_noise", level).astype(float) - 128 for level in (1, 2))
    assert np.corrcoef(mild.ravel(), strong.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_zero_is_the_picture(name: str) -> None:
    image = scene()
    assert (corrupt(image, name, 0) == image).all()
    (condition,) = conditions([name], (0,))
    assert condition.apply is None
    assert condition.identity == "clean"


@pytest.mark.parametrize("which", [*SETS, BY_SIZE])
@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 4), (4, 1), (1, 37), (17, 33)])
def test_every_size(name: str, shape: tuple[int, int], which: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for severity in SEVERITIES:
        found = corrupt(image, name, severity, which=which)
        assert found.shape == image.shape
        assert found.dtype == np.uint8


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(sorted(CORRUPTIONS)), st.sampled_from([0, 255]))
def test_flat_pictures(height: int, width: int, name: str, value: int) -> None:
    image = np.full((height, width, 3), value, np.uint8)
    assert corrupt(image, name, 5).shape == image.shape


MODES = ("RGB", "L", "P", "RGBA", "LA", "CMYK", "1", "I;16", "I", "F", "YCbCr")


def in_mode(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(scene()[..., 0].astype(np.uint16) * 257)
    if mode == "I":
        return Image.fromarray(scene()[..., 0].astype(np.int32) * 257)
    return Image.fromarray(scene()).convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(mode: str) -> None:
    picture = in_mode(mode)
    for condition in [*conditions(["gaussian_noise", "frost", "pixelate"], (1,)), *sweep("rotation", [30])]:
        assert condition.apply is not None
        found = condition.apply(picture, 0)
        assert (found.mode, found.size) == ("RGB", picture.size)
    assert (rgb_of(picture) == np.asarray(eight_bit(picture).convert("RGB"))).all(), "models see it like this"


def test_huge_pictures_are_bounded() -> None:
    assert bounded(Image.new("L", (8000, 4000))).size[0] ** 2 / 2 <= LARGEST
    assert max(bounded(Image.new("L", (40_000, 3))).size) <= LONGEST
    picture = Image.new("RGB", (300, 200))
    assert bounded(picture) is picture
    (condition,) = conditions(["elastic_transform"], (3,))
    assert condition.apply is not None
    assert condition.apply(Image.new("L", (40_000, 3)), 0).size == (LONGEST, 1)


def test_fog_has_no_seam_where_its_map_repeats() -> None:
    image = np.full((8, 2100, 3), 200, np.uint8)
    foggy = corrupt(image, "fog", 1)[..., 0].astype(int)
    steps = np.abs(np.diff(foggy, axis=1)).mean(axis=0)
    assert steps[1020:1028].max() <= steps.max()
    assert steps[1023] < 4 * steps.mean() + 1


@pytest.mark.slow  # the import of torchvision
def test_view_is_the_crop_of_the_published_files() -> None:
    from torchvision.transforms import functional

    for size in ((500, 375), (333, 512), (64, 64), (256, 300)):
        picture = Image.fromarray(scene(size[1], size[0]))
        (condition,) = conditions(["contrast"], (0,), view="imagenet")
        assert condition.apply is not None
        theirs = functional.center_crop(functional.resize(picture, 256), [224, 224])
        assert condition.apply(picture, 0).tobytes() == theirs.tobytes()
    (condition,) = conditions(["contrast"], (1,), view="imagenet")
    assert condition.apply is not None
    assert condition.apply(Image.new("RGB", (3, 9000)), 0).size == (224, 224)


def test_jpeg85_is_the_file_that_was_published() -> None:
    picture = Image.fromarray(scene())
    plain, saved = (conditions(["fog"], (2,), encode=encode)[0] for encode in ("none", "jpeg85"))
    assert plain.apply is not None
    assert saved.apply is not None
    file = io.BytesIO()
    plain.apply(picture, 0).save(file, "JPEG", quality=85, optimize=True)
    assert saved.apply(picture, 0).tobytes() == Image.open(file).tobytes()


def test_orientation_is_kept() -> None:
    picture = Image.fromarray(scene())
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.info["exif"] = exif.tobytes()
    (condition,) = conditions(["contrast"], (1,))
    assert condition.apply is not None
    assert condition.apply(picture, 0).getexif()[0x0112] == 6


def test_names_and_identities_are_all_different() -> None:
    made = [
        *everything(),
        *conditions(["all"], (2,)),
    ]
    assert len({one.name for one in made}) == len(made)
    variants = [
        one.identity
        for view in ("native", "imagenet")
        for which in (*SETS, BY_SIZE)
        for encode in ("none", "jpeg85")
        for seed in (0, 1)
        for one in conditions(["all"], view=view, constants=which, encode=encode, seed=seed)
    ]
    deterministic = sum(not one.random for one in CORRUPTIONS.values())
    assert len(set(variants)) == (2 * 19 - deterministic) * 5 * 2 * 4 * 2
    near = [sweep("rotation", [dose])[0] for dose in (30, 30.0, 30.00001)]
    assert near[0].identity == near[1].identity != near[2].identity
    relabelled = typographic_sweep(NAMES, LABELS[::-1].copy())
    assert {one.identity for one in relabelled}.isdisjoint(one.identity for one in typographic_sweep(NAMES, LABELS))


def test_names_expand() -> None:
    assert len(expand(["all"])) == 19
    assert tuple(expand(["mce"])) == IN_MCE
    assert len(IN_MCE) == 15
    assert expand(["blur", "fog", "glass_blur"]) == ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "fog"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: conditions(["fogg"]), "fog"),
        (lambda: conditions(["fog"], (6,)), "1 to 5"),
        (lambda: conditions(["fog"], view="imagnet"), "imagenet"),
        (lambda: conditions(["fog"], constants="cifar10"), "cifar"),
        (lambda: conditions(["fog"], encode="jpeg"), "jpeg85"),
        (lambda: sweep("rotate"), "rotation"),
        (lambda: sweep("rotation", [200]), "0 to 180"),
        (lambda: typographic_sweep(["猫", "dog"], LABELS), "font"),
        (lambda: typographic_sweep(["cat"], LABELS), "two classes"),
        (lambda: typographic_sweep(NAMES, LABELS, [2]), "0 to 1"),
        (lambda: corrupt(np.zeros((4, 4)), "fog", 1), "uint8"),
    ],
)
def test_errors_say_what_is_allowed(call, says: str) -> None:
    with pytest.raises(BenchError, match=says):
        call()


def test_contact_sheet() -> None:
    picture = Image.fromarray(scene())
    shown = contact_sheet(picture, conditions(["fog"], (0, 3)))
    assert [name for name, _ in shown] == ["fog@0", "fog@3"]
    assert shown[0][1] is picture
    assert shown[1][1].tobytes() == Image.fromarray(corrupt(scene(), "fog", 3)).tobytes()


def test_draws_are_even() -> None:
    draws = Draws(0, "x", scene())
    levels = draws.levels(100_000).astype(float)
    assert abs(levels.mean() / 65_535 - 0.5) < 4 * 0.2887 / np.sqrt(levels.size)
    assert len(np.unique(draws.levels(7, 3))) > 15
    counts = np.bincount([draws.below(5) for _ in range(5000)], minlength=5)
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(800)
    assert normal_quantiles().var() == pytest.approx(1, abs=2e-4)
    assert normal_quantiles().mean() == pytest.approx(0, abs=1e-6)


PINNED = {
    "gaussian_noise@3": "f25610d87460b7d6",
    "impulse_noise@3": "7e034590c24a456b",
    "shot_noise@3": "c867d8002e80b1d2",
}


def _hashes(made: Sequence[Condition]) -> dict[str, str]:
    import xxhash

    picture = Image.fromarray(np.arange(40 * 30 * 3, dtype=np.uint32).reshape(40, 30, 3).astype(np.uint8))
    return {one.name: xxhash.xxh3_64_hexdigest(applied(one, picture)) for one in made}


def test_streams_do_not_change_with_numpy() -> None:
    """Noise, gathers and table look-ups hold no library's float arithmetic: their pixels are the same everywhere."""
    assert _hashes(conditions(["gaussian_noise", "impulse_noise", "shot_noise"], (3,))) == PINNED


def test_threads_of_opencv_change_nothing() -> None:
    import cv2

    image, before = scene(224, 224), cv2.getNumThreads()
    try:
        found = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append([corrupt(image, name, severity).tobytes() for name in CORRUPTIONS for severity in (1, 5)])
    finally:
        cv2.setNumThreads(before)
    assert found[0] == found[1]
