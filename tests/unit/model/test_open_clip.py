"""The open_clip adapter against the package itself, on small random models."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.model.causal_text import causal_parts
from bench.model.open_clip import OpenClipEncoder, load_open_clip
from tests.tiny_models import OPEN_CLIP, add_open_clip_configs, pictures, save_open_clip

open_clip = pytest.importorskip("open_clip")
TEXTS = [
    "a photo of a cat.",
    "a cat",
    "",
    "a rather longer drawing of two dogs beside a house",
    "ÄÖÜ &amp; 🙂",
    "word " * 90,
]
CUT = {
    "tiny-clip": True,
    "tiny-clip-quickgelu": True,
    "tiny-custom": True,
    "tiny-both-ways": False,
    "tiny-class-token": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("open_clip")
    add_open_clip_configs(path)
    return path


@pytest.fixture(scope="module")
def encoders(folder: Path) -> dict[str, OpenClipEncoder]:
    return {
        name: load_open_clip(
            name, path=save_open_clip(name, folder / f"{name}.safetensors"), device="cpu", batch_size=4
        )
        for name in OPEN_CLIP
    }


@pytest.mark.parametrize("name", OPEN_CLIP)
def test_vectors_are_those_of_the_package(name: str, folder: Path, encoders: dict[str, OpenClipEncoder]) -> None:
    encoder = encoders[name]
    model, _, transform = open_clip.create_model_and_transforms(name, pretrained=str(folder / f"{name}.safetensors"))
    colour = [picture for picture in pictures() if not picture.mode.startswith("I")]
    with torch.inference_mode():
        model.eval()
        images = model.encode_image(torch.stack([transform(one) for one in colour]), normalize=True).numpy()
        texts = model.encode_text(open_clip.get_tokenizer(name)(TEXTS), normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode_images(colour), images, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), texts, atol=1e-5)
    assert np.ptp(texts, axis=0).max() > 0.1  # the texts do differ, so the comparison can fail


@pytest.mark.parametrize("name", OPEN_CLIP)
def test_texts_are_cut_only_where_that_is_exact(name: str, encoders: dict[str, OpenClipEncoder]) -> None:
    assert encoders[name].cuts_texts is CUT[name]


def test_cut_batches_are_as_short_as_their_longest_text(encoders: dict[str, OpenClipEncoder]) -> None:
    encoder, seen = encoders["tiny-clip"], []
    handle = encoder.model.transformer.register_forward_pre_hook(lambda module, args: seen.append(args[0].shape[1]))  # type: ignore[union-attr,operator]
    encoder.encode_texts(["a cat", "a cat", "a dog"])
    handle.remove()
    assert seen == [4]  # start, a, cat, end


def test_a_mask_that_shows_the_future_is_not_cut(encoders: dict[str, OpenClipEncoder]) -> None:
    model = encoders["tiny-clip"].model
    assert causal_parts(model) is not None
    mask = model.attn_mask.clone()  # type: ignore[operator,union-attr]
    model.attn_mask[0, 1] = 0  # type: ignore[operator,index]
    try:
        assert causal_parts(model) is None
    finally:
        model.attn_mask.copy_(mask)  # type: ignore[operator,union-attr]


def test_sixteen_bit_grey_is_scaled_not_clipped(encoders: dict[str, OpenClipEncoder]) -> None:
    deep = next(picture for picture in pictures() if picture.mode.startswith("I"))
    eight = (np.asarray(deep).astype(np.int64) * 255 + 32767) // 65535
    from PIL import Image

    expected = encoders["tiny-clip"].encode_images([Image.fromarray(eight.astype(np.uint8))])
    np.testing.assert_allclose(encoders["tiny-clip"].encode_images([deep]), expected, atol=1e-6)


def test_card(encoders: dict[str, OpenClipEncoder]) -> None:
    card = encoders["tiny-both-ways"].card
    assert (card.dim, card.image_size, card.family) == (16, 32, "open_clip")
    assert card.logit_bias == pytest.approx(-10, abs=0.3)
    assert card.logit_scale == pytest.approx(1 / 0.07, rel=0.2)
    assert card.preprocess.startswith(
        "resize 32 shortest bicubic; mean 0.48145466 0.4578275 0.40821073; std 0.26862954"
    )
    assert card.tokenizer.startswith("SimpleTokenizer lower context 24 vocabulary ")
    assert len(card.weights) == 64
    assert any("activation" in note for note in card.notes)


def test_activation_is_part_of_the_identity(folder: Path) -> None:
    path = folder / "tiny-clip.safetensors"
    plain, quick = (load_open_clip(name, path=path, device="cpu") for name in ("tiny-clip", "tiny-clip-quickgelu"))
    assert np.abs(plain.encode_images(pictures()[:1]) - quick.encode_images(pictures()[:1])).max() > 1e-4
    assert plain.card.identity != quick.card.identity


@pytest.mark.parametrize("with_path", [False, True])
def test_published_tag_brings_activation_and_preprocessing(
    with_path: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "tiny-clip.safetensors"
    pretrained = importlib.import_module("open_clip.pretrained")
    facts = {"file": str(path), "quick_gelu": True, "mean": (0.5,) * 3, "resize_mode": "squash"}
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"quick": facts})
    tagged = load_open_clip("tiny-clip", pretrained="quick", path=path if with_path else None, device="cpu")
    quick = load_open_clip("tiny-clip-quickgelu", path=path, device="cpu")
    np.testing.assert_allclose(tagged.encode_texts(TEXTS), quick.encode_texts(TEXTS), atol=1e-6)
    assert tagged.card.preprocess.startswith("resize 32 squash bicubic; mean 0.5 0.5 0.5; std 0.26862954")
    assert tagged.card.notes == ()
    with pytest.warns(UserWarning, match="QuickGELU mismatch"):
        _, _, transform = open_clip.create_model_and_transforms("tiny-clip", pretrained="quick")
    colour = pictures()[0]
    assert torch.equal(tagged.transform(colour), transform(colour))


def test_folder_as_on_the_hub(folder: Path, encoders: dict[str, OpenClipEncoder]) -> None:
    import json

    local = folder / "hub"
    local.mkdir()
    (local / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": OPEN_CLIP["tiny-clip"], "preprocess_cfg": {"resize_mode": "squash"}})
    )
    save_open_clip("tiny-clip", local / "open_clip_model.safetensors")
    encoder = load_open_clip(f"local-dir:{local}", device="cpu")
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), encoders["tiny-clip"].encode_texts(TEXTS), atol=1e-6)
    assert "squash" in encoder.card.preprocess
    assert encoder.card.name == "open_clip/hub"


def broken(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.pt"
    if kind == "pickle":
        torch.save({"state_dict": {"x": Path()}}, path)
    elif kind == "truncated":
        whole = (folder / "tiny-clip.safetensors").read_bytes()
        path = path.with_suffix(".safetensors")
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "nan":
        state = open_clip.create_model("tiny-clip").state_dict()
        state["text_projection"][0, 0] = float("nan")
        torch.save(state, path)
    elif kind == "other":
        save_open_clip("tiny-custom", path)
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pickle", "cannot be loaded as tiny-clip"),
        ("truncated", "cannot be loaded"),
        ("nan", "'text_projection' holds NaN"),
        ("other", "cannot be loaded as tiny-clip"),
        ("missing", "No such file"),
    ],
)
def test_bad_files_are_one_clear_message(kind: str, said: str, folder: Path, encoders: object) -> None:
    with pytest.raises(BenchError, match=said):
        load_open_clip("tiny-clip", path=broken(folder, kind), device="cpu")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "ViT-B-33"}, "Unknown open_clip model 'ViT-B-33'. Did you mean 'ViT-B-32'"),
        ({"name": "ViT-B/32"}, r"needs weights: pretrained=TAG or path=FILE. Tags: .*laion2b_s34b_b79k"),
        ({"name": "ViT-B-32", "pretrained": "laion2b_s34b_b78k"}, "Did you mean 'laion2b_s34b_b79k'"),
        (
            {
                "name": "hf-hub:",
            },
            "needs a repository",
        ),
        ({"name": "hf-hub:a/b", "path": "x.pt"}, "brings its own weights"),
        ({"name": "local-dir:nowhere"}, "no open_clip_config.json"),
        ({"name": "tiny-clip", "path": "x.pt", "precision": "float8"}, "float8"),
        ({"name": "tiny-clip", "path": "x.pt", "device": "abacus"}, "abacus"),
    ],
)
def test_bad_requests_are_one_clear_message(settings: dict[str, str], said: str, folder: Path) -> None:
    with pytest.raises(BenchError, match=said):
        load_open_clip(**settings)  # type: ignore[arg-type]


def test_memory_that_ends_is_not_taken_for_a_bad_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: object, **kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(open_clip, "create_model_and_transforms", no_room)
    with pytest.raises(BenchError, match=r"tiny-clip does not fit into memory \(CUDA out of memory.*model.device=cpu"):
        load_open_clip("tiny-clip", path=folder / "tiny-clip.safetensors", device="cpu")


def test_without_network_the_message_says_which_file_goes_where(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> str:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(open_clip, "download_pretrained", fail)
    with pytest.raises(
        BenchError,
        match=r"weights file of laion/CLIP-ViT-B-32-laion2B-s34B-b79K here .*model.pretrained=\w+ model.path=",
    ):
        load_open_clip("ViT-B-32", pretrained="laion2b_s34b_b79k", device="cpu")


def test_absent_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.sys.modules, "open_clip", None)  # type: ignore[attr-defined]
    with pytest.raises(BenchError, match=r"pip install 'zeroshot-bench\[models\]'"):
        load_open_clip("ViT-B-32", pretrained="openai")
