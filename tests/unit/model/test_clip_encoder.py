"""The Encoder contract of the bundled CLIP: shapes, order, batching, precision, card."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError
from bench.model import Encoder
from bench.model.clip import load_clip
from bench.model.clip.architecture import Clip, ClipShape, ResNetShape, TextShape, VitShape
from bench.model.clip.checkpoint import Card, save_checkpoint
from bench.model.clip.encoder import ClipEncoder
from bench.model.clip.load import Loaded
from bench.model.clip.preprocess import Preprocess
from bench.model.clip.tokenizer import Tokenizer
from bench.model.hardware import Hardware

TEXT = TextShape(20, 49408, 64, 2, 2, 256)
VIT = ClipShape(24, 32, VitShape(64, 2, 8, 2, 256), TEXT, logit_bias=True)
RESNET = ClipShape(24, 64, ResNetShape((1, 1, 1, 1), 8, 4), TEXT, "gelu")
TEXTS = [
    "a photo of a cat",
    "dog",
    "!!!!",
    "a photo of a cat",
    "word " * 40,
    "",
    "a very small bird on a very big branch",
]


def encoder(shape: ClipShape = VIT, **settings: object) -> ClipEncoder:
    torch.manual_seed(0)
    model = Clip(shape).eval().requires_grad_(False)
    model.logit_scale.fill_(np.log(20.0))
    loaded = Loaded(model, Preprocess(shape.image_size), "tiny", "0" * 64, "made here", "MIT", ("a note",))
    return ClipEncoder(loaded, hardware=Hardware(device="cpu", **settings))  # type: ignore[arg-type]


def pictures(count: int) -> list[Image.Image]:
    random = np.random.default_rng(0)
    modes = ["RGB", "L", "P", "RGBA"]
    arrays = [random.integers(0, 256, (20 + 7 * row, 50, 3), dtype=np.uint8) for row in range(count)]
    return [Image.fromarray(array).convert(modes[row % 4]) for row, array in enumerate(arrays)]


@pytest.mark.parametrize("shape", [VIT, RESNET])
def test_batches_do_not_matter(shape: ClipShape) -> None:
    images = pictures(7)
    whole, single = encoder(shape).encode_images(images), encoder(shape, batch_size=1).encode_images(images)
    three = encoder(shape, batch_size=3, workers=1).encode_images(images)
    np.testing.assert_allclose(whole, single, atol=2e-6)
    np.testing.assert_allclose(whole, three, atol=2e-6)
    assert whole.shape == (7, 24)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(whole[0] - whole[1]) > 1e-3


def test_texts_keep_their_order_and_equal_the_untrimmed_model() -> None:
    clip = encoder(batch_size=1)
    vectors = clip.encode_texts(TEXTS)
    with torch.inference_mode():
        tokens = torch.from_numpy(Tokenizer(20)(TEXTS))
        plain = torch.nn.functional.normalize(clip.model.encode_text(tokens), dim=-1).numpy()
    np.testing.assert_allclose(vectors, plain, atol=2e-6)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    np.testing.assert_allclose(encoder(batch_size=64).encode_texts(TEXTS), vectors, atol=2e-6)


def test_repeated_texts_are_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = encoder()
    seen: list[int] = []
    original = clip.model.encode_tree
    monkeypatch.setattr(
        clip.model, "encode_tree", lambda tokens, *rest: (seen.append(len(tokens)), original(tokens, *rest))[1]
    )
    clip.encode_texts(["a dog", "a cat"] * 500)
    assert seen == [6]  # start, a, dog, end, cat, end


def test_empty_input_gives_empty_output() -> None:
    clip = encoder()
    assert clip.encode_images([]).shape == (0, 24)
    assert clip.encode_texts([]).shape == (0, 24)
    assert clip.penultimate([]).shape == (0, 64)


@pytest.mark.parametrize(("shape", "width"), [(VIT, 64), (RESNET, 256)])
def test_penultimate_features_project_to_the_vectors(shape: ClipShape, width: int) -> None:
    clip, images = encoder(shape), pictures(3)
    features = torch.from_numpy(clip.penultimate(images))
    assert features.shape == (3, width)
    visual = clip.model.visual
    with torch.inference_mode():
        projected = features @ visual.proj if shape is VIT else visual.attnpool.c_proj(features)
    np.testing.assert_allclose(
        torch.nn.functional.normalize(projected, dim=-1).numpy(), clip.encode_images(images), atol=1e-5
    )


def test_card_says_what_ran() -> None:
    clip = encoder()
    card = clip.card
    assert isinstance(clip, Encoder)
    assert (card.name, card.family, card.weights, card.dim, card.image_size) == ("tiny", "clip", "0" * 64, 24, 32)
    assert card.logit_scale == pytest.approx(20.0)
    assert card.logit_bias == 0.0
    assert card.tokenizer == "clip-bpe context 20 lower-case"
    assert card.preprocess.startswith("resize 32 shortest bicubic; crop 32")
    assert card.parameters == sum(parameter.numel() for parameter in clip.model.parameters())
    assert (card.licence, card.notes, card.precision) == ("MIT", ("a note",), "float32")


def test_everything_that_changes_vectors_changes_the_identity() -> None:
    plain = encoder().card.identity
    assert encoder(replace(VIT, activation="gelu")).card.identity != plain
    assert encoder(precision="bfloat16").card.identity != plain
    assert encoder(batch_size=3).card.identity == plain


def test_bfloat16_is_close_and_still_float32_outside() -> None:
    images, full, half = pictures(4), encoder(), encoder(precision="bfloat16")
    vectors = half.encode_images(images)
    assert vectors.dtype == np.float32
    assert (vectors * full.encode_images(images)).sum(axis=1).min() > 0.999
    assert (half.encode_texts(TEXTS) * full.encode_texts(TEXTS)).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert half.card.logit_scale == pytest.approx(20.0)


def test_entry_point_loads_a_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    save_checkpoint(tmp_path, Clip(VIT), Card("mine", VIT, Preprocess(32), "MIT"))
    clip = load_clip(path=tmp_path, device="cpu", exif=True)
    assert clip.card.name == "mine"
    assert clip.card.preprocess.startswith("exif; ")
    assert clip.encode_images(pictures(2)).shape == (2, 24)


def test_bad_settings_are_told_in_words() -> None:
    with pytest.raises(BenchError, match="precision='half' is not known; allowed: float32, bfloat16, float16"):
        load_clip(precision="half")  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="batch_size=0 is not possible"):
        load_clip(batch_size=0)
    with pytest.raises(BenchError, match=r"device='gpu' cannot be used here .*Try auto or cpu"):
        load_clip(device="gpu")


def test_names_can_be_listed_without_torch() -> None:
    code = "import sys, bench.model.clip, bench.model.clip.published; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.gpu
def test_gpu_equals_cpu() -> None:
    for shape in (VIT, RESNET):
        cpu, images = encoder(shape), pictures(5)
        torch.manual_seed(0)
        gpu = ClipEncoder(
            Loaded(Clip(shape).eval().requires_grad_(False), Preprocess(shape.image_size), "tiny", "0" * 64, ""),
            hardware=Hardware(device="cuda"),
        )
        np.testing.assert_allclose(gpu.encode_images(images), cpu.encode_images(images), atol=1e-5)
        np.testing.assert_allclose(gpu.encode_texts(TEXTS), cpu.encode_texts(TEXTS), atol=1e-5)
