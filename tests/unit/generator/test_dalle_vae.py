"""The discrete VAE and its converter: published names and sizes, an independent forward pass, no pickle run."""

from __future__ import annotations

import math
import pickle
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy import integrate
from torch import Tensor, nn

from bench.errors import BenchError
from bench.generator.dalle.convert import convert, flava_names, load_halves, openai_names, read_half
from bench.generator.dalle.vae import Decoder, Encoder, Vae, VaeShape, logit_laplace, map_pixels, unmap_pixels

TINY = VaeShape(width=8, blocks=2, vocab=11, start=6)


def made(kind: type[nn.Module], shape: VaeShape, seed: int = 0) -> nn.Module:
    """Random weights and biases."""
    torch.manual_seed(seed)
    model = kind(shape)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.normal_(std=0.1)
    return model.eval()


def reference(tensors: dict[str, Tensor], x: Tensor, half: str) -> Tensor:
    """The published forward pass, written again from its description with nothing but numpy-like calls."""

    def conv(name: str, x: Tensor) -> Tensor:
        w, b = tensors[f"{name}.w"], tensors[f"{name}.b"]
        n, _, height, width = x.shape
        patches = nn.functional.unfold(x, w.shape[2:], padding=w.shape[2] // 2)
        return (w.flatten(1) @ patches + b[:, None]).view(n, len(w), height, width)

    blocks = len({name.split(".")[2] for name in tensors if ".group_1.block_" in name})
    x = conv("blocks.input", x)
    for group in range(1, 5):
        for block in range(1, blocks + 1):
            name = f"blocks.group_{group}.block_{block}"
            path = x
            for number in range(1, 5):
                path = conv(f"{name}.res_path.conv_{number}", torch.clamp(path, min=0))
            skip = conv(f"{name}.id_path", x) if f"{name}.id_path.w" in tensors else x
            x = skip + path / (4 * blocks) ** 2
        if group < 4 and half == "encoder":
            n, c, height, width = x.shape
            x = x.view(n, c, height // 2, 2, width // 2, 2).amax((3, 5))
        elif group < 4:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return conv("blocks.output.conv", torch.clamp(x, min=0))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A stand-in for OpenAI's package: modules of its class names, with the attributes that get pickled too."""
    package, names = types.ModuleType("dall_e"), ("encoder", "decoder", "utils")
    monkeypatch.setitem(sys.modules, "dall_e", package)
    for name in names:
        monkeypatch.setitem(sys.modules, f"dall_e.{name}", types.ModuleType(f"dall_e.{name}"))

    def module(where: str, name: str) -> type[nn.Module]:
        found = type(name, (nn.Module,), {"__module__": f"dall_e.{where}"})
        setattr(sys.modules[f"dall_e.{where}"], name, found)
        return found

    package.conv, package.block = module("utils", "Conv2d"), module("encoder", "EncoderBlock")  # type: ignore[attr-defined]
    package.whole = {"encoder": module("encoder", "Encoder"), "decoder": module("decoder", "Decoder")}  # type: ignore[attr-defined]
    return package


def as_published(package: types.ModuleType, half: str, tensors: dict[str, Tensor]) -> nn.Module:
    """The tree of modules whose state is these tensors, in the stand-in's classes."""
    root = package.whole[half]()
    root.device, root.group_count, root.use_mixed_precision = torch.device("cpu"), 4, True
    for name, tensor in tensors.items():
        node = root
        *path, leaf = name.split(".")
        for part in path:
            if part not in dict(node.named_children()):
                kind = package.conv if part.startswith(("conv", "input", "id_path")) else nn.Sequential
                node.add_module(part, package.block() if part.startswith("block_") else kind())
            node = node.get_submodule(part)
        node.register_parameter(leaf, nn.Parameter(tensor))
    return root


@pytest.mark.parametrize(("kind", "half"), [(Encoder, "encoder"), (Decoder, "decoder")])
def test_forward_agrees_with_the_published_description(kind: type[nn.Module], half: str) -> None:
    model = made(kind, TINY).double()
    x = torch.randn(2, 3, 16, 24).double() if half == "encoder" else torch.rand(2, TINY.vocab, 2, 3).double()
    with torch.no_grad():
        model_out, wanted = model(x), reference(model.state_dict(), x, half)
    # the constructor's gain is 1/64 = 1/(4 groups x 2 blocks)^2
    assert torch.allclose(model_out, wanted, atol=1e-10)
    assert model_out.shape == ((2, TINY.vocab, 2, 3) if half == "encoder" else (2, 6, 16, 24))


@pytest.mark.parametrize(
    ("kind", "tensors", "weights"), [(Encoder, 74, 53_786_240), (Decoder, 76, 43_829_766)]
)  # fmt: skip
def test_published_size_and_names(kind: type[nn.Module], tensors: int, weights: int) -> None:
    with torch.device("meta"):
        state = kind(VaeShape()).state_dict()
    assert (len(state), sum(one.numel() for one in state.values())) == (tensors, weights)
    id_paths = sorted(name for name in state if name.endswith("id_path.w"))
    first = 2 if kind is Encoder else 1
    assert id_paths == [f"blocks.group_{group}.block_1.id_path.w" for group in range(first, 5)]
    kernels = [state[f"blocks.group_1.block_1.res_path.conv_{n}.w"].shape[-1] for n in range(1, 5)]
    assert kernels == ([3, 3, 3, 1] if kind is Encoder else [1, 3, 3, 3])
    assert state["blocks.input.w"].shape == ((256, 3, 7, 7) if kind is Encoder else (128, 8192, 1, 1))


def round_trip(published: types.ModuleType, folder: Path, shape: VaeShape) -> None:
    """Archive of modules -> safetensors -> modules, and FLAVA's spelling -> the same encoder."""
    halves = {"encoder": made(Encoder, shape, 1), "decoder": made(Decoder, shape, 2)}
    for half, model in halves.items():
        torch.save(as_published(published, half, model.state_dict()), folder / f"{half}.pkl")
    weights = convert(folder / "out", encoder=folder / "encoder.pkl", decoder=folder / "decoder.pkl")
    encoder, decoder = load_halves(weights)
    assert encoder is not None
    assert decoder is not None
    x, soft = torch.rand(1, 3, 16, 16), torch.rand(1, shape.vocab, 2, 2).softmax(1)
    with torch.no_grad():
        for half, found, given in (("encoder", encoder, x), ("decoder", decoder, soft)):
            model = halves[half]
            assert all(torch.equal(one, model.state_dict()[name]) for name, one in found.state_dict().items())
            wanted = reference(model.state_dict(), given, half)
            assert torch.allclose(found(given), wanted, atol=1e-4 * float(wanted.abs().max()))
    flava = {f"image_codebook.{name}": one for name, one in flava_names(halves["encoder"].state_dict()).items()}
    save_file(flava | {"text_model.x": torch.zeros(1)}, folder / "flava.safetensors")
    alone, nothing = load_halves(convert(folder / "flava", encoder=folder / "flava.safetensors"))
    assert nothing is None
    assert alone is not None
    with torch.no_grad():
        assert torch.equal(alone(x), encoder(x))


def test_converter_round_trip(published: types.ModuleType, tmp_path: Path) -> None:
    round_trip(published, tmp_path, TINY)


@pytest.mark.slow
def test_converter_round_trip_at_true_size(published: types.ModuleType, tmp_path: Path) -> None:
    round_trip(published, tmp_path, VaeShape())


def test_flava_names() -> None:
    name = "blocks.group_1.block_2.res_path.conv_3.w"
    spelled = flava_names({name: torch.zeros(1), "blocks.input.b": torch.zeros(1)})
    assert set(spelled) == {"blocks.group_1.group.block_2.res_path.path.conv_3.weight", "blocks.input.bias"}
    assert set(openai_names(spelled)) == {name, "blocks.input.b"}


class Evil:
    """What a hostile file would have run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("__import__('pathlib').Path('ran').touch()",)


@pytest.mark.parametrize("inside", [False, True])
def test_a_hostile_archive_is_refused_and_nothing_runs(
    published: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    root = as_published(published, "encoder", made(Encoder, TINY).state_dict())
    root.evil = Evil()  # type: ignore[assignment]
    torch.save(root if inside else Evil(), "evil.pkl")
    with pytest.raises(BenchError, match="asks to run __builtin__.eval"):
        read_half(Path("evil.pkl"))
    assert not Path("ran").exists()


def test_other_files_have_one_clear_error_each(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="is no file"):
        read_half(tmp_path / "none.pkl")
    (tmp_path / "old.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(BenchError, match="no torch archive"):
        read_half(tmp_path / "old.pkl")
    with zipfile.ZipFile(tmp_path / "zip.pkl", "w") as archive:
        archive.writestr("a/b", b"")
    with pytest.raises(BenchError, match=r"without a data\.pkl"):
        read_half(tmp_path / "zip.pkl")
    save_file({"blocks.other.w": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BenchError, match="no discrete VAE"):
        convert(tmp_path, encoder=tmp_path / "other.safetensors")
    state = made(Encoder, TINY).state_dict()
    save_file({name: one for name, one in state.items() if "conv_2" not in name}, tmp_path / "part.safetensors")
    with pytest.raises(BenchError, match="do not make a discrete VAE's encoder"):
        convert(tmp_path, encoder=tmp_path / "part.safetensors")
    with pytest.raises(BenchError, match="Nothing to convert"):
        convert(tmp_path)


def test_logit_laplace_is_a_density() -> None:
    mean, log_scale = 0.4, -0.5
    output = torch.tensor([mean] * 3 + [log_scale] * 3).view(1, 6, 1, 1)

    def density(x: float) -> float:
        return math.exp(float(logit_laplace(torch.full((1, 3, 1, 1), x, dtype=torch.float64), output)[0, 0]))

    assert integrate.quad(density, 0, 1, points=[1 / (1 + math.exp(-mean))])[0] == pytest.approx(1, abs=1e-5)


def test_pixels_are_mapped_and_back() -> None:
    pixels = torch.linspace(0, 1, 7)
    assert torch.allclose(map_pixels(pixels), 0.8 * pixels + 0.1)
    assert torch.allclose(unmap_pixels(map_pixels(pixels)), pixels, atol=1e-6)
    assert unmap_pixels(torch.tensor([0.0, 1.0])).tolist() == [0, 1]


def test_codes_and_decoding() -> None:
    torch.manual_seed(0)
    vae = Vae(TINY).eval()
    pixels = torch.rand(2, 3, 16, 16)
    codes = vae.encode(pixels)
    assert codes.shape == (2, 2, 2)
    assert torch.equal(codes, vae.encoder(map_pixels(pixels)).argmax(1))
    one_hot = torch.eye(TINY.vocab)[codes].permute(0, 3, 1, 2)
    wanted = ((torch.sigmoid(vae.decoder(one_hot)[:, :3]) - 0.1) / 0.8).clamp(0, 1)
    assert torch.allclose(vae.decode(codes), wanted)


def test_loss_is_the_bound_per_pixel_value() -> None:
    torch.manual_seed(0)
    vae, pixels = Vae(TINY), torch.rand(2, 3, 16, 16)
    torch.manual_seed(1)
    loss = vae.loss(pixels, temperature=0.7, kl_weight=6.6)
    q = vae.encoder(map_pixels(pixels)).softmax(1).detach().numpy()
    kl = (q * (np.log(q) - math.log(1 / TINY.vocab))).sum((1, 2, 3)).mean()
    assert float(loss.kl.detach()) == pytest.approx(kl, rel=1e-4)
    total = loss.likelihood + 6.6 * loss.kl / (3 * 16 * 16)
    assert torch.allclose(loss.total, total)
    loss.total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in vae.parameters())
