"""A model by one string, as on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.model import Encoder, Lookup


def load_model(name_or_path: str, **settings: Any) -> Encoder | Lookup:
    """The encoder for a name or a file.

    `bundled`, `openai/ViT-B-32`, `org/name` (CLIP weights on the hub), `open_clip:NAME`, `transformers:NAME`, a
    weights file (`.safetensors`, `.bin`, `.pt`), or a table of precomputed vectors (`.npz`, `.parquet`, `.csv`).
    `settings` go to the loader (device, precision, batch_size ...).

    Raises:
        BenchError: unknown name, missing or damaged file, no network.
    """
    family, colon, rest = name_or_path.partition(":")
    if colon and family == "open_clip":
        from bench.model.open_clip import load_open_clip

        return load_open_clip(rest, **settings)
    if colon and family == "transformers":
        from bench.model.transformers import load_transformers

        return load_transformers(rest, **settings)
    if Path(name_or_path).suffix in (".npz", ".parquet", ".csv"):
        from bench.model.precomputed import load_precomputed

        return load_precomputed(name_or_path, **settings)
    from bench.model.clip import load_clip

    is_file = Path(name_or_path).suffix in (".safetensors", ".bin", ".pt", ".pth") or Path(name_or_path).exists()
    return (
        load_clip(Path(name_or_path).stem, path=name_or_path, **settings)
        if is_file
        else load_clip(name_or_path, **settings)
    )
