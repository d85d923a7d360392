"""The Encoder contract, one set of checks over a small model of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.model import Encoder, Lookup, ModelCard
from bench.model.load import load_model
from tests.tiny_models import add_open_clip_configs, pictures, save_open_clip, save_transformers

TEXTS = ["a photo of a cat", "a cat", "", "a drawing of two dogs beside the house", "a photo of a cat", "cat " * 90]


def clip(folder: Path, *, seed: int = 0, **settings: Any) -> Encoder:
    add_open_clip_configs(folder)
    path = save_open_clip("tiny-clip", folder / f"clip{seed}.safetensors", seed=seed)
    return load_model(str(path), device="cpu", **settings)  # type: ignore[return-value]


def open_clip(folder: Path, *, name: str = "tiny-clip", seed: int = 0, **settings: Any) -> Encoder:
    add_open_clip_configs(folder)
    path = save_open_clip(name, folder / f"{name}{seed}.pt", seed=seed)
    return load_model(f"open_clip:{name}", path=path, device="cpu", **settings)  # type: ignore[return-value]


def open_clip_both_ways(folder: Path, *, seed: int = 0, **settings: Any) -> Encoder:
    return open_clip(folder, name="tiny-both-ways", seed=seed, **settings)


def from_transformers(kind: str) -> Callable[..., Encoder]:
    def load(folder: Path, *, seed: int = 0, **settings: Any) -> Encoder:
        path = save_transformers(kind, folder / f"{kind}{seed}", seed=seed)
        return load_model(f"transformers:{path}", device="cpu", **settings)  # type: ignore[return-value]

    return load


KINDS: dict[str, Callable[..., Encoder]] = {
    "clip": clip,
    "open_clip": open_clip,
    "open_clip_both_ways": open_clip_both_ways,
    **{kind: from_transformers(kind) for kind in ("clip_hf", "siglip", "siglip2", "naflex", "chinese_clip")},
}
KINDS["clip_hf"] = from_transformers("clip")


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def encoder(kind: str, folder: Path) -> Encoder:
    return KINDS[kind](folder, batch_size=4)


def test_it_follows_the_protocol(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert not isinstance(encoder, Lookup)


def test_vectors_are_float32_of_unit_length(encoder: Encoder) -> None:
    odd = pictures()
    for vectors, count in ((encoder.encode_images(odd), len(odd)), (encoder.encode_texts(TEXTS), len(TEXTS))):
        assert vectors.shape == (count, encoder.card.dim)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_in_nothing_out(encoder: Encoder) -> None:
    assert encoder.encode_images([]).shape == (0, encoder.card.dim)
    assert encoder.encode_texts([]).shape == (0, encoder.card.dim)


def test_different_inputs_give_different_vectors(encoder: Encoder) -> None:
    for vectors in (encoder.encode_images(pictures()[:4:3]), encoder.encode_texts(TEXTS[1::2][:2])):
        assert np.abs(vectors[0] - vectors[1]).max() > 0.01


def test_the_same_again_gives_the_same(encoder: Encoder) -> None:
    np.testing.assert_array_equal(encoder.encode_images(pictures()), encoder.encode_images(pictures()))
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), encoder.encode_texts(TEXTS))


def test_a_vector_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    images, texts = encoder.encode_images(pictures()), encoder.encode_texts(TEXTS)
    alone = np.concatenate([encoder.encode_images([picture]) for picture in pictures()])
    np.testing.assert_allclose(images, alone, atol=1e-5)
    np.testing.assert_allclose(texts, np.concatenate([encoder.encode_texts([text]) for text in TEXTS]), atol=1e-5)


def test_the_order_of_texts_does_not_matter(encoder: Encoder) -> None:
    order = np.random.default_rng(1).permutation(len(TEXTS))
    found = encoder.encode_texts([TEXTS[i] for i in order])
    np.testing.assert_allclose(found, encoder.encode_texts(TEXTS)[order], atol=1e-6)


def test_grey_is_grey_and_a_palette_is_its_colours(encoder: Encoder) -> None:
    colour = Image.fromarray(np.kron(np.eye(3, dtype=np.uint8)[None] * 255, np.ones((32, 11, 1), np.uint8))[:, :32])
    grey, palette = colour.convert("L"), colour.quantize(3)
    found = encoder.encode_images([grey, grey.convert("RGB"), palette, palette.convert("RGB")])
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    np.testing.assert_allclose(found[2], found[3], atol=1e-4)  # at its own size nothing is resized


def test_inputs_are_left_as_they_were(encoder: Encoder) -> None:
    given, texts = pictures(), list(TEXTS)
    encoder.encode_images(given)
    encoder.encode_texts(texts)
    assert texts == TEXTS
    for before, after in zip(pictures(), given, strict=True):
        assert (before.mode, before.size, before.tobytes()) == (after.mode, after.size, after.tobytes())


def test_random_numbers_elsewhere_are_not_touched(encoder: Encoder) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    encoder.encode_images(pictures()[:2])
    encoder.encode_texts(TEXTS[:2])
    assert torch.equal(torch.rand(3), expected)


def test_the_card_is_complete(encoder: Encoder) -> None:
    card = encoder.card
    assert card.family in ("clip", "open_clip", "transformers")
    assert len(card.weights) == 64
    assert int(card.weights, 16)
    for fact in (card.name, card.preprocess, card.tokenizer, card.precision, card.device, card.source):
        assert fact
    assert card.parameters
    assert card.parameters > 1000
    assert card.logit_scale > 1
    json.dumps(card.as_dict())


def test_the_identity_follows_what_changes_vectors(encoder: Encoder) -> None:
    card = encoder.card
    facts = ("weights", "preprocess", "tokenizer", "variant", "precision")
    identities = {card.identity, *(replace(card, **{fact: "another"}).identity for fact in facts)}
    assert len(identities) == 1 + len(facts)
    assert replace(card, device="cuda", name="other").identity == card.identity


def test_other_weights_are_another_identity(kind: str, folder: Path, encoder: Encoder) -> None:
    other = KINDS[kind](folder, seed=1)
    assert other.card.identity != encoder.card.identity
    assert np.abs(other.encode_texts(TEXTS[:1]) - encoder.encode_texts(TEXTS[:1])).max() > 1e-3


def test_half_precision_is_near_and_another_identity(kind: str, folder: Path, encoder: Encoder) -> None:
    half = KINDS[kind](folder, precision="bfloat16")
    assert half.card.identity != encoder.card.identity
    assert half.card.logit_scale == pytest.approx(encoder.card.logit_scale, rel=1e-2)
    for found, whole in (
        (half.encode_images(pictures()), encoder.encode_images(pictures())),
        (half.encode_texts(TEXTS), encoder.encode_texts(TEXTS)),
    ):
        assert found.dtype == np.float32
        assert (found * whole).sum(axis=1).min() > 0.98


def test_precomputed_vectors_follow_the_lookup_protocol(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.npz"
    images = {"images/pets/test": rng.normal(size=(3, 4))}
    np.savez(path, texts=np.array(TEXTS[:4]), text_vectors=rng.normal(size=(4, 4)), **images)
    table = load_model(str(path))
    assert isinstance(table, Lookup)
    assert isinstance(table.card, ModelCard)
    for vectors in (table.encode_texts(TEXTS[:4]), table.find_images("pets", "test", ["x", "y", "z"])):
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
