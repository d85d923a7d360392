"""What the tensors do not say: activation, heads and preprocessing, gathered from whatever lies beside the weights.

Read are `card.json` (ours), `open_clip_config.json` (open_clip) and `config.json` with `preprocessor_config.json`
(Hugging Face). An option that this architecture lacks is an error here: its tensors would often fit all the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from bench.errors import BenchError
from bench.model.clip.preprocess import Triple
from bench.model.clip.shape import Activation

# option of an open_clip tower -> the values that mean "as in CLIP"
VISION_OPTIONS: dict[str, tuple[Any, ...]] = {
    "pool_type": ("tok",),
    "no_ln_pre": (False,),
    "attentional_pool": (False,),
    "ls_init_value": (None,),
    "timm_model_name": (None,),
    "final_ln_after_pool": (False,),
    "pos_embed_type": ("learnable",),
}
TEXT_OPTIONS: dict[str, tuple[Any, ...]] = {
    "pool_type": ("argmax",),
    "no_causal_mask": (False,),
    "hf_model_name": (None,),
    "hf_tokenizer_name": (None,),
    "embed_cls": (False,),
}
RESAMPLE = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers, in Hugging Face files


@dataclass(frozen=True)
class Hints:
    """Every field may be unknown (None)."""

    activation: Activation | None = None
    vision_heads: int | None = None
    text_heads: int | None = None
    mean: Triple | None = None
    std: Triple | None = None
    interpolation: str | None = None
    resize: str | None = None

    def over(self, other: "Hints") -> "Hints":
        """These hints, with the gaps filled from `other`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Hints(**{name: getattr(other, name) if value is None else value for name, value in values.items()})


def hints_beside(path: Path) -> Hints:
    """Hints from the configuration files in the folder of a weights file; empty hints where there are none."""
    folder = path.parent
    if (folder / "open_clip_config.json").is_file() and not path.name.startswith(("model.", "pytorch_model.")):
        return from_open_clip(_json(folder / "open_clip_config.json"))
    if (folder / "config.json").is_file():
        beside = folder / "preprocessor_config.json"
        return from_transformers(_json(folder / "config.json"), _json(beside) if beside.is_file() else {})
    return Hints()


def from_open_clip(config: Mapping[str, Any]) -> Hints:
    """Hints from an `open_clip_config.json`. BenchError if it names an option that we lack."""
    model = config.get("model_cfg", config)
    vision, text = model.get("vision_cfg", {}), model.get("text_cfg", {})
    _refuse("vision_cfg", vision, VISION_OPTIONS)
    _refuse("text_cfg", text, TEXT_OPTIONS)
    heads = vision["width"] // vision["head_width"] if "head_width" in vision else None
    pixels = config.get("preprocess_cfg", {})
    return Hints(
        activation="quickgelu" if model.get("quick_gelu") else "gelu",
        vision_heads=heads,
        text_heads=text.get("heads"),
        mean=_triple(pixels.get("mean")),
        std=_triple(pixels.get("std")),
        interpolation=pixels.get("interpolation"),
        resize=pixels.get("resize_mode"),
    )


def from_transformers(config: Mapping[str, Any], pixels: Mapping[str, Any]) -> Hints:
    """Hints from a Hugging Face `config.json` and `preprocessor_config.json`. BenchError if it is no CLIP."""
    kind = config.get("model_type", "clip")
    if kind != "clip":
        raise BenchError(f"config.json says model_type {kind!r}, not 'clip'. Use model=transformers for this model.")
    vision, text = config.get("vision_config") or {}, config.get("text_config") or {}
    return Hints(
        activation=_activation(vision, text),
        vision_heads=vision.get("num_attention_heads"),
        text_heads=text.get("num_attention_heads"),
        mean=_triple(pixels.get("image_mean")),
        std=_triple(pixels.get("image_std")),
        interpolation=RESAMPLE.get(pixels.get("resample", 3)),
    )


def _activation(vision: Mapping[str, Any], text: Mapping[str, Any]) -> Activation:
    found = {tower.get("hidden_act", "quick_gelu") for tower in (vision, text)}  # the library's default
    names: dict[Any, Activation] = {"quick_gelu": "quickgelu", "gelu": "gelu"}
    if len(found) != 1 or not found <= set(names):
        raise BenchError(f"config.json asks for hidden_act {sorted(map(str, found))}; known: one of gelu, quick_gelu.")
    return names[found.pop()]


def _refuse(part: str, given: Mapping[str, Any], options: Mapping[str, tuple[Any, ...]]) -> None:
    for option, allowed in options.items():
        if option in given and given[option] not in allowed:
            raise BenchError(
                f"open_clip_config.json sets {part}.{option}={given[option]!r}, which this architecture lacks. "
                "Use model=open_clip."
            )


def _triple(values: Any) -> Triple | None:
    return None if values is None else cast(Triple, tuple(float(value) for value in values))


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} beside the weights cannot be read as JSON ({error}). Mend or remove it.") from error
    if not isinstance(content, dict):
        raise BenchError(f"{path} beside the weights is not a JSON object.")
    return content
