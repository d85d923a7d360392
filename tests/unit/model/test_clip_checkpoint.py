"""Our own checkpoints, the bundled one among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.errors import BenchError
from bench.model.clip.architecture import Clip
from bench.model.clip.checkpoint import BUNDLED, Card, load_checkpoint, save_checkpoint
from bench.model.clip.load import load
from bench.model.clip.preprocess import Preprocess
from tests.unit.model.test_clip_load import SHAPE


def test_own_checkpoints_round_trip(tmp_path: Path) -> None:
    model, card = Clip(SHAPE), Card("small", SHAPE, Preprocess(32, exif=False), "MIT", ("a note",), {"seed": 5})
    save_checkpoint(tmp_path, model, card)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "model.safetensors"]
    again, found = load_checkpoint(tmp_path)
    assert found == card
    for path in (tmp_path, tmp_path / "model.safetensors"):
        loaded = load(path)
        assert (loaded.name, loaded.licence, loaded.notes) == ("small", "MIT", ("a note",))
    assert all(
        torch.equal(tensor, model.state_dict()[name].half().float()) for name, tensor in again.state_dict().items()
    )
    with pytest.raises(BenchError, match="cannot be overridden"):
        load(tmp_path, activation="gelu")
    (tmp_path / "card.json").write_text('{"name": "x"}')
    with pytest.raises(BenchError, match="not a model card of this program"):
        load(tmp_path)


def test_missing_bundled_checkpoint_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.model.clip.load.BUNDLED", tmp_path)
    with pytest.raises(BenchError, match="model.safetensors is missing"):
        load("bundled")


@pytest.mark.skipif(not (BUNDLED / "card.json").is_file(), reason="the checkpoint is not in this checkout")
def test_bundled_checkpoint_loads_and_fits_the_wheel() -> None:
    loaded = load("bundled")
    assert (BUNDLED / "model.safetensors").stat().st_size <= 25e6
    assert loaded.licence
    assert loaded.preprocess.size == loaded.model.shape.image_size
