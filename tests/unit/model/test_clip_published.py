"""Published models: names, downloads with their hashes, the hub's cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import BenchError
from bench.model.clip import published
from bench.model.clip.download import fetch_openai
from bench.model.clip.load import load
from bench.model.clip.weights import sha256_of
from tests.unit.model.test_clip_load import SHAPE, state

__all__ = ["state"]  # the fixture


def test_published_names() -> None:
    openai = [model for model in published.MODELS.values() if model.url]
    assert len(openai) == 9
    assert all(model.sha256 in model.url and len(model.sha256) == 64 for model in openai)
    assert all(model.shape.activation == ("gelu" if model.name.startswith("laion") else "quickgelu")
               for model in published.MODELS.values())  # fmt: skip
    assert all(len(model.revision) in (0, 40) for model in published.MODELS.values())
    for spelling in ("ViT-L/14@336px", "openai/ViT-L-14-336", "OPENAI/vit-l-14-336px"):
        assert published.get(spelling).name == "openai/ViT-L-14-336"
    with pytest.raises(BenchError, match="Did you mean 'openai/ViT-B-32'"):
        load("openai/ViT-B-3")
    with pytest.raises(BenchError, match="activation='relu' is not known; allowed: quickgelu, gelu"):
        load("openai/ViT-B-32", activation="relu")  # type: ignore[arg-type]


def small_published(path: Path) -> published.Published:
    return published.Published("openai/small", SHAPE, 0, path.as_uri(), sha256_of(path))


def test_downloads_are_checked_and_cached(state: dict[str, Tensor], tmp_path: Path) -> None:
    source, cache = tmp_path / "small.pt", tmp_path / "cache"
    torch.save(state, source)
    model = small_published(source)
    target = fetch_openai(model, cache=cache)
    assert target.read_bytes() == source.read_bytes()
    source.unlink()
    assert fetch_openai(model, cache=cache) == target  # from the cache
    with pytest.raises(BenchError, match=r"has SHA-256 .* Try again|not the published"):
        fetch_openai(replace(model, sha256="0" * 64), cache=cache)
    with pytest.raises(BenchError, match=r"could not be fetched .* Put the file from .* at .*small.pt"):
        fetch_openai(model, cache=tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


def test_a_changed_download_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "small.pt")
    model = replace(small_published(tmp_path / "small.pt"), sha256="0" * 64)
    with pytest.raises(BenchError, match="has SHA-256"):
        fetch_openai(model, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_known_hash_tells_the_activation(
    state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "renamed.pt"
    torch.save(state, path)
    model = replace(small_published(path), name="openai/small", mean=(0.1, 0.2, 0.3))
    monkeypatch.setitem(published.MODELS, model.name, model)
    loaded = load(path)
    assert loaded.model.shape.activation == "quickgelu"
    assert loaded.preprocess.mean == (0.1, 0.2, 0.3)
    assert loaded.licence == "MIT"
    other = replace(model, shape=replace(SHAPE, embed_dim=8))
    monkeypatch.setitem(published.MODELS, model.name, other)
    with pytest.raises(BenchError, match="the file is not openai/small"):
        load(path)


def test_hub_without_network_says_which_file_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.model.clip.download.silence", lambda: "no name service")
    with pytest.raises(BenchError, match=r"Fetch open_clip_model.safetensors of revision 1a25a446.*model.path=FILE"):
        load("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", cache=tmp_path)


def test_hub_files_come_from_the_cache_first(state: dict[str, Tensor], tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--some--clip" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (tmp_path / "models--some--clip" / "refs").mkdir()
    (tmp_path / "models--some--clip" / "refs" / "main").write_text(commit)
    save_file(state, snapshot / "open_clip_model.safetensors")
    (snapshot / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"quick_gelu": True}}))
    loaded = load("some/clip", cache=tmp_path)
    assert loaded.source == f"hub some/clip@{commit} open_clip_model.safetensors"
    assert loaded.model.shape.activation == "quickgelu"
    assert any(f"commit {commit} was used" in note for note in loaded.notes)
    assert load("some/clip", revision=commit, cache=tmp_path).notes == (
        "OpenAI's mean and deviation were assumed for the pictures",
    )
