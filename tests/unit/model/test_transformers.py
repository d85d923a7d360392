"""The transformers adapter against the package itself, on small random models in the published layout."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError
from bench.model.transformers import TransformersEncoder, features, load_transformers
from bench.model.transformers_folder import said
from tests.tiny_models import pictures, save_transformers

transformers = pytest.importorskip("transformers")
KINDS = ("clip", "siglip", "siglip2", "naflex", "chinese_clip")
TEXTS = ["a photo of a cat", "a cat", "", "a drawing of two dogs beside the house", "cat " * 90]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("transformers")
    for kind in KINDS:
        save_transformers(kind, path / kind)
    return path


@pytest.fixture(scope="module")
def encoders(folder: Path) -> dict[str, TransformersEncoder]:
    return {kind: load_transformers(str(folder / kind), device="cpu", batch_size=4) for kind in KINDS}


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors, dim=-1).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_image_vectors_are_those_of_the_package(
    kind: str, folder: Path, encoders: dict[str, TransformersEncoder]
) -> None:
    colour = [picture for picture in pictures() if picture.mode in ("RGB", "L", "CMYK", "1") and min(picture.size) > 3]
    processor = transformers.AutoImageProcessor.from_pretrained(folder / kind, backend="pil")
    model = transformers.AutoModel.from_pretrained(folder / kind).eval()
    with torch.inference_mode():
        expected = unit(
            model.get_image_features(
                **processor([one.convert("RGB") for one in colour], return_tensors="pt")
            ).pooler_output
        )
    np.testing.assert_allclose(encoders[kind].encode_images(colour), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05


@pytest.mark.parametrize("kind", ["siglip", "siglip2", "naflex"])
def test_siglip_texts_are_padded_to_64_on_the_right_without_mask(
    kind: str, folder: Path, encoders: dict[str, TransformersEncoder]
) -> None:
    encoder = encoders[kind]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / kind, padding_side="right")
    ids = [tokenizer(text, truncation=True, max_length=64)["input_ids"] for text in TEXTS]
    assert len(ids[0]) < 64
    assert all(row[-1] == tokenizer.eos_token_id for row in ids)
    padded = torch.tensor([row + [tokenizer.pad_token_id] * (64 - len(row)) for row in ids])
    model = transformers.AutoModel.from_pretrained(folder / kind).eval()
    with torch.inference_mode():
        expected = unit(model.get_text_features(input_ids=padded).pooler_output)
        trap = unit(model.get_text_features(input_ids=torch.tensor(ids[:1])).pooler_output)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), expected, atol=1e-5)
    assert np.abs(trap[0] - expected[0]).max() > 0.01  # padding to the longest is another vector: the test can fail


@pytest.mark.parametrize("kind", ["siglip", "siglip2", "naflex"])
def test_siglip_texts_are_in_lower_case(kind: str, encoders: dict[str, TransformersEncoder]) -> None:
    np.testing.assert_array_equal(*encoders[kind].encode_texts(["A Photo of a CAT", "a photo of a cat"]))


@pytest.mark.parametrize("kind", ["clip", "chinese_clip"])
def test_masked_towers_give_what_full_padding_gives(
    kind: str, folder: Path, encoders: dict[str, TransformersEncoder]
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / kind)
    model = transformers.AutoModel.from_pretrained(folder / kind).eval()
    length = {"clip": 77, "chinese_clip": 52}[kind]
    batch = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
    with torch.inference_mode():
        expected = unit(model.get_text_features(**batch).pooler_output)
    np.testing.assert_allclose(encoders[kind].encode_texts(TEXTS), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05


def test_transparency_is_dropped_and_sixteen_bit_scaled(encoders: dict[str, TransformersEncoder]) -> None:
    modes = {picture.mode: picture for picture in pictures()}
    clear, deep = modes["RGBA"], next(one for mode, one in modes.items() if mode.startswith("I"))
    scaled = Image.fromarray(((np.asarray(deep).astype(np.int64) * 255 + 32767) // 65535).astype(np.uint8))
    found = encoders["clip"].encode_images([clear, clear.convert("RGB"), deep, scaled])
    np.testing.assert_allclose(found[[0, 2]], found[[1, 3]], atol=1e-6)


def test_a_picture_three_pixels_high_keeps_its_rows(encoders: dict[str, TransformersEncoder]) -> None:
    # Taken for channels, its rows would be lost; enlarged as they should be, they stay in order, up to the blur.
    rows = np.zeros((3, 9, 3), dtype=np.uint8)
    rows[0], rows[1], rows[2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    prepared = encoders["siglip"].prepare(Image.fromarray(rows))["pixel_values"][0]
    assert prepared[:, 2, 16].argmax() == 0
    assert prepared[:, 16, 16].argmax() == 1
    assert prepared[:, -3, 16].argmax() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_card(kind: str, encoders: dict[str, TransformersEncoder]) -> None:
    card = encoders[kind].card
    assert card.name == f"transformers/{kind}"
    assert card.dim == (32 if kind in ("siglip", "siglip2", "naflex") else 16)
    assert card.logit_scale == pytest.approx(np.exp(2.5), rel=1e-6)
    assert (card.logit_bias == 0) == (kind in ("clip", "chinese_clip"))
    assert ("lower-case padded to 64" in card.tokenizer) == (card.dim == 32)
    assert len(card.weights) == 64


def test_configuration_is_part_of_the_identity(
    folder: Path, tmp_path: Path, encoders: dict[str, TransformersEncoder]
) -> None:
    changed = copy(folder / "clip", tmp_path / "clip")
    config = json.loads((changed / "config.json").read_text())
    config["vision_config"]["hidden_act"] = "gelu"
    (changed / "config.json").write_text(json.dumps(config))
    other = load_transformers(str(changed), device="cpu")
    assert other.card.weights == encoders["clip"].card.weights
    assert other.card.identity != encoders["clip"].card.identity


def test_a_tokenizer_without_end_of_text_is_noted(folder: Path, tmp_path: Path, encoders: dict[str, Any]) -> None:
    changed = copy(folder / "siglip2", tmp_path / "siglip2")
    edit(changed, "tokenizer.json", post_processor=None)
    edit(changed, "tokenizer_config.json", add_eos_token=False)
    assert "no end of text" in load_transformers(str(changed), device="cpu").card.notes[0]
    assert encoders["siglip2"].card.notes == ()


def test_features_of_old_and_new_transformers() -> None:
    tensor = torch.ones(2, 4)
    assert features(tensor, "clip") is tensor
    output = transformers.modeling_outputs.BaseModelOutputWithPooling(pooler_output=tensor[:, None])
    assert features(output, "flava").shape == (2, 4)
    with pytest.raises(BenchError, match="3-dimensional"):
        features(output, "qwen")


def copy(source: Path, target: Path) -> Path:
    import shutil

    shutil.copytree(source, target)
    return target


def edit(folder: Path, name: str, **changes: object) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def spoil(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "own code":
        edit(folder, "config.json", model_type="clipp", auto_map={"AutoModel": "evil.Model"})
        (folder / "evil.py").write_text("raise SystemExit('this must never run')")
    elif how == "pickle":
        weights.rename(folder / "pytorch_model.bin")
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:2000])
    elif how == "nan":
        change_tensor(weights, "visual_projection.weight", float("nan"))
    elif how == "missing tensor":
        change_tensor(weights, "visual_projection.weight", None)
    elif how == "no config":
        (folder / "config.json").unlink()
    elif how == "one tower":
        (folder / "config.json").write_text(
            json.dumps({"model_type": "bert", "hidden_size": 32, "num_attention_heads": 2})
        )
    elif how == "no processor":
        (folder / "preprocessor_config.json").unlink()


def change_tensor(path: Path, name: str, value: float | None) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(path)
    if value is None:
        del state[name]
    else:
        state[name][0, 0] = value
    save_file(state, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("own code", "'clipp', which transformers .* does not know"),
        ("pickle", r"no model.safetensors \(found: pytorch_model.bin\)"),
        ("truncated", "weights cannot be read"),
        ("nan", "'visual_projection.weight' holds NaN"),
        ("missing tensor", "not in the weights .* 'visual_projection.weight'"),
        ("no config", "config.json is missing"),
        ("one tower", "not in the weights|no get_image_features"),
        ("no processor", "preprocessor_config.json cannot be read"),
    ],
)
def test_bad_folders_are_one_clear_message(how: str, words: str, folder: Path, tmp_path: Path) -> None:
    spoiled = copy(folder / "clip", tmp_path / "clip")
    spoil(spoiled, how)
    with pytest.raises(BenchError, match=words):
        load_transformers(str(spoiled), device="cpu")


def test_memory_that_ends_is_not_taken_for_a_bad_file() -> None:
    def no_room() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(BenchError, match=r"org/name does not fit into memory \(CUDA out of memory.*model.device=cpu"):
        said(no_room, "org/name", "weights")


def test_without_network_the_message_says_which_files_go_where(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*args: object, **kwargs: object) -> str:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(BenchError, match=r"copy config.json, model.safetensors.*model.name=FOLDER"):
        load_transformers("google/siglip-base-patch16-224")
    with pytest.raises(BenchError, match="no folder 'siglip'.*org/name"):
        load_transformers("siglip")


def test_absent_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.sys.modules, "transformers", None)  # type: ignore[attr-defined]
    with pytest.raises(BenchError, match=r"pip install 'zeroshot-bench\[models\]'"):
        load_transformers("a/b")
