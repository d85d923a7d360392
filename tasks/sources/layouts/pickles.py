"""A reader of pickles that can only build arrays and plain values.

CIFAR's batches are pickles, and a pickle is a program. This unpickler knows the names by which NumPy rebuilds an array
and no other, so a batch that asks for anything else is refused before it runs. What stands for those names is ours:
NumPy's own take a damaged description at its word, and the process down with it (found by fuzzing NumPy 2.5). And it is
the unpickler in Python: that in C makes room for any place of its memo that a file names, so that nine bytes can take
32 GB.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, reading

PLAIN = re.compile(r"[biuf]\d+")
"""Types of numbers, as NumPy writes them: letter and bytes."""


class _Kind:
    """Stands for `numpy.dtype`."""

    def __init__(self, name: str, *_: Any) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.order = str(state[1])

    def dtype(self) -> np.dtype[Any]:
        if not PLAIN.fullmatch(self.name):
            raise ValueError(f"an array of {self.name!r}, which are no plain numbers")
        return np.dtype(self.order.replace("|", "=") + self.name)


class _Array:
    """Stands for `numpy.ndarray`, which is made empty and then told what it holds."""

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, by_column, data = state
        self.values = _filled(data, kind, shape, "F" if by_column else "C")


def _filled(data: str | bytes, kind: _Kind, shape: Sequence[int], order: Any) -> np.ndarray:
    """The array of this shape in these bytes, which Python 2 wrote as text."""
    content = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, kind.dtype())
    if min(shape, default=0) < 0 or math.prod(shape) != len(content):
        raise ValueError(f"{len(content):,} numbers for an array of shape {tuple(shape)}")
    return content.reshape(shape, order=order)


def _encoded(text: str, how: str) -> bytes:
    if how != "latin1":
        raise ValueError(f"bytes written as {how!r}; NumPy writes latin1")
    return text.encode(how)


STAND_INS: dict[tuple[str, str], Any] = {
    ("multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numeric", "_frombuffer"): _filled,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encoded,
}


class ArrayUnpickler(pickle._Unpickler):
    """Refuses every global but those that rebuild a NumPy array (whatever NumPy calls its inner modules)."""

    def find_class(self, module: str, name: str) -> Any:
        last = module.rpartition(".")[2] if module.startswith(("numpy.core.", "numpy._core.")) else module
        if (last, name) not in STAND_INS:
            raise BenchError(
                f"The pickle asks for {module}.{name}. A data file holds arrays and nothing else; "
                "do not trust this file."
            )
        return STAND_INS[last, name]


def load(path: Path) -> Any:
    """The value in a pickle: plain, or a mapping to plain values and arrays. Byte strings of Python 2 become str.

    Raises:
        BenchError: a damaged file, or one that asks for anything but arrays.
    """
    with reading(path, "a pickle of arrays"):
        found = ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
        if not isinstance(found, dict):
            return found
        return {name: value.values if isinstance(value, _Array) else value for name, value in found.items()}
