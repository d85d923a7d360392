"""Tensors out of a torch archive, without running anything that is in it.

OpenAI released CLIP as TorchScript zips and DALL-E's VAE as pickled modules: `*/data.pkl` holds the tree of modules,
`*/data/N` the raw bytes of a tensor. `torch.jit.load` would compile the code in the archive, and a plain unpickle would
run whatever the pickle asks for. Here the pickle may only name tensors, storages, ordered dictionaries and typed lists;
script modules (and, for `read_modules`, modules of named packages) become plain attribute holders; everything else is
refused before it is looked up. The unpickler is the one in Python: that in C makes room for any place of its memo that
a file names, so that nine bytes can take 32 GB.
"""

import io
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.errors import BenchError, reading
from bench.unpacking import entry_bytes

STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
TYPED_LISTS = {"build_intlist", "build_tensorlist", "build_doublelist", "build_boollist"}


class Holder:
    """Stands for any module class of the archive: its attributes, and no behaviour."""


class Entries:
    """The entries of a torch archive: what is read of them is never more than the file holds.

    PyTorch compresses nothing but the code of TorchScript, which is not read. More is a decompression bomb.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self.archive, self.path, self.left = archive, path, path.stat().st_size

    def take(self, entry: zipfile.ZipInfo) -> None:
        """Count an entry. BenchError once they are more than the file can hold."""
        self.left -= entry.file_size
        if self.left < 0:
            raise BenchError(
                f"{self.path} would unpack to more than its {self.path.stat().st_size:,} bytes, but PyTorch writes "
                "tensors uncompressed: a decompression bomb, or packed again by another program. Do not trust this "
                "file; get the weights from their publisher."
            )

    def read(self, name: str) -> bytes:
        self.take(self.archive.getinfo(name))
        return entry_bytes(self.archive, name)


def check_entries(path: Path) -> None:
    """BenchError if the file is a zip whose entries hold more than itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = Entries(archive, path)
            for entry in archive.infolist():
                entries.take(entry)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise BenchError(f"{path} is damaged or no torch archive ({error}).") from error


def is_torchscript(path: Path) -> bool:
    """Whether the file is a zip that carries TorchScript code beside its data."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except Exception:  # no zip, or a broken one, which may raise nearly anything
        return False


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Every tensor of the archive by its dotted name. BenchError if the archive asks for anything but tensors."""
    found: dict[str, Tensor] = {}
    try:
        _collect(_tree(path, TensorUnpickler), "", found)
    except RecursionError as error:
        raise BenchError(f"{path} holds modules that hold themselves; it is damaged.") from error
    return found


def read_modules(path: Path, packages: tuple[str, ...]) -> dict[str, Tensor]:
    """Every parameter and buffer of a module, or tensor of a dictionary, that `torch.save` wrote (torch 1.6 and later).

    Classes of `packages` (dotted prefixes) may be named; none is imported. BenchError as above.
    """

    class Reader(ModuleUnpickler):
        known = packages

    found: dict[str, Tensor] = {}
    with reading(path, "modules or named tensors"):
        _collect_module(_tree(path, Reader), "", found)
    if not found:
        raise BenchError(f"{path} holds neither a module nor a dictionary of tensors.")
    return found


def _tree(path: Path, unpickler: type["TensorUnpickler"]) -> Any:
    """The root object of the archive's pickle."""
    try:
        with zipfile.ZipFile(path) as archive:
            root = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            if root is None:
                raise BenchError(f"{path} is a zip without a data.pkl: no torch archive.")
            prefix = root.removesuffix("data.pkl")
            entries = Entries(archive, path)
            if prefix + "byteorder" in archive.namelist() and entries.read(prefix + "byteorder") != b"little":
                raise BenchError(f"{path} was written on a big-endian machine, which this reader lacks.")
            return unpickler(entries, prefix).load()
    except BenchError:
        raise
    except Exception as error:  # a broken pickle can raise nearly anything
        raise BenchError(f"{path} is damaged or no torch archive ({type(error).__name__}: {error}).") from error


def _collect_module(node: Any, name: str, found: dict[str, Tensor]) -> None:
    inner = node if isinstance(node, dict) else vars(node) if isinstance(node, Holder) else {}
    if isinstance(node, Holder):
        inner = {**(inner.get("_parameters") or {}), **(inner.get("_buffers") or {}), **(inner.get("_modules") or {})}
    for key, value in inner.items():
        if isinstance(value, Tensor):
            found[f"{name}{key}"] = value
        else:
            _collect_module(value, f"{name}{key}.", found)


def _collect(node: Any, name: str, found: dict[str, Tensor]) -> None:
    for key, value in getattr(node, "__dict__", {}).items():
        if isinstance(value, Tensor):
            found[name + key] = value
        elif isinstance(value, Holder):
            _collect(value, f"{name}{key}.", found)


class TensorUnpickler(pickle._Unpickler):
    """An unpickler that can make tensors and nothing else."""

    def __init__(self, entries: Entries, prefix: str) -> None:
        super().__init__(io.BytesIO(entries.read(prefix + "data.pkl")))
        self.entries, self.prefix = entries, prefix
        self.storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The few things a pickle may name; a refusal says what was asked for."""
        if module.startswith("__torch__"):
            return Holder
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module == "torch.jit._pickle" and name in TYPED_LISTS:
            return list
        raise BenchError(
            f"the weights file asks to run {module}.{name}, which no model needs. It was not run. "
            "Do not trust this file; get the weights from their publisher."
        )

    def persistent_load(self, pid: Any) -> Tensor:
        """The flat storage that `('storage', dtype, key, place, length)` refers to."""
        _, dtype, key, _, length = pid
        if key not in self.storages:
            raw = bytearray(self.entries.read(f"{self.prefix}data/{key}"))
            if not isinstance(dtype, torch.dtype) or len(raw) != length * dtype.itemsize:
                raise BenchError(f"tensor storage {key!r} of the weights file has the wrong length; it is damaged.")
            self.storages[key] = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        return self.storages[key]


class ModuleUnpickler(TensorUnpickler):
    """Also takes modules of known packages as holders, and the few harmless things that `torch.save` writes of them."""

    known: tuple[str, ...] = ()

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(tuple(f"{package}." for package in self.known)):
            return Holder
        if (module, name) in (("torch._utils", "_rebuild_parameter"), ("torch", "device")):
            return _first
        if (module, name) in (("builtins", "set"), ("__builtin__", "set")):
            return set
        return super().find_class(module, name)


def _first(first: Any, *_: Any) -> Any:
    """What is wrapped: the tensor of a parameter, the name of a device."""
    return first


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    count = math.prod(size)
    if count == 0:
        return torch.empty(size, dtype=storage.dtype)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if min((offset, *stride, *size)) < 0 or max(last + 1, count) > storage.numel():
        raise BenchError(f"a tensor of shape {size} does not fit its storage of {storage.numel()}; the file is bad.")
    return torch.as_strided(storage, size, stride, offset)
