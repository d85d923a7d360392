"""Configuration files beside weights that say something impossible: one error that names the file and the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from bench.errors import BenchError
from bench.model.clip.load import load
from bench.model.fields import read_fields
from bench.model.vector_files import read_vectors
from tests.fuzz.models import tiny_state

DEEP = '{"a":' * 100_000


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_file(tiny_state(), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def refused(weights: Path, name: str, content: Any) -> str:
    place = weights.with_name(name)
    place.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(BenchError) as error:
        load(weights)
    assert str(place) in str(error.value)
    return str(error.value)


TOWERS = {"vision_cfg": {"width": 16, "head_width": 16}, "text_cfg": {"heads": 1}}


@pytest.mark.parametrize(("content", "said"), [
    ({"model_cfg": 3}, "model_cfg is 3; it must be an object"),
    ({"model_cfg": {"vision_cfg": []}}, "model_cfg.vision_cfg is []; it must be an object"),
    ({"model_cfg": {"vision_cfg": {"head_width": 0}}}, "model_cfg.vision_cfg.head_width is 0; it must be a whole"),
    ({"model_cfg": {"vision_cfg": {"head_width": 900}}}, "vision_cfg.head_width is 900; it must be at most the width"),
    ({"model_cfg": {"text_cfg": {"heads": 0}}}, "model_cfg.text_cfg.heads is 0; it must be a whole number, 1 or more"),
    ({"model_cfg": {"text_cfg": {"heads": 1.0}}}, "text_cfg.heads is 1.0; it must be a whole number"),
    ({"model_cfg": {"quick_gelu": "false"}}, "model_cfg.quick_gelu is 'false'; it must be true or false"),
    ({"model_cfg": TOWERS, "preprocess_cfg": {"mean": "abc"}}, "preprocess_cfg.mean is 'abc'; it must be three"),
    ({"model_cfg": TOWERS, "preprocess_cfg": {"mean": [1, 2]}}, "preprocess_cfg.mean is [1, 2]; it must be three"),
    ({"model_cfg": TOWERS, "preprocess_cfg": {"mean": [1, 2, float("nan")]}}, "preprocess_cfg.mean is [1, 2, nan]"),
    ({"model_cfg": TOWERS, "preprocess_cfg": {"std": [1, 1, 0]}}, "preprocess_cfg.std is [1, 1, 0]; it must be three"),
    ({"model_cfg": TOWERS, "preprocess_cfg": {"interpolation": "random"}}, "it must be one of bicubic, bilinear"),
    (DEEP, "nested too deeply"),
    ("3", "is not a JSON object"),
])  # fmt: skip
def test_open_clip(content: Any, said: str, weights: Path) -> None:
    assert said in refused(weights, "open_clip_config.json", content)


CLIP = {"vision_config": {"num_attention_heads": 1}, "text_config": {"num_attention_heads": 1}}


@pytest.mark.parametrize(("content", "said"), [
    ({"vision_config": "large"}, "vision_config is 'large'; it must be an object"),
    ({"text_config": {"num_attention_heads": -1}}, "text_config.num_attention_heads is -1; it must be a whole number"),
    ({"vision_config": {"hidden_act": ["gelu"]}}, "hidden_act is ['gelu']; it must be one of gelu, quick_gelu"),
    ({"vision_config": {"hidden_act": "gelu"}}, "text_config.hidden_act is None; it must be that of the vision tower"),
    (DEEP, "nested too deeply"),
])  # fmt: skip
def test_hugging_face(content: Any, said: str, weights: Path) -> None:
    assert said in refused(weights, "config.json", content)


@pytest.mark.parametrize(("content", "said"), [
    ({"image_mean": 0.5}, "image_mean is 0.5; it must be three finite numbers"),
    ({"image_std": [1, 1, None]}, "image_std is [1, 1, None]; it must be three positive numbers"),
    ({"resample": 1}, "resample is 1; it must be 2 (bilinear) or 3 (bicubic)"),
    ({"resample": []}, "resample is []; it must be a whole number"),
    (DEEP, "nested too deeply"),
])  # fmt: skip
def test_preprocessor(content: Any, said: str, weights: Path) -> None:
    weights.with_name("config.json").write_text(json.dumps(CLIP))
    assert said in refused(weights, "preprocessor_config.json", content)


def test_heads_of_a_resnet_divide_what_its_last_stage_gives() -> None:
    from bench.model.clip.hints import from_open_clip
    from bench.model.fields import Fields

    vision = {"layers": [3, 4, 6, 3], "width": 64, "head_width": 64}
    assert from_open_clip(Fields("", {"vision_cfg": vision})).vision_heads == 32


@pytest.mark.parametrize("setting", ["vision_heads", "text_heads"])
def test_no_heads_at_all_cannot_be_asked_for(setting: str, weights: Path) -> None:
    with pytest.raises(BenchError, match="heads=0 cannot be; allowed: a whole number from 1"):
        load(weights, **{"vision_heads": 1, "text_heads": 1, setting: 0})  # type: ignore[arg-type]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"config\.json is missing"):
        read_fields(tmp_path / "config.json")


@pytest.mark.parametrize("vector", ["[1" + "0" * 400 + "]", "[" * 100_000])
def test_vectors_that_are_no_numbers(vector: str, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f'kind,task,split,id,text,vector\ntext,,,,a,"{vector}"\n')
    with pytest.raises(BenchError, match="vector of row 0 is not a list of numbers"):
        read_vectors(path)
