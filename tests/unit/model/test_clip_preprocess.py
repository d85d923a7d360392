"""Tensors equal to open_clip's transform, bit for bit, on pictures of every odd kind."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.model.clip.preprocess import Preprocess, eight_bit

SIZES = [(1, 1), (1, 7), (9, 1), (3, 200), (64, 64), (65, 63), (33, 50), (51, 34), (20, 300), (310, 31), (127, 128)]
MODES = ["RGB", "L", "P", "transparent P", "RGBA", "LA", "1", "CMYK", "YCbCr", "HSV", "F", "I small", "PA", "RGBX"]


def picture(mode: str, size: tuple[int, int], seed: int = 0) -> Image.Image:
    random = np.random.default_rng([seed, *size, len(mode)])
    noise = random.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    plain = Image.fromarray(noise[..., :3])
    if mode in ("RGBA", "LA", "PA"):
        return Image.fromarray(noise).convert("RGBA").convert(mode)
    if mode == "transparent P":
        palette = plain.quantize(32)
        palette.info["transparency"] = 3
        return palette
    if mode == "I small":
        return Image.fromarray(noise[..., 0].astype(np.int32))
    return plain.convert(mode)


def reference(settings: Preprocess):  # type: ignore[no-untyped-def]
    transform = pytest.importorskip("open_clip.transform")
    return transform.image_transform(
        settings.size, is_train=False, mean=settings.mean, std=settings.std,
        interpolation=settings.interpolation, resize_mode=settings.resize,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("resize", "interpolation", "size"), [
    ("shortest", "bicubic", 64), ("shortest", "bicubic", 37), ("squash", "bicubic", 48), ("shortest", "bilinear", 48),
])  # fmt: skip
def test_tensors_equal_open_clip_on_odd_pictures(resize: str, interpolation: str, size: int) -> None:
    ours = Preprocess(size, resize=resize, interpolation=interpolation, std=(0.25, 0.26, 0.27))  # type: ignore[arg-type]
    theirs = reference(ours)
    for mode, shape in product(MODES, SIZES):  # 154 pictures, of four settings each
        image = picture(mode, shape)
        np.testing.assert_array_equal(ours(image), theirs(image).numpy(), err_msg=f"{mode} {shape}")


@pytest.mark.filterwarnings("ignore")
def test_tensors_equal_open_clip_at_224_on_photograph_sizes() -> None:
    ours = Preprocess(224)
    theirs = reference(ours)
    sizes = [(224, 224), (225, 223), (333, 500), (501, 333), (640, 427), (100, 75)]
    for number, size in enumerate(sizes * 8):  # 48 pictures: with the others, over 200
        image = picture(MODES[number % 8], size, seed=number)
        np.testing.assert_array_equal(ours(image), theirs(image).numpy(), err_msg=f"{image.mode} {size}")


@pytest.mark.filterwarnings("ignore")
def test_longest_equals_open_clip_where_zero_is_black() -> None:
    ours = Preprocess(40, resize="longest")
    theirs = reference(ours)
    for mode, shape in product(["RGB", "L", "RGBA", "LA", "1", "F"], SIZES[3:]):
        image = picture(mode, shape)
        np.testing.assert_array_equal(ours(image), theirs(image).numpy(), err_msg=f"{mode} {shape}")


def test_normalisation_is_what_it_says() -> None:
    ours = Preprocess(8, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    tensor = ours(Image.new("RGB", (8, 8), (255, 0, 51)))
    assert tensor.shape == (3, 8, 8)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[:, 0, 0], [1.0, -1.0, 0.2], rtol=1e-6)


def test_crop_keeps_the_middle() -> None:
    image = Image.new("RGB", (30, 10))
    image.paste((255, 255, 255), (10, 0, 20, 10))
    assert np.asarray(Preprocess(10).square(image)).min() == 255
    assert np.asarray(Preprocess(10).square(image.rotate(90, expand=True))).min() == 255


def test_sixteen_bit_is_scaled_not_clipped() -> None:
    values = np.array([[0, 128, 256, 257, 32768, 65535]], dtype=np.uint16)
    for image in (Image.fromarray(values), Image.fromarray(values.astype(np.int32))):
        assert np.asarray(eight_bit(image)).tolist() == [[0, 0, 1, 1, 128, 255]]
    file = io.BytesIO()
    Image.fromarray(np.full((9, 9), 32768, np.uint16)).save(file, "PNG")
    opened = Image.open(file)
    assert opened.mode == "I;16"
    assert np.asarray(Preprocess(4).square(opened))[0, 0].tolist() == [128, 128, 128]


def test_exif_rotation_is_applied_only_on_request() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = io.BytesIO()
    upper = Image.new("RGB", (8, 8), "white")
    upper.paste((0, 0, 0), (0, 0, 8, 4))
    upper.save(file, "PNG", exif=exif)
    opened = Image.open(file)
    assert np.asarray(Preprocess(8).square(opened))[0, 0, 0] == 0
    assert np.asarray(Preprocess(8, exif=True).square(opened))[0, 0, 0] == 255
    assert Preprocess(8, exif=True).describe() != Preprocess(8).describe()


@pytest.mark.parametrize("turn", [0, 90])
def test_extremely_long_pictures_cost_little_and_agree_closely(turn: int) -> None:
    image = picture("RGB", (900, 3), seed=1).rotate(turn, expand=True)
    assert image.size in ((900, 3), (3, 900))
    ours = np.asarray(Preprocess(8).square(image)).astype(int)  # 300 crops long
    size, box = ((2400, 8), (1196, 0, 1204, 8)) if turn == 0 else ((8, 2400), (0, 1196, 8, 1204))
    whole = np.asarray(image.resize(size, Image.Resampling.BICUBIC).crop(box)).astype(int)
    assert np.abs(ours - whole).max() <= (1 if turn == 0 else 20)
    assert np.abs(ours - whole).mean() < 2
    assert Preprocess(224).square(Image.new("L", (1, 60000))).size == (224, 224)


def test_batches_and_description() -> None:
    ours = Preprocess(8)
    assert ours.batch([]).shape == (0, 3, 8, 8)
    assert ours.batch([picture("L", (5, 9))] * 2).shape == (2, 3, 8, 8)
    assert ours.describe() == (
        "resize 8 shortest bicubic; crop 8; mean 0.48145466 0.4578275 0.40821073; std 0.26862954 0.26130258 0.27577711"
    )


def test_bad_input_is_told_in_words() -> None:
    file = io.BytesIO()
    picture("RGB", (90, 90)).save(file, "JPEG")
    with pytest.raises(BenchError, match="a picture cannot be read"):
        Preprocess(8)(Image.open(io.BytesIO(file.getvalue()[:900])))
    with pytest.raises(BenchError, match="interpolation='area' is not known; allowed: bicubic, bilinear"):
        Preprocess(8, interpolation="area")  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="not usable"):
        Preprocess(0)
