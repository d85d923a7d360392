"""What a model promises of its vectors, looked at before they are kept or scored."""

from __future__ import annotations

import numpy as np

from bench.errors import BenchError
from bench.model import ModelCard


def checked(vectors: np.ndarray, count: int, card: ModelCard, what: str) -> np.ndarray:
    """Vectors as promised: right shape, numbers, finite, unit length."""
    if vectors.shape != (count, card.dim) or vectors.dtype.kind != "f":
        raise BenchError(
            f"Model {card.name!r} gave {vectors.dtype} {vectors.shape} for {count} {what}; expected numbers such as "
            f"float32, {(count, card.dim)}."
        )
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.isfinite(norms)) or np.any(np.abs(norms - 1) > 1e-3):
        raise BenchError(
            f"Model {card.name!r} gave vectors for {what} that are not finite or not of unit length; "
            "its weights may be damaged, or its precision too low."
        )
    return vectors


def finite(features: np.ndarray, count: int, card: ModelCard, what: str) -> np.ndarray:
    """Features before the projection: one row each, finite; they have no length to keep."""
    ok = features.ndim == 2 and len(features) == count and features.dtype.kind == "f"
    if not ok or not np.isfinite(features).all():
        raise BenchError(
            f"Model {card.name!r} gave features {features.shape} for {count} {what} that are not one finite row each; "
            "its weights may be damaged, or its precision too low."
        )
    return features
