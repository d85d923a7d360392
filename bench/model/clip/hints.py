"""What the tensors do not say: activation, heads and preprocessing, gathered from whatever lies beside the weights.

Read are `card.json` (ours), `open_clip_config.json` (open_clip) and `config.json` with `preprocessor_config.json`
(Hugging Face). An option that this architecture lacks is an error here: its tensors would often fit all the same.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from bench.errors import BenchError
from bench.model.clip.preprocess import Interpolation, Resize, Triple
from bench.model.clip.shape import Activation
from bench.model.fields import Fields, read_fields

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
OPEN_CLIP_WIDTH = 768  # of the vision tower, where the file says none
RESAMPLE = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers, in Hugging Face files
ACTIVATIONS: dict[str, Activation] = {"quick_gelu": "quickgelu", "gelu": "gelu"}  # the first is that library's default


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
        return from_open_clip(read_fields(folder / "open_clip_config.json"))
    if (folder / "config.json").is_file():
        beside = folder / "preprocessor_config.json"
        return from_transformers(
            read_fields(folder / "config.json"), read_fields(beside) if beside.is_file() else Fields(f"{beside}: ", {})
        )
    return Hints()


def from_open_clip(config: Fields) -> Hints:
    """Hints from an `open_clip_config.json`. BenchError if it names an option that we lack."""
    model = config.inside("model_cfg") if "model_cfg" in config.values else config
    vision, text, pixels = model.inside("vision_cfg"), model.inside("text_cfg"), config.inside("preprocess_cfg")
    _refuse(vision, VISION_OPTIONS)
    _refuse(text, TEXT_OPTIONS)
    return Hints(
        activation="quickgelu" if model.flag("quick_gelu") else "gelu",
        vision_heads=_vision_heads(vision),
        text_heads=text.count("heads"),
        mean=pixels.triple("mean"),
        std=pixels.triple("std", positive=True),
        interpolation=pixels.choice("interpolation", get_args(Interpolation)),
        resize=pixels.choice("resize_mode", get_args(Resize)),
    )


def from_transformers(config: Fields, pixels: Fields) -> Hints:
    """Hints from a Hugging Face `config.json` and `preprocessor_config.json`. BenchError if it is no CLIP."""
    kind = config.values.get("model_type", "clip")
    if kind != "clip":
        raise BenchError(
            f"config.json says model_type {reprlib.repr(kind)}, not 'clip'. Use model=transformers for this model."
        )
    vision, text = config.inside("vision_config"), config.inside("text_config")
    resample = pixels.count("resample") or 3
    if resample not in RESAMPLE:
        raise pixels.wrong("resample", "2 (bilinear) or 3 (bicubic)")
    return Hints(
        activation=_activation(vision, text),
        vision_heads=vision.count("num_attention_heads"),
        text_heads=text.count("num_attention_heads"),
        mean=pixels.triple("image_mean"),
        std=pixels.triple("image_std", positive=True),
        interpolation=RESAMPLE[resample],
    )


def _vision_heads(vision: Fields) -> int | None:
    width, each = vision.count("width") or OPEN_CLIP_WIDTH, vision.count("head_width")
    if isinstance(vision.values.get("layers"), list):
        width *= 32  # a ResNet's width is that of its stem; its attention pools what the last stage gives
    if each and each > width:
        raise vision.wrong("head_width", f"at most the width of the tower, {width}")
    return width // each if each else None


def _activation(vision: Fields, text: Fields) -> Activation:
    seen, said = (tower.choice("hidden_act", ACTIVATIONS) or "quick_gelu" for tower in (vision, text))
    if seen != said:
        raise text.wrong("hidden_act", f"that of the vision tower, {seen!r}")
    return ACTIVATIONS[seen]


def _refuse(part: Fields, options: Mapping[str, tuple[Any, ...]]) -> None:
    for option, allowed in options.items():
        if option in part.values and part.values[option] not in allowed:
            given = reprlib.repr(part.values[option])
            raise BenchError(
                f"{part.where}{option}={given}, which this architecture lacks. Use model=open_clip for this model."
            )
