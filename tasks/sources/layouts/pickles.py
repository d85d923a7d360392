"""A reader of pickles that can only build arrays and plain values.

CIFAR's batches are pickles, and a pickle is a program. This unpickler knows the four names by which NumPy rebuilds an
array and no other, so a batch that asks for anything else is refused before it runs. It is the one in Python: that in C
makes room for any place of its memo that a file names, so that nine bytes can take 32 GB.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, reading

ALLOWED = {
    ("multiarray", "_reconstruct"),
    ("numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class ArrayUnpickler(pickle._Unpickler):
    """Refuses every global but those that rebuild a NumPy array (whatever NumPy calls its inner modules)."""

    def find_class(self, module: str, name: str) -> Any:
        last = module.rpartition(".")[2] if module.startswith(("numpy.core.", "numpy._core.")) else module
        if (last, name) not in ALLOWED:
            raise BenchError(
                f"The pickle asks for {module}.{name}. A data file holds arrays and nothing else; "
                "do not trust this file."
            )
        if last in ("multiarray", "numeric"):
            return getattr(getattr(np, "_core", None) or np.core, last).__dict__[name]
        return super().find_class(module, name)


def load(path: Path) -> Any:
    """The value in a pickle of arrays and plain values; byte strings of Python 2 become str.

    Raises:
        BenchError: a damaged file, or one that asks for anything but arrays.
    """
    with reading(path, "a pickle of arrays"):
        return ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
