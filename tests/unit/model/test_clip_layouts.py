"""Every layout there and back, and shapes read off tensors."""

from __future__ import annotations

import pytest
import torch

from bench.errors import BenchError
from bench.model.clip.architecture import Clip, ClipShape, ResNetShape, TextShape, VitShape
from bench.model.clip.layouts import from_clip, infer_shape, layout_of, to_clip

TEXT = TextShape(context=16, vocab=64, width=128, heads=2, layers=2, hidden=512)
VIT = ClipShape(32, 32, VitShape(128, 3, 8, 2, 512), TEXT)
RESNET = ClipShape(32, 64, ResNetShape((1, 2, 1, 1), 8, 4), TEXT, "gelu")
SIGMOID = ClipShape(32, 32, VitShape(128, 3, 8, 2, 512), TEXT, logit_bias=True)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("layout", ["openai", "open_clip", "open_clip_text", "transformers"])
@pytest.mark.parametrize("shape", [VIT, RESNET, SIGMOID], ids=["vit", "resnet", "sigmoid"])
def test_round_trip(layout: str, shape: ClipShape) -> None:
    state = Clip(shape).state_dict()
    if layout == "transformers" and shape is not VIT:
        with pytest.raises(BenchError, match="no modified ResNet and no logit bias"):
            from_clip(state, layout)
        return
    written = from_clip(state, layout)
    assert layout_of(written) == layout
    assert equal(to_clip(written), dict(state))
    assert infer_shape(to_clip(written), activation=shape.activation) == shape
    assert equal(from_clip(to_clip(written), layout), written)


@pytest.mark.filterwarnings("ignore")
def test_transformers_layout_is_theirs() -> None:
    """A real CLIPModel accepts what we write, name by name, and holds the same numbers in the same places."""
    transformers = pytest.importorskip("transformers")
    tower = {"num_attention_heads": 2, "hidden_size": 128, "intermediate_size": 512}
    text = {"vocab_size": 64, "max_position_embeddings": 16, "num_hidden_layers": 2, "eos_token_id": 63}
    config = transformers.CLIPConfig(
        text_config={**tower, **text},
        vision_config={**tower, "image_size": 32, "patch_size": 8, "num_hidden_layers": 3},
        projection_dim=32,
    )
    theirs, ours = transformers.CLIPModel(config).eval(), Clip(VIT).eval()
    missing = theirs.load_state_dict(from_clip(ours.state_dict(), "transformers"), strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("position_ids") for name in missing.missing_keys)
    pixels, texts = torch.randn(2, 3, 32, 32), torch.tensor([[62, 5, 6, 63], [62, 7, 63, 0]])
    with torch.inference_mode():
        torch.testing.assert_close(theirs(pixel_values=pixels, input_ids=texts).logits_per_image, ours(pixels, texts))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("custom", [False, True])
def test_open_clip_layouts_are_theirs(custom: bool) -> None:
    open_clip = pytest.importorskip("open_clip")
    with torch.device("meta"):
        reference = open_clip.create_model("ViT-S-32-alt", device="meta", force_custom_text=custom)
    state = reference.state_dict()
    assert layout_of(state) == ("open_clip_text" if custom else "open_clip")
    ours = to_clip(state)
    assert set(from_clip(ours, layout_of(state))) == set(state)
    assert infer_shape(ours, activation="gelu").text.width == 256


def test_what_we_compute_ourselves_is_dropped() -> None:
    state = dict(Clip(VIT).state_dict())
    noisy = {
        **state,
        "attn_mask": torch.zeros(2),
        "transformer.attn_mask": torch.zeros(2),
        "input_resolution": torch.tensor(32),
    }
    assert equal(to_clip(noisy), state)
    theirs = from_clip(state, "transformers")
    assert equal(to_clip({**theirs, "text_model.embeddings.position_ids": torch.arange(16)}), state)


def test_a_scale_stored_as_a_vector_is_read() -> None:
    state = {**Clip(VIT).state_dict(), "logit_scale": torch.tensor([2.0])}
    assert to_clip(state)["logit_scale"].shape == ()


def test_heads_are_known_assumed_or_asked_for() -> None:
    def heads(width: int, **settings: int) -> int:
        with torch.device("meta"):
            shape = ClipShape(32, 28, VitShape(width, 1, 14, 1, width * 4), TEXT)
            state = Clip(shape).state_dict()
        return infer_shape(state, activation="gelu", **settings).vision.heads

    assert [heads(width) for width in (768, 1024, 1280, 1408, 1664, 1792)] == [12, 16, 16, 16, 16, 16]
    assert heads(1280, vision_heads=20) == 20
    assert heads(96, vision_heads=3) == 3
    with pytest.raises(BenchError, match=r"96 wide.*Give it: model.vision_heads=NUMBER"):
        heads(96)
    with pytest.raises(BenchError, match="7 attention heads do not divide the image tower"):
        heads(96, vision_heads=7)


@pytest.mark.parametrize(("name", "words"), [
    ("visual.trunk.stem.weight", "a timm image tower"),
    ("visual.attn_pool.query", "an attentional pooler"),
    ("text.transformer.encoder.layer.0.weight", "a Hugging Face text tower"),
    ("text_decoder.ln_final.weight", "CoCa"),
])  # fmt: skip
def test_other_open_clip_models_are_sent_to_their_package(name: str, words: str) -> None:
    state = {**Clip(VIT).state_dict(), name: torch.zeros(1)}
    with pytest.raises(BenchError, match=rf"{name}.*{words}.*model=open_clip"):
        to_clip(state)


def test_broken_weights_are_told_in_words() -> None:
    state = dict(Clip(VIT).state_dict())
    with pytest.raises(BenchError, match=r"not CLIP weights.*conv.weight"):
        layout_of(["conv.weight"])
    with pytest.raises(BenchError, match="no tensors at all"):
        layout_of([])
    without = {name: tensor for name, tensor in state.items() if name != "text_projection"}
    with pytest.raises(BenchError, match="another architecture: 'text_projection'"):
        infer_shape(without, activation="gelu")
    with pytest.raises(BenchError, match="17 places besides the first, which is no square"):
        infer_shape({**state, "visual.positional_embedding": torch.zeros(18, 128)}, activation="gelu")
    theirs = from_clip(state, "transformers")
    del theirs["vision_model.encoder.layers.1.self_attn.k_proj.bias"]
    with pytest.raises(BenchError, match=r"layers.1.self_attn.k_proj.bias' is missing"):
        to_clip(theirs)
