"""Batches repeat themselves and say what they say."""

from pathlib import Path

import numpy as np
import torch

from bench.model.clip.tokenizer import Tokenizer
from bench.training.batches import Batches, Mix, _prompt, ground


def test_a_batch_is_a_function_of_seed_step_and_rank(tiny: Path, mix: Mix) -> None:
    make = Batches(tiny, mix, seed=3, context=16)
    first, again, later, other = make(5), make(5), make(6), make(5, rank=1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.pixels, later.pixels)
    assert not torch.equal(first.pixels, other.pixels)


def test_shapes_and_ranges(tiny: Path, mix: Mix) -> None:
    batch = Batches(tiny, mix, seed=0, context=16)(0)
    assert batch.pixels.shape == (20, 3, 32, 32)
    assert 0 <= float(batch.pixels.min()) <= float(batch.pixels.max()) <= 1
    assert batch.tokens.shape[0] == batch.names.shape[0] == batch.sentences.shape[0] == 16
    assert batch.targets.shape == (8, 1, 4)
    torch.testing.assert_close(batch.targets.sum(-1), torch.ones(8, 1))


def test_captions_belong_to_their_pictures(tiny: Path, mix: Mix) -> None:
    batch = Batches(tiny, mix, seed=0, context=16)(0)
    texts = [Tokenizer(16).decode(row) for row in batch.tokens[:12].numpy()]
    for picture, text in zip(batch.pixels[:12], texts, strict=True):
        red, green, blue = picture.mean((1, 2))
        seen = {"red": red > max(green, blue), "green": green > max(red, blue), "blue": blue > max(red, green)}
        named = next(name for name in ("red", "green", "blue", "yellow") if name in text)
        assert min(red, green) > blue if named == "yellow" else seen[named]


def test_templates_take_names_and_leave_captions() -> None:
    rng = np.random.default_rng(0)
    assert _prompt("apple", ("a photo of a {}",), rng) == "a photo of an apple"
    assert _prompt("dog", ("a photo of a {}",), rng) == "a photo of a dog"
    assert _prompt("a red square above a circle", ("a photo of a {}",), rng) == "a red square above a circle"


def test_transparent_ground_is_light() -> None:
    clear = np.zeros((4, 8, 8), np.uint8)
    for seed in range(5):
        assert float(ground(clear, np.random.default_rng(seed)).min()) >= 0.6
    solid = np.full((4, 8, 8), 255, np.uint8)
    solid[:3] = 10
    assert float(ground(solid, np.random.default_rng(0)).max()) < 0.05
