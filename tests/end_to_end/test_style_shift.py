"""Style-to-style effective robustness of the bundled model against a line through models of an adapter, as a user does.

The reference models are the bundled weights with noise, loaded through open_clip: from the same pictures they make
weaker models of one kind, whose line the unharmed one need not lie on.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import bench
from bench.model.clip.checkpoint import BUNDLED
from bench.model.clip.layouts import from_clip
from bench.model.clip.load import load

STYLES = ["emoji_noto", "emoji_twemoji", "emoji_fluent", "emoji_emojione"]
QUIET = {"audit.corruptions": "[]", "audit.sweeps": "[]", "audit.calibration": False, "audit.prompts": False,
         "audit.overlap": "[]"}  # fmt: skip
CONFIG = {
    "embed_dim": 384,
    "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 2], "width": 24, "patch_size": None},
    "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 3},
}


def noisy(place: Path, share: float) -> Path:
    """The bundled weights, each tensor with noise of a share of its deviation."""
    random = torch.Generator().manual_seed(0)
    state = load(BUNDLED).model.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel() > 1 and "bn" not in name and "downsample.1" not in name:
            state[name] = tensor + share * tensor.std() * torch.randn(tensor.shape, generator=random)
    torch.save(from_clip(state, "open_clip"), path := place / f"noise{round(100 * share)}.pt")
    return path


@pytest.mark.slow
def test_the_bundled_model_against_two_of_an_adapter(tmp_path: Path) -> None:
    open_clip = pytest.importorskip("open_clip")
    (tmp_path / "bundled-shape.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(tmp_path)
    store = {"store.folder": str(tmp_path / "store")}
    for share in (0.05, 0.1):
        path = noisy(tmp_path, share)
        encoder = bench.load_model("open_clip:bundled-shape", path=path, device="cpu")
        bench.run(encoder, STYLES, audit="robustness", output=tmp_path / "runs" / path.stem, **QUIET, **store)
    table = bench.run("bundled", STYLES, audit="robustness", output=tmp_path / "main", **QUIET, **store,
                      **{"audit.references": f"[{tmp_path / 'runs'}]"})  # fmt: skip
    found = table[table["metric"] == "effective_robustness"]
    assert len(found) >= 3
    assert (found["status"] == "ok").all()
    assert found["protocol"].str.contains("2 models").all()
    from reports import page

    page.write(tmp_path / "main")
    figures = [path.name for path in (tmp_path / "main" / "figures").glob("*.svg")]
    assert any("shift" in name or "effective" in name for name in figures), figures
