"""Configuration files beside a model's weights: makers and readers for the fuzzer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOWER = {"hidden_act": "gelu", "num_attention_heads": 1}
CONFIGS: dict[str, Any] = {
    "open_clip_config.json": {
        "model_cfg": {
            "embed_dim": 8,
            "quick_gelu": True,
            "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 16, "pool_type": "tok"},
            "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 1, "no_causal_mask": False},
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.25, 0.5], "interpolation": "bilinear", "resize_mode": "squash",
        },
    },
    "config.json": {"model_type": "clip", "vision_config": TOWER, "text_config": TOWER},
    "preprocessor_config.json": {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.25, 0.25, 0.5], "resample": 2},
}  # fmt: skip


def tiny_state() -> dict[str, Any]:
    """The tensors of a CLIP of the least width, with the whole vocabulary."""
    from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape

    shape = ClipShape(8, 16, VitShape(16, 1, 8, 1, 16), TextShape(8, 49408, 16, 1, 1, 16))
    return {name: tensor.half().clone() for name, tensor in Clip(shape).state_dict().items()}


def configuration(damaged: str) -> Callable[[Path], Path]:
    """A weights file with what configures it; `damaged` is the file that is damaged."""

    def make(folder: Path) -> Path:
        from safetensors.torch import save_file

        save_file(tiny_state(), folder / "w.safetensors")
        for name, content in CONFIGS.items():
            if name.startswith("open_clip") == damaged.startswith("open_clip"):
                (folder / name).write_text(json.dumps(content))
        return folder / damaged

    return make


def read_configured(folder: Path) -> Any:
    from bench.model.clip.load import load

    return load(folder / "w.safetensors")


def transformers_folder(damaged: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pytest.importorskip("transformers").logging.set_verbosity_error()
        from tests.tiny_models import save_transformers

        return save_transformers("clip", folder / "clip") / damaged

    return make


def read_transformers(folder: Path) -> Any:
    from bench.model.transformers import load_transformers

    return load_transformers(str(folder / "clip"), device="cpu")
