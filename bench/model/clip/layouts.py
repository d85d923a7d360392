"""State-dict layouts: telling them apart, renaming to ours and back, and reading the shape off the tensors.

| layout          | told by                         | written by                                                    |
|-----------------|---------------------------------|---------------------------------------------------------------|
| `openai`        | `input_resolution` beside ours  | OpenAI's archives                                             |
| `open_clip`     | our names                       | open_clip, both towers of its plain `CLIP` class              |
| `open_clip_text`| `text.` before the text tower   | open_clip's `CustomTextCLIP`                                  |
| `transformers`  | `text_model.`, `vision_model.`  | Hugging Face `CLIPModel`: separate q, k and v; transposed maps |

Two things cannot be read off tensors. The activation: see `published` and `load`. The number of attention heads:
they are 64 wide, except in the huge open_clip towers of `HEAD_WIDTHS`; a setting overrides both.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor

from bench.errors import BenchError
from bench.model.clip.shape import Activation, ClipShape, ResNetShape, TextShape, VitShape

Layout = Literal["openai", "open_clip", "open_clip_text", "transformers"]
State = Mapping[str, Tensor]

HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104, 1792: 112}
"""Tower width to head width for open_clip's ViT-H, g, bigG and e: their model files, not the tensors, say so."""
SCALARS = ("input_resolution", "context_length", "vocab_size")
TEXT_TOWER = ("positional_embedding", "text_projection", "token_embedding.", "ln_final.", "transformer.resblocks.")
DERIVED = re.compile(r"(.*\.)?(attn_mask|position_ids)")  # stored by some versions, computed by ours

UNSUPPORTED = {
    "visual.trunk.": "a timm image tower",
    "visual.attn_pool.": "an attentional pooler",
    "text_decoder.": "CoCa's text decoder",
    "text.cls_emb": "CoCa's text tower",
    "text.transformer.encoder": "a Hugging Face text tower",
    "text.transformer.embeddings": "a Hugging Face text tower",
    "vision_model.head.": "SigLIP",
    "image_encoder.": "MobileCLIP",
}

# transformers name -> ours, for what is only renamed; blocks are handled by PARTS.
RENAMED = {
    "logit_scale": "logit_scale",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
}
TRANSPOSED = {"text_projection.weight": "text_projection", "visual_projection.weight": "visual.proj"}
PARTS = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
TOWERS = {"text_model": "transformer", "vision_model": "visual.transformer"}
HF_BLOCK = re.compile(r"(text_model|vision_model)\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
OUR_BLOCK = re.compile(r"(visual\.transformer|transformer)\.resblocks\.(\d+)\.(.+)")


def layout_of(names: Iterable[str]) -> Layout:
    """The layout that these tensor names belong to. BenchError if they are no CLIP that we can run."""
    known = set(names)
    for prefix, what in UNSUPPORTED.items():
        if found := next((name for name in sorted(known) if name.startswith(prefix)), None):
            raise BenchError(f"the weights hold {found!r}: {what}, which this loader lacks. Use model=open_clip.")
    if "text_model.embeddings.token_embedding.weight" in known and "visual_projection.weight" in known:
        return "transformers"
    if "text.token_embedding.weight" in known:
        return "open_clip_text"
    if {"token_embedding.weight", "visual.conv1.weight"} <= known:
        return "openai" if known & set(SCALARS) else "open_clip"
    few = ", ".join(sorted(known)[:4]) or "no tensors at all"
    raise BenchError(f"these are not CLIP weights: neither OpenAI's, open_clip's nor Hugging Face names. Found: {few}.")


def to_clip(state: State) -> dict[str, Tensor]:
    """Any layout -> our names. Nothing is dropped but what our model computes itself."""
    layout = layout_of(state)
    kept = {name: tensor for name, tensor in state.items() if not DERIVED.fullmatch(name) and name not in SCALARS}
    if layout == "transformers":
        return _from_transformers(kept)
    if layout == "open_clip_text":
        kept = {name.removeprefix("text."): tensor for name, tensor in kept.items()}
    for name in ("logit_scale", "logit_bias"):
        if name in kept:
            kept[name] = kept[name].reshape(())  # some versions store one number as a vector of length 1
    return kept


def from_clip(state: State, layout: Layout) -> dict[str, Tensor]:
    """Our names -> a layout; the inverse of `to_clip`. BenchError if that layout cannot hold this model."""
    if layout == "transformers":
        return _to_transformers(state)
    if layout == "open_clip_text":
        return {("text." + name if name.startswith(TEXT_TOWER) else name): tensor for name, tensor in state.items()}
    if layout == "openai":
        shape = infer_shape(state, activation="quickgelu", vision_heads=1, text_heads=1)
        sizes = (shape.image_size, shape.text.context, shape.text.vocab)
        return {**dict(zip(SCALARS, map(torch.tensor, sizes), strict=True)), **state}
    return dict(state)


def _from_transformers(state: State) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name in RENAMED:
            out[RENAMED[name]] = tensor
        elif name in TRANSPOSED:
            out[TRANSPOSED[name]] = tensor.T.contiguous()
        elif match := HF_BLOCK.fullmatch(name):
            tower, block, part, kind = match.groups()
            ours = f"{TOWERS[tower]}.resblocks.{block}."
            if part in PARTS:
                out[f"{ours}{PARTS[part]}.{kind}"] = tensor
            elif part == "self_attn.q_proj":
                packed = [_sister(state, name, letter) for letter in "qkv"]
                out[f"{ours}attn.in_proj_{kind}"] = torch.cat(packed)
        else:
            out[name] = tensor  # reported as unexpected when the model is filled
    return out


def _sister(state: State, name: str, letter: str) -> Tensor:
    wanted = name.replace("q_proj", f"{letter}_proj")
    if wanted not in state:
        raise BenchError(f"{wanted!r} is missing from the weights, although {name!r} is there; the file is incomplete.")
    return state[wanted]


def _to_transformers(state: State) -> dict[str, Tensor]:
    if "visual.attnpool.c_proj.weight" in state or "logit_bias" in state:
        raise BenchError("the transformers layout has no modified ResNet and no logit bias; choose another layout.")
    out: dict[str, Tensor] = {theirs: state[ours] for theirs, ours in RENAMED.items()}
    out |= {theirs: state[ours].T.contiguous() for theirs, ours in TRANSPOSED.items()}
    towers = {ours: theirs for theirs, ours in TOWERS.items()}
    parts = {ours: theirs for theirs, ours in PARTS.items()}
    for name, tensor in state.items():
        if match := OUR_BLOCK.fullmatch(name):
            tower, block, rest = match.groups()
            theirs = f"{towers[tower]}.encoder.layers.{block}."
            if rest.startswith("attn.in_proj_"):
                kind = rest.removeprefix("attn.in_proj_")
                for letter, part in zip("qkv", tensor.chunk(3), strict=True):
                    out[f"{theirs}self_attn.{letter}_proj.{kind}"] = part.clone()
            else:
                part_name, kind = rest.rsplit(".", 1)
                out[f"{theirs}{parts[part_name]}.{kind}"] = tensor
    return out


def infer_shape(
    state: State, *, activation: Activation, vision_heads: int | None = None, text_heads: int | None = None
) -> ClipShape:
    """The shape of a model from its tensors, in our names. BenchError if they do not make a CLIP."""
    try:
        text = _text_shape(state, text_heads)
        vision, size = _vit_shape(state, vision_heads) if "visual.proj" in state else _resnet_shape(state, vision_heads)
        embed_dim = state["text_projection"].shape[1]
    except (KeyError, IndexError, ValueError) as error:
        raise BenchError(
            f"the weights are those of another architecture: {error} (missing, or of an unexpected form). "
            "Use model=open_clip or model=transformers for other families."
        ) from error
    return ClipShape(embed_dim, size, vision, text, activation, "logit_bias" in state)


def _text_shape(state: State, heads: int | None) -> TextShape:
    (context, width), vocab = state["positional_embedding"].shape, state["token_embedding.weight"].shape[0]
    hidden = state["transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
    if heads is None:
        heads = _heads(width, width // 64 if width % 64 == 0 else None, "text_heads")
    return TextShape(context, vocab, width, heads, _count(state, "transformer.resblocks."), hidden)


def _vit_shape(state: State, heads: int | None) -> tuple[VitShape, int]:
    width, _, patch, _ = state["visual.conv1.weight"].shape
    hidden = state["visual.transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
    head_width = HEAD_WIDTHS.get(width, 64)
    if heads is None:
        heads = _heads(width, width // head_width if width % head_width == 0 else None, "vision_heads")
    layers = _count(state, "visual.transformer.resblocks.")
    side = _side(state["visual.positional_embedding"].shape[0] - 1, "visual.positional_embedding")
    return VitShape(width, layers, patch, heads, hidden), patch * side


def _resnet_shape(state: State, heads: int | None) -> tuple[ResNetShape, int]:
    width = state["visual.layer1.0.conv1.weight"].shape[0]
    one, two, three, four = (_count(state, f"visual.layer{stage}.") for stage in (1, 2, 3, 4))
    side = _side(state["visual.attnpool.positional_embedding"].shape[0] - 1, "visual.attnpool.positional_embedding")
    if heads is None:
        heads = _heads(width, width // 2 if width % 2 == 0 else None, "vision_heads")
    return ResNetShape((one, two, three, four), width, heads), side * 32


def _heads(width: int, heads: int | None, setting: str) -> int:
    if not heads:
        raise BenchError(
            f"the number of attention heads cannot be told from the tensors: the tower is {width} wide, no multiple "
            f"of 64 and not among {sorted(HEAD_WIDTHS)}. Give it: model.{setting}=NUMBER."
        )
    return heads


def _count(state: State, prefix: str) -> int:
    numbers = {int(name[len(prefix) :].split(".")[0]) for name in state if name.startswith(prefix)}
    return max(numbers, default=-1) + 1


def _side(places: int, name: str) -> int:
    side = math.isqrt(max(places, 0))
    if side < 1 or side * side != places:
        raise BenchError(f"{name} has {places} places besides the first, which is no square picture.")
    return side
