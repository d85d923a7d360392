"""OpenAI's discrete VAE without its pickles: two archives of modules in, one safetensors file with hashes out.

    python -m bench.generator.dalle.convert --encoder encoder.pkl --decoder decoder.pkl --out FOLDER

The published `encoder.pkl` and `decoder.pkl` are whole pickled modules: loading them as meant runs whatever they name,
needs OpenAI's package, and fails on torch 1.11 and later. Here the archive is read by `bench.archive`, whose unpickler
can make tensors and nothing else. FLAVA (Hugging Face) ships the encoder alone, as safetensors or a state dict under
names of its own (`.weight` for `.w`, `group_1.group.` for `group_1.`); both spellings load.

OpenAI's licence (modified MIT) asks users to say that they use its VAE.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from bench.archive import read_modules
from bench.errors import BenchError, reading
from bench.generator.dalle.vae import Decoder, Encoder, VaeShape
from bench.store import atomic, checksum

PACKAGES = ("dall_e", "torch.nn.modules")
"""Whose classes a published archive names."""
WEIGHTS, CARD = "vae.safetensors", "vae.json"
FLAVA = "image_codebook."
Half = TypeVar("Half", Encoder, Decoder)


def read_half(path: Path) -> dict[str, Tensor]:
    """Tensors of an encoder or decoder under OpenAI's names, from an archive of modules, a state dict or safetensors.

    Raises:
        BenchError: missing, damaged, or asking for more than tensors.
    """
    if not path.is_file():
        raise BenchError(f"{path} is no file. Give OpenAI's encoder.pkl or decoder.pkl, or FLAVA's safetensors.")
    if path.suffix == ".safetensors":
        return openai_names(_safetensors(path))
    return openai_names(read_modules(path, PACKAGES))


def openai_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Either spelling -> `blocks.group_1.block_1.res_path.conv_1.w`; other parts of a FLAVA checkpoint are left out."""
    if any(name.startswith(FLAVA) for name in tensors):
        tensors = {name.removeprefix(FLAVA): one for name, one in tensors.items() if name.startswith(FLAVA)}
    found = {}
    for name, tensor in tensors.items():
        short = name.replace(".group.block_", ".block_").replace(".res_path.path.", ".res_path.")
        for long, letter in ((".weight", ".w"), (".bias", ".b")):
            short = short.removesuffix(long) + letter if short.endswith(long) else short
        found[short] = tensor
    return {name: tensor for name, tensor in found.items() if name.startswith("blocks.")}


def flava_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """OpenAI's spelling -> FLAVA's."""
    found = {}
    for name, tensor in tensors.items():
        long = name.replace(".block_", ".group.block_").replace(".res_path.", ".res_path.path.")
        found[long.removesuffix(".w") + ".weight" if long.endswith(".w") else long.removesuffix(".b") + ".bias"] = (
            tensor
        )
    return found


def encoder_from(tensors: dict[str, Tensor]) -> Encoder:
    """The encoder of these tensors; its sizes are read from them."""
    shape = VaeShape(
        width=_size(tensors, "input", 0), blocks=_blocks(tensors), vocab=_size(tensors, "output.conv", 0),
        gain=_gain(tensors),
    )  # fmt: skip
    return _filled(Encoder, shape, tensors)


def decoder_from(tensors: dict[str, Tensor]) -> Decoder:
    """The decoder of these tensors; its sizes are read from them."""
    shape = VaeShape(
        width=_size(tensors, "output.conv", 1), blocks=_blocks(tensors), vocab=_size(tensors, "input", 1),
        start=_size(tensors, "input", 0), gain=_gain(tensors),
    )  # fmt: skip
    return _filled(Decoder, shape, tensors)


def convert(out: Path, *, encoder: Path | None = None, decoder: Path | None = None) -> Path:
    """Write the halves as one safetensors file, and a card with SHA-256 of all files; the path of the weights.

    Raises:
        BenchError: nothing given, or what was given is no such model.
    """
    from safetensors.torch import save_file

    given = {name: path for name, path in (("encoder", encoder), ("decoder", decoder)) if path is not None}
    if not given:
        raise BenchError("Nothing to convert: give an encoder, a decoder or both.")
    tensors: dict[str, Tensor] = {}
    for half, path in given.items():
        found = read_half(path)
        (encoder_from if half == "encoder" else decoder_from)(found)  # a wrong file is refused here
        tensors |= {f"{half}.{name}": one.contiguous().clone() for name, one in found.items()}
    out.mkdir(parents=True, exist_ok=True)
    atomic(out / WEIGHTS, lambda path: save_file(tensors, path))
    card = {
        "source": {half: {"file": path.name, "sha256": checksum(path)} for half, path in given.items()},
        "weights": checksum(out / WEIGHTS),
        "tensors": {half: sum(name.startswith(half) for name in tensors) for half in given},
        "notes": "OpenAI's discrete VAE (modified MIT licence: say that you use it).",
    }
    atomic(out / CARD, lambda path: path.write_text(json.dumps(card, indent=2) + "\n"))
    return out / WEIGHTS


def load_halves(path: Path) -> tuple[Encoder | None, Decoder | None]:
    """What `convert` wrote."""
    tensors = _safetensors(path)
    halves = {half: {name.removeprefix(f"{half}."): one for name, one in tensors.items() if name.startswith(f"{half}.")}
              for half in ("encoder", "decoder")}  # fmt: skip
    return (encoder_from(halves["encoder"]) if halves["encoder"] else None,
            decoder_from(halves["decoder"]) if halves["decoder"] else None)  # fmt: skip


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with reading(path, "safetensors", also=(SafetensorError,)):
        return load_file(path)


def _size(tensors: dict[str, Tensor], layer: str, axis: int) -> int:
    name = f"blocks.{layer}.w"
    if name not in tensors or tensors[name].ndim != 4:
        raise BenchError(f"no convolution {name} among {len(tensors)} tensors: this is no discrete VAE of DALL-E.")
    return int(tensors[name].shape[axis])


def _blocks(tensors: dict[str, Tensor]) -> int:
    return len({name.split(".")[2] for name in tensors if name.startswith("blocks.group_1.block_")})


def _gain(tensors: dict[str, Tensor]) -> float:
    """As published, 1 / layers ^ 2; no tensor says it."""
    return 1 / (4 * max(_blocks(tensors), 1)) ** 2


def _filled(kind: type[Half], shape: VaeShape, tensors: dict[str, Tensor]) -> Half:
    with torch.device("meta"):
        half = kind(shape)
    try:
        half.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise BenchError(f"the tensors do not make a discrete VAE's {kind.__name__.lower()}: {error}") from error
    return half.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="OpenAI's or FLAVA's discrete VAE as safetensors, nothing run.")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--decoder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    print(convert(given.out, encoder=given.encoder, decoder=given.decoder))


if __name__ == "__main__":
    main()
