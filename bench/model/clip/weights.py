"""A weights file of any kind -> named tensors, and those tensors -> a model, with one clear error for each way to fail.

Files are told by what they are, not by what they are called: a safetensors header, a zip, or an old pickle. Nothing
in a file is ever run: safetensors and `weights_only` cannot, and `archive` reads TorchScript zips by itself.
"""

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.archive import check_entries, is_torchscript, read_torchscript
from bench.errors import BenchError
from bench.model.clip.architecture import Clip
from bench.model.clip.shape import ClipShape

CHUNK = 1 << 22
NESTED = ("state_dict", "model", "model_state_dict")  # where training scripts keep the weights


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file. BenchError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BenchError(f"the weights file {path} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def check_file(path: Path) -> None:
    """BenchError unless this is a file that may hold weights."""
    if not path.exists():
        raise BenchError(f"there is no weights file {path}. Check model.path; allowed: .safetensors, .pt, .pth, .bin.")
    if path.is_dir():
        raise BenchError(f"{path} is a folder. Name the weights file in it: model.path=FILE.")
    if path.stat().st_size < 16:
        raise BenchError(f"{path} is empty or cut short ({path.stat().st_size} bytes). Fetch it again.")


def read_weights(path: Path) -> dict[str, Tensor]:
    """All named tensors of a file, on the CPU, in the file's precision."""
    check_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise BenchError(f"the weights file {path} cannot be read: {error.strerror or error}.") from error
    if head[8:9] == b"{" or path.suffix == ".safetensors":
        return _read_safetensors(path, head)
    if is_torchscript(path):
        return read_torchscript(path)
    if head[:2] == b"PK":
        check_entries(path)
    return _read_pickle(path)


def _read_safetensors(path: Path, head: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        if head[:1] == b"\x80" or head[:2] == b"PK":
            why = "it is a pickle under another name; rename it to .pt if you trust its source"
        else:
            why = f"it is damaged or cut short ({error}); fetch it again"
        raise BenchError(f"{path} cannot be read as safetensors: {why}.") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BenchError(
            f"{path} holds more than tensors, or is damaged. It was not run. ({_first_line(error)}) "
            "Only plain state dicts are read; ask the publisher for safetensors."
        ) from error
    except Exception as error:  # truncated zips raise RuntimeError, OSError, EOFError, KeyError ...
        raise BenchError(f"{path} is damaged, cut short or no weights file ({_first_line(error)}).") from error
    return _tensors(content, path)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    for key in NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise BenchError(f"{path} holds a {type(content).__name__}, not named tensors.")
    named = {str(name): tensor for name, tensor in content.items() if isinstance(tensor, Tensor)}
    if not named:
        raise BenchError(f"{path} holds no tensors. Found: {', '.join(map(str, list(content)[:5])) or 'nothing'}.")
    for name, tensor in named.items():
        _check_plain(name, tensor, path)
    if all(name.startswith("module.") for name in named):  # written from a distributed run
        named = {name.removeprefix("module."): tensor for name, tensor in named.items()}
    return named


def _check_plain(name: str, tensor: Tensor, path: Path) -> None:
    """Nothing sparse or quantised, nor few numbers that pose as many, by a stride of 0, until they are copied."""
    plain = tensor.layout is torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
    if not plain or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise BenchError(
            f"{path}: tensor {name!r} of shape {tuple(tensor.shape)} is sparse, quantised or larger than what is "
            "stored of it. Save plain tensors: {name: tensor.contiguous() ...}."
        )


def fill(shape: ClipShape, state: Mapping[str, Tensor]) -> Clip:
    """A float32 model, in evaluation mode, with these tensors (our names). BenchError if they do not fit it."""
    with torch.device("meta"):  # no time or memory for an initialisation that is overwritten
        model = Clip(shape)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    counters = {name: torch.zeros((), dtype=torch.int64) for name in expected if name.endswith("num_batches_tracked")}
    state = {**counters, **state}
    _check(expected, state)
    model.load_state_dict({name: _converted(name, tensor) for name, tensor in state.items()}, assign=True)
    return model.eval().requires_grad_(False)


def _converted(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    tensor = tensor.to(torch.float32)
    if not all_finite(tensor):
        raise BenchError(
            f"tensor {name!r} of the weights holds NaN or infinity; the file is damaged or training failed."
        )
    return tensor.contiguous()


def all_finite(tensor: Tensor) -> bool:
    """Whether all numbers are: where their sum is they are, and only where it is not does each need a look."""
    return bool(tensor.sum(dtype=torch.float32).isfinite()) or bool(tensor.isfinite().all())


def _check(expected: Mapping[str, tuple[int, ...]], state: Mapping[str, Tensor]) -> None:
    if extra := sorted(set(state) - set(expected)):
        raise BenchError(
            f"the weights hold {len(extra)} tensors that this architecture has no place for: {', '.join(extra[:3])}. "
            "Use model=open_clip or model=transformers for other families."
        )
    if missing := sorted(set(expected) - set(state)):
        raise BenchError(f"the weights lack {len(missing)} tensors, among them {', '.join(missing[:3])}.")
    for name, wanted in expected.items():
        if tuple(state[name].shape) != wanted:
            raise BenchError(f"tensor {name!r} has shape {tuple(state[name].shape)}, but {wanted} is needed.")
