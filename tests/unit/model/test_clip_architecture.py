"""Parity of the architecture with open_clip and transformers on random weights, and what only ours can do."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from bench.errors import BenchError
from bench.model.clip import published
from bench.model.clip.architecture import Clip, ClipShape, LayerNorm, ResNetShape, TextShape, VitShape
from bench.model.clip.layouts import infer_shape, to_clip
from bench.model.clip.weights import fill

pytestmark = pytest.mark.filterwarnings("ignore")  # the reference libraries warn about one another
TINY_TEXT = TextShape(context=16, vocab=64, width=64, heads=2, layers=2, hidden=128)
TINY_VIT = ClipShape(32, 32, VitShape(64, 2, 8, 2, 128), TINY_TEXT)
TINY_RESNET = ClipShape(32, 64, ResNetShape((1, 1, 1, 1), 8, 4), TINY_TEXT, "gelu", logit_bias=True)


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def tokens(count: int, *, context: int = 77, vocab: int = 49408, seed: int = 0) -> Tensor:
    """Random texts of every length, with start and end tokens and zero padding."""
    random = torch.Generator().manual_seed(seed)
    out = torch.zeros(count, context, dtype=torch.int64)
    for row in out:
        length = int(torch.randint(2, context + 1, (), generator=random))
        row[1 : length - 1] = torch.randint(0, vocab - 2, (length - 2,), generator=random)
        row[0], row[length - 1] = vocab - 2, vocab - 1
    return out


def shake_batch_norms(model: nn.Module) -> None:
    """Statistics that differ from those of a fresh model, so that a mix-up cannot pass."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def ours_from(reference: nn.Module, activation: str) -> Clip:
    state = to_clip(reference.state_dict())
    return fill(infer_shape(state, activation=activation), state)


@pytest.mark.parametrize(("name", "activation"), [("ViT-B-32-quickgelu", "quickgelu"), ("RN50-quickgelu", "quickgelu"),
                                                  ("ViT-S-32-alt", "gelu")])  # fmt: skip
def test_features_equal_open_clip(name: str, activation: str) -> None:
    open_clip = pytest.importorskip("open_clip")
    torch.manual_seed(1)
    reference = open_clip.create_model(name).eval()
    shake_batch_norms(reference)
    ours = ours_from(reference, activation)
    pixels, texts = torch.randn(2, 3, 224, 224), tokens(3)
    with torch.inference_mode():
        images = reference.encode_image(pixels), ours.encode_image(pixels)
        words = reference.encode_text(texts), ours.encode_text(texts)
        logits = reference.get_logits(pixels, texts)[0], ours(pixels, texts)
    for theirs, mine in (images, words, logits):
        assert relative(mine, theirs) < 1e-5


def test_features_equal_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(2)
    config = transformers.CLIPConfig()  # ViT-B/32
    config.text_config.eos_token_id, config.text_config.bos_token_id = 49407, 49406
    reference = transformers.CLIPModel(config).eval()
    ours = ours_from(reference, "quickgelu")
    pixels, texts = torch.randn(2, 3, 224, 224), tokens(3)
    with torch.inference_mode():
        theirs = reference(pixel_values=pixels, input_ids=texts)
        logits = ours(pixels, texts)
        images = nn.functional.normalize(ours.encode_image(pixels), dim=-1)
        words = nn.functional.normalize(ours.encode_text(texts), dim=-1)
    assert relative(images, theirs.image_embeds) < 1e-5
    assert relative(words, theirs.text_embeds) < 1e-5
    assert relative(logits, theirs.logits_per_image) < 1e-5


@pytest.mark.parametrize("name", list(published.TOWERS))
def test_published_shapes_equal_open_clip(name: str) -> None:
    """Key names, tensor shapes and parameter count, on the meta device: no memory, no time."""
    open_clip = pytest.importorskip("open_clip")
    their_name = name if name in ("ViT-B-32-256", "ViT-H-14", "ViT-g-14", "ViT-bigG-14") else f"{name}-quickgelu"
    with torch.device("meta"):
        reference = open_clip.create_model(their_name, device="meta")
    activation = "quickgelu" if "quickgelu" in their_name else "gelu"
    shape, parameters = published.tower_shape(name, activation)
    with torch.device("meta"):
        ours = Clip(shape)
    theirs = {key: tensor.shape for key, tensor in reference.state_dict().items()}
    assert {key: tensor.shape for key, tensor in ours.state_dict().items()} == theirs
    assert sum(parameter.numel() for parameter in ours.parameters()) == parameters
    assert sum(parameter.numel() for parameter in reference.parameters()) == parameters
    assert infer_shape(to_clip(reference.state_dict()), activation=activation) == shape
    tower = reference.visual
    pool = tower.attnpool if isinstance(shape.vision, ResNetShape) else tower.transformer.resblocks[0].attn
    assert shape.vision.heads == pool.num_heads
    assert shape.text.heads == reference.transformer.resblocks[0].attn.num_heads


def test_trimmed_texts_give_the_same_vectors() -> None:
    torch.manual_seed(3)
    model = Clip(TINY_VIT).eval()
    texts = tokens(20, context=16, vocab=64)
    with torch.inference_mode():
        whole = model.encode_text(texts)
        for row, length in enumerate((texts.argmax(dim=1) + 1).tolist()):
            assert relative(model.encode_text(texts[row : row + 1, :length]), whole[row : row + 1]) < 1e-6


def test_text_tower_looks_left_only() -> None:
    model = Clip(TINY_VIT).eval()
    texts = tokens(1, context=16, vocab=64, seed=1)
    end = int(texts.argmax(dim=1))
    changed = texts.clone()
    changed[:, end + 1 :] = 5
    earlier = texts.clone()
    earlier[:, 1] = (earlier[:, 1] + 1) % 60
    assert end > 2
    with torch.inference_mode():
        assert torch.equal(model.encode_text(changed), model.encode_text(texts))
        assert relative(model.encode_text(earlier), model.encode_text(texts)) > 1e-3


@pytest.mark.parametrize("shape", [TINY_VIT, TINY_RESNET])
def test_projection_is_the_last_step(shape: ClipShape) -> None:
    model = Clip(shape).eval()
    pixels, texts = torch.randn(2, 3, shape.image_size, shape.image_size), tokens(2, context=16, vocab=64)
    with torch.inference_mode():
        features = model.encode_image(pixels, project=False)
        assert features.shape == (2, shape.vision.features)
        vit = isinstance(shape.vision, VitShape)
        projected = features @ model.visual.proj if vit else model.visual.attnpool.c_proj(features)
        assert torch.allclose(projected, model.encode_image(pixels), atol=1e-6)
        words = model.encode_text(texts, project=False)
        assert words.shape == (2, shape.text.width)
        assert torch.allclose(words @ model.text_projection, model.encode_text(texts), atol=1e-6)


def test_logits_are_scaled_cosines_plus_bias() -> None:
    model = Clip(TINY_RESNET).eval()
    pixels, texts = torch.randn(2, 3, 64, 64), tokens(3, context=16, vocab=64)
    with torch.inference_mode():
        model.logit_bias.fill_(-3.0)
        model.logit_scale.fill_(math.log(10.0))
        cosines = nn.functional.cosine_similarity(
            model.encode_image(pixels)[:, None], model.encode_text(texts)[None], dim=-1
        )
        assert torch.allclose(model(pixels, texts), 10 * cosines - 3, atol=1e-5)


@pytest.mark.parametrize("shape", [TINY_VIT, TINY_RESNET])
def test_it_learns_to_tell_four_pictures_apart(shape: ClipShape) -> None:
    torch.manual_seed(4)
    model = Clip(shape)
    pixels, texts = torch.randn(4, 3, shape.image_size, shape.image_size), tokens(4, context=16, vocab=64)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(model(pixels, texts), torch.arange(4))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert losses[-1] < 0.2 < losses[0]


def test_layer_norm_survives_half_precision() -> None:
    """Squares of these values overflow float16; the normalised result does not."""
    values = torch.linspace(-3e4, 3e4, 64).half()[None]
    norm = LayerNorm(64).half()
    assert torch.allclose(norm(values).float(), nn.LayerNorm(64)(values.float()), atol=2e-3)


def test_shapes_are_checked_and_round_trip() -> None:
    for shape in (TINY_VIT, TINY_RESNET):
        assert ClipShape.from_dict(shape.to_dict()) == shape
    with pytest.raises(BenchError, match="5 attention heads do not divide the image tower, 64 wide"):
        ClipShape(32, 32, VitShape(64, 2, 8, 5, 128), TINY_TEXT)
    with pytest.raises(BenchError, match="'relu' is not known; allowed: quickgelu, gelu"):
        ClipShape(32, 32, VitShape(64, 2, 8, 2, 128), TINY_TEXT, "relu")
