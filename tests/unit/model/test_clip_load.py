"""Files of every kind, good and bad: each bad one has one clear error, and nothing in a file is ever run."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.archive import is_torchscript, read_torchscript
from bench.errors import BenchError
from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape
from bench.model.clip.layouts import from_clip
from bench.model.clip.load import load
from bench.model.clip.preprocess import Preprocess
from bench.model.clip.weights import read_weights, sha256_of

SHAPE = ClipShape(32, 32, VitShape(64, 2, 8, 1, 256), TextShape(16, 49408, 64, 1, 2, 256))


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return dict(Clip(SHAPE).state_dict())


class Nested(nn.Module):
    """A module with exactly the given dotted parameters: the published archives have this form."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        heads = {name.split(".")[0] for name in tensors if "." in name}
        for head in heads:
            inside = {name.split(".", 1)[1]: tensor for name, tensor in tensors.items() if name.startswith(head + ".")}
            self.add_module(head, Nested(inside))
        for name, tensor in tensors.items():
            if "." not in name:
                self.register_buffer(name, tensor)

    def forward(self, x: Tensor) -> Tensor:
        return x


def save_archive(tensors: dict[str, Tensor], path: Path) -> None:
    torch.jit.save(torch.jit.trace(Nested(tensors), torch.ones(1)), path)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_openai_archives_are_read_without_running_them(state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "ViT-B-32.pt"
    halves = {name: tensor.half() for name, tensor in state.items()}
    save_archive(from_clip(halves, "openai"), path)
    assert is_torchscript(path)
    found = read_torchscript(path)
    expected = dict(torch.jit.load(path).state_dict())
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) and found[name].dtype == expected[name].dtype for name in found)
    loaded = load(path)
    assert loaded.model.shape == SHAPE
    assert loaded.model.logit_scale.dtype == torch.float32
    assert any("quickgelu was assumed" in note for note in loaded.notes)
    assert any("hash is none that OpenAI published" in note for note in loaded.notes)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
def test_strided_and_shared_tensors_of_an_archive(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    save_archive(
        {"a": base, "b.c": base.T, "b.d": base[1:, ::2], "e": torch.tensor(7), "f": torch.zeros(0, 3)},
        tmp_path / "x.pt",
    )
    found = read_torchscript(tmp_path / "x.pt")
    assert torch.equal(found["b.c"], base.T)
    assert torch.equal(found["b.d"], base[1:, ::2])
    assert found["e"] == 7
    assert found["f"].shape == (0, 3)


class Evil:
    """Runs a command when it is unpickled: the classic attack."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def fake_archive(path: Path, root: bytes, *, extra: dict[str, bytes] | None = None) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entries = {"archive/data.pkl": root, "archive/constants.pkl": pickle.dumps(()), **(extra or {})}
        for name, content in entries.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("kind", ["archive", "pickle", "zip pickle", "safetensors"])
def test_malicious_files_are_refused_and_not_run(kind: str, tmp_path: Path) -> None:
    marker, path = tmp_path / "was-run", tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pt")
    evil = {"visual.conv1.weight": torch.zeros(1), "x": Evil(marker)}
    if kind == "archive":
        fake_archive(path, pickle.dumps(evil["x"], protocol=2))
    elif kind == "zip pickle":
        torch.save(evil, path)
    else:
        path.write_bytes(pickle.dumps(evil["x"], protocol=2) + b"\0" * 20)
    with pytest.raises(BenchError) as error:
        load(path)
    assert not marker.exists()
    expected = {"archive": "asks to run posix.mkdir|nt.mkdir", "safetensors": "it is a pickle under another name"}
    assert error.match(expected.get(kind, "was not run|holds more than tensors|no weights file"))


@pytest.mark.parametrize("asked", [b"cbuiltins\neval\n.", b"cos\nsystem\n.", b"ctorch._utils\n_rebuild_parameter\n.",
                                   b"ctorch\nload\n.", b"ctorch.jit._pickle\nrestore_type_tag\n."])  # fmt: skip
def test_archives_may_name_tensors_only(asked: bytes, tmp_path: Path) -> None:
    fake_archive(tmp_path / "w.pt", asked)
    with pytest.raises(BenchError, match="asks to run .* It was not run"):
        read_torchscript(tmp_path / "w.pt")


def tensor_pickle(numel: int, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A root object with one tensor `w`, written opcode by opcode as torch does."""
    numbers = lambda values: b"(" + b"".join(b"J" + value.to_bytes(4, "little", signed=True) for value in values) + b"t"
    text = lambda value: b"X" + len(value).to_bytes(4, "little") + value
    storage = (
        b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"0") + text(b"cpu") + numbers([numel])[1:-1] + b"tQ"
    )
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + numbers([offset])[1:-1] + numbers(size) + numbers(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip
    return b"\x80\x02c__torch__\nM\n)\x81}(" + text(b"w") + tensor + b"ub."


def test_tensors_stay_inside_their_storage(tmp_path: Path) -> None:
    path, data = tmp_path / "w.pt", {"archive/data/0": bytes(16)}
    fake_archive(path, tensor_pickle(4, (2, 2), (2, 1)), extra=data)
    assert read_torchscript(path)["w"].shape == (2, 2)
    for size, stride, offset in [
        ((2, 2), (4, 1), 0),
        ((2,), (1,), 3),
        ((1000,), (0,), 0),
        ((2,), (1,), -1),
        ((2,), (-1,), 1),
    ]:
        fake_archive(path, tensor_pickle(4, size, stride, offset), extra=data)
        with pytest.raises(BenchError, match="does not fit its storage"):
            read_torchscript(path)
    fake_archive(path, tensor_pickle(5, (2, 2), (2, 1)), extra=data)
    with pytest.raises(BenchError, match="storage '0' of the weights file has the wrong length"):
        read_torchscript(path)


@pytest.mark.parametrize("layout", ["open_clip", "open_clip_text", "transformers"])
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_every_layout_and_format_gives_the_same_model(
    layout: str, suffix: str, state: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / f"weights{suffix}"
    written = from_clip(state, layout)  # type: ignore[arg-type]
    save_file(written, path) if suffix == ".safetensors" else torch.save(written, path)
    loaded = load(path)
    assert loaded.sha256 == sha256_of(path)
    assert loaded.model.shape.activation == ("quickgelu" if layout == "transformers" else "gelu")
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.model.state_dict().items())
    assert not loaded.model.training
    assert load(path, activation="quickgelu").model.shape.activation == "quickgelu"
    assert "assumed" not in " ".join(note for note in load(path, activation="gelu").notes if "activation" in note)


def test_training_checkpoints_are_unwrapped(state: dict[str, Tensor], tmp_path: Path) -> None:
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
    torch.save(wrapped, tmp_path / "epoch_3.pt")
    assert load(tmp_path / "epoch_3.pt").model.shape == replace(SHAPE, activation="gelu")


def test_configuration_beside_the_file_is_used(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "open_clip_model.safetensors")
    model = {"quick_gelu": True, "vision_cfg": {"width": 64, "head_width": 32}, "text_cfg": {"heads": 2}}
    pixels = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    config = tmp_path / "open_clip_config.json"
    config.write_text(json.dumps({"model_cfg": model, "preprocess_cfg": pixels}))
    loaded = load(tmp_path / "open_clip_model.safetensors")
    shape = loaded.model.shape
    assert (shape.activation, shape.vision.heads, shape.text.heads) == ("quickgelu", 2, 2)
    assert loaded.preprocess == Preprocess(32, (0.5,) * 3, (0.25,) * 3, "bilinear", "squash")
    assert loaded.notes == ()
    config.write_text(json.dumps({"model_cfg": {**model, "vision_cfg": {"pool_type": "avg"}}}))
    with pytest.raises(BenchError, match=r"vision_cfg.pool_type='avg', which this architecture lacks"):
        load(tmp_path / "open_clip_model.safetensors")
    config.write_text("{")
    with pytest.raises(BenchError, match="cannot be read as JSON"):
        load(tmp_path / "open_clip_model.safetensors")


def test_hugging_face_configuration_is_used(state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(from_clip(state, "transformers"), path)
    tower = {"hidden_act": "gelu", "num_attention_heads": 2}
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "clip", "vision_config": tower, "text_config": tower})
    )
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.1] * 3, "image_std": [1] * 3, "resample": 2})
    )
    loaded = load(path)
    assert (loaded.model.shape.activation, loaded.model.shape.vision.heads) == ("gelu", 2)
    assert (loaded.preprocess.mean, loaded.preprocess.interpolation) == ((0.1,) * 3, "bilinear")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "siglip"}))
    with pytest.raises(BenchError, match="model_type 'siglip', not 'clip'. Use model=transformers"):
        load(path)


def test_damaged_files_have_one_clear_error_each(state: dict[str, Tensor], tmp_path: Path) -> None:
    good, pickled = tmp_path / "good.safetensors", tmp_path / "good.pt"
    save_file(state, good)
    torch.save(state, pickled)

    def refused(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BenchError) as error:
            load(tmp_path / name)
        return str(error.value)

    assert "damaged or cut short" in refused("cut.safetensors", good.read_bytes()[:-1000])
    assert "damaged or cut short" in refused(
        "noise.safetensors", os.urandom(64).replace(b"\x80", b"x").replace(b"PK", b"xx")
    )
    assert "pickle under another name" in refused("posing.safetensors", pickled.read_bytes())
    assert "damaged" in refused("cut.pt", pickled.read_bytes()[:-5000])
    assert "damaged" in refused("noise.pt", b"hello, this is a text file and no weights")
    assert "empty or cut short (0 bytes)" in refused("empty.pt", b"")
    content = io.BytesIO()
    torch.save([torch.zeros(1)], content)
    assert "holds a list, not named tensors" in refused("list.pt", content.getvalue())
    with pytest.raises(BenchError, match=r"there is no weights file .*nowhere.pt.*allowed: .safetensors"):
        load(tmp_path / "nowhere.pt")
    with pytest.raises(BenchError, match="is a folder. Name the weights file in it"):
        load(tmp_path)


def test_tensors_that_do_not_fit_are_named(state: dict[str, Tensor], tmp_path: Path) -> None:
    def refused(changed: dict[str, Tensor]) -> str:
        save_file(changed, tmp_path / "w.safetensors")
        with pytest.raises(BenchError) as error:
            load(tmp_path / "w.safetensors")
        return str(error.value)

    bad = state["ln_final.weight"].clone()
    bad[3] = float("nan")
    assert "'ln_final.weight' of the weights holds NaN" in refused({**state, "ln_final.weight": bad})
    bad[3] = float("inf")
    assert "'ln_final.weight' of the weights holds NaN or infinity" in refused({**state, "ln_final.weight": bad})
    large = state["ln_final.weight"].to(torch.float64)
    large[3] = 1e300  # finite where it stands, and not in the float32 that is computed in
    assert "'ln_final.weight' of the weights holds NaN or infinity" in refused({**state, "ln_final.weight": large})
    assert "'ln_final.bias' has shape (5,), but (64,) is needed" in refused({**state, "ln_final.bias": torch.zeros(5)})
    assert "no place for: visual.extra" in refused({**state, "visual.extra": torch.zeros(5)})
    without = {name: tensor for name, tensor in state.items() if name != "visual.ln_pre.bias"}
    assert "lack 1 tensors, among them visual.ln_pre.bias" in refused(without)
    assert "know 100 tokens" in refused({**state, "token_embedding.weight": torch.zeros(100, 64)})
    assert "not CLIP weights" in refused({"layer.weight": torch.zeros(2)})


def test_numbers_whose_sum_is_too_large_are_finite_all_the_same(state: dict[str, Tensor], tmp_path: Path) -> None:
    bias = torch.full_like(state["ln_final.bias"], 3e38)
    assert bias.sum().isinf()
    save_file({**state, "ln_final.bias": bias}, tmp_path / "w.safetensors")
    assert torch.equal(load(tmp_path / "w.safetensors").model.ln_final.bias, bias)


def test_reading_gives_the_files_own_precision(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file({name: tensor.half() for name, tensor in state.items()}, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors")["logit_scale"].dtype == torch.float16
