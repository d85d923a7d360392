"""Data overlap: what is found, in bounded memory, and the CLIP paper's tests on planted contamination."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import beta, binom

from bench.audit.measures.overlap import (
    BLOCK,
    bonferroni,
    contamination,
    most_similar,
    near_thumbnails,
    same_pixels,
    similar_vectors,
)
from bench.duplicates import Thumbnails, pixel_digest
from bench.errors import BenchError


def photograph(seed: int, size: int = 64) -> Image.Image:
    """Smooth random colours: not plain, unlike each other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def reencoded(picture: Image.Image, **how: int) -> Image.Image:
    memory = io.BytesIO()
    picture.save(memory, "JPEG", **how)
    return Image.open(memory)


def test_same_pixels_in_any_encoding_and_mode() -> None:
    one = photograph(1)
    assert pixel_digest(one) == pixel_digest(one.convert("RGBA")) == pixel_digest(one.copy())
    assert pixel_digest(one) != pixel_digest(reencoded(one, quality=95))
    assert pixel_digest(Image.new("L", (4, 2))) != pixel_digest(Image.new("L", (2, 4)))
    table = same_pixels(
        [pixel_digest(photograph(i)) for i in range(4)], [pixel_digest(photograph(i)) for i in (9, 3, 1, 3)]
    )
    assert table[["position", "other"]].to_numpy().tolist() == [[1, 2], [3, 1]]


def test_thumbnails_find_resized_and_reencoded_copies_and_no_others() -> None:
    tested = [photograph(i) for i in range(20)]
    others = [photograph(100 + i) for i in range(50)]
    others[17] = reencoded(tested[3].resize((200, 200)), quality=60)
    others[40] = tested[12].resize((33, 33)).convert("RGB")
    found = near_thumbnails(Thumbnails.from_images(tested), Thumbnails.from_images(others))
    assert found[["position", "other"]].to_numpy().tolist() == [[3, 17], [12, 40]]
    assert (found["score"] < 6).all()


def test_plain_pictures_are_never_near() -> None:
    plain = Thumbnails.from_images([Image.new("RGB", (64, 64), (90, 90, 90))])
    assert near_thumbnails(plain, plain).empty


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, others = (
        Thumbnails.from_images(map(photograph, range(30))),
        Thumbnails.from_images(map(photograph, range(25, 60))),
    )
    whole = others.nearest(ours)
    monkeypatch.setattr("bench.duplicates.BLOCK", 7)
    parts = others.nearest(ours)
    assert np.array_equal(whole[0], parts[0])
    assert whole[0].tolist() == [-1] * 25 + [0, 1, 2, 3, 4]


def test_most_similar_against_the_whole_matrix() -> None:
    random = np.random.default_rng(0)
    ours, others = (random.standard_normal((n, 16)).astype(np.float32) for n in (BLOCK // 16, 2 * BLOCK + 5))
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    others[2 * BLOCK + 1] = ours[5]
    nearest, cosine = most_similar(ours, others)
    whole = ours @ others.T
    assert np.array_equal(nearest, whole.argmax(axis=1))
    assert cosine == pytest.approx(whole.max(axis=1))
    assert similar_vectors(ours, others)[["position", "other"]].to_numpy().tolist() == [[5, 2 * BLOCK + 1]]
    with pytest.raises(BenchError, match="same encoder"):
        most_similar(ours, others[:, :8])


def test_planted_contamination() -> None:
    """90 of 100 found pictures are right, 600 of 900 clean ones: every number by hand."""
    credit = np.repeat([1.0, 0.0, 1.0, 0.0], [90, 10, 600, 300])
    found = np.repeat([True, False], [100, 900])
    told = contamination(credit, found)
    assert told.everything.value == pytest.approx(0.69)
    assert told.clean.value == pytest.approx(2 / 3)
    assert told.added.value == pytest.approx(0.69 - 2 / 3)
    assert told.added.low > 0
    assert told.share == pytest.approx(0.1)
    assert told.p == pytest.approx(binom.sf(89, 100, 2 / 3))
    exact = beta.ppf(0.0025, 90, 11), beta.ppf(0.9975, 91, 10)
    assert (told.overlap.low, told.overlap.high) == pytest.approx(exact)


def test_the_test_is_one_sided() -> None:
    worse = contamination(np.r_[np.zeros(50), np.ones(100)], np.repeat([True, False], [50, 100]))
    assert worse.p == pytest.approx(1.0)
    assert worse.added.value < 0


def test_nothing_found_and_everything_found() -> None:
    none = contamination(np.ones(10), np.zeros(10, bool))
    assert none.p == 1
    assert none.added.value == 0
    assert np.isnan(none.overlap.value)
    with pytest.raises(BenchError, match="no clean part"):
        contamination(np.ones(10), np.ones(10, bool))


def test_bonferroni_over_35_sets() -> None:
    assert bonferroni([0.001, 0.02] + [0.5] * 33)[:2] == pytest.approx([0.035, 0.7])


@pytest.mark.parametrize("repetitions", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_added_covers(repetitions: int) -> None:
    """All - Clean, with 8 % overlap that is 15 points easier."""
    covered = 0
    for seed in range(repetitions):
        random = np.random.default_rng(seed)
        found = np.arange(1000) < 80
        told = contamination(random.random(1000) < np.where(found, 0.80, 0.65), found, seed=seed).added
        covered += told.low <= 0.08 * 0.15 <= told.high
    slack = 0.02 if repetitions == 1000 else 0.05
    assert 0.95 - slack <= covered / repetitions <= 0.95 + slack
