"""Zero-shot evaluation of image-text models: the engine. It knows no data set and no table layout.

    bench.load_model("openai/ViT-B-32").encode_texts(["a photo of a cat"])
    bench.run(model="bundled", task=["emoji_noto", "flags"])        # the table of rows

Reading order: flow.py, task.py, embeddings.py, evaluation/, metrics/, results.py, model/.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import run
    from bench.errors import BenchError
    from bench.model.load import load_model
    from bench.task import Samples, Task

__all__ = ["BenchError", "Samples", "Task", "load_model", "run"]

_HOMES = {"run": "bench.api", "load_model": "bench.model.load", "BenchError": "bench.errors",
          "Samples": "bench.task", "Task": "bench.task"}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names are imported when asked for, so that `import bench` and `bench --help` are quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
