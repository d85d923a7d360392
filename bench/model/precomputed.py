"""Vectors that somebody already computed, so that any model can be judged, also one behind an API.

Two layouts are read:

- `.npz` (never pickled): `texts` [text] of strings with `text_vectors` [text, dim]; for each split
  `images/TASK/SPLIT` [image, dim], with `ids/TASK/SPLIT` [image] of strings if the rows are not simply all pictures in
  the order of the data set.
- `.parquet` or `.csv`, one vector a row: columns `kind` (image or text), `task`, `split`, `id`, `text`, and the vector
  as one list column `vector` (in CSV written as JSON) or as columns `v0`, `v1`, ...

Vectors need not be of unit length; they are made so. `bench-tasks texts NAME` prints the prompts that a task needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.errors import BenchError, closest
from bench.model import ModelCard
from bench.model.clip.weights import sha256_of
from bench.model.vector_files import Rows, Vectors, read_vectors

HOW_TO_LIST = "`bench-tasks texts NAME` prints all prompts of a task, one JSON line each."


class VectorTable:
    """A file of vectors behind the Lookup protocol."""

    def __init__(self, card: ModelCard, vectors: Vectors):
        self.card, self._images = card, vectors.images
        self._texts = _positions(vectors.texts, "text")
        self._text_vectors = _unit(vectors.text_vectors, vectors.texts, "text")

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Strings -> float32 [text, dim], unit length. Raises BenchError if the file lacks some of them."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if missing:
            raise BenchError(
                f"{self.card.name} holds no vector for {_some(missing, 'text')}; it holds "
                f"{len(self._texts)} texts. Texts must agree letter by letter. {HOW_TO_LIST}"
            )
        found = np.zeros((0, self.card.dim), np.float32) if not texts else self._text_vectors
        return found[[self._texts[text] for text in texts]]

    def find_images(self, task: str, split: str, ids: Sequence[str]) -> np.ndarray:
        """Pictures of a split by id -> float32 [image, dim], unit length, in the order asked for.

        Raises:
            BenchError: no vectors for this split, some ids missing, or (without ids) another number of rows.
        """
        rows = self._rows(task, split)
        vectors = rows.vectors()
        self._check(vectors, f"images/{task}/{split}")
        if rows.ids is None:
            return _unit(self._in_order(vectors, task, split, ids), ids, f"picture of {task}/{split}")
        position = _positions(rows.ids, f"id of {task}/{split}")
        missing = [one for one in ids if one not in position]
        if missing:
            raise BenchError(
                f"{self.card.name} holds no vector for {_some(missing, f'picture of {task}/{split}')}; it "
                f"holds {len(position)}, e.g. {rows.ids[0]!r}."
                if position
                else f"{task}/{split} is empty."
            )
        chosen = vectors[[position[one] for one in ids]]
        return _unit(chosen, ids, f"picture of {task}/{split}")

    def _rows(self, task: str, split: str) -> Rows:
        if (task, split) in self._images:
            return self._images[task, split]
        held = [f"{one}/{part}" for one, part in self._images]
        near = closest(f"{task}/{split}", held) or held[:5]
        raise BenchError(
            f"{self.card.name} holds no pictures of {task}/{split}. It holds: {', '.join(near) or 'none'}"
            f"{' ...' if len(held) > len(near) else ''}. Add images/{task}/{split}, or choose task and split."
        )

    def _in_order(self, vectors: np.ndarray, task: str, split: str, ids: Sequence[str]) -> np.ndarray:
        if len(vectors) != len(ids):
            raise BenchError(
                f"{self.card.name} holds {len(vectors)} vectors for {task}/{split} without ids, and {len(ids)} "
                f"pictures are asked for. Give ids/{task}/{split}, or one row for every picture in order."
            )
        return vectors

    def _check(self, vectors: np.ndarray, what: str) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.card.dim:
            raise BenchError(
                f"{self.card.name}: {what} has shape {vectors.shape}; expected [n, {self.card.dim}] as the others."
            )


def load_precomputed(
    path: str | Path,
    *,
    name: str | None = None,
    logit_scale: float = 100.0,
    logit_bias: float = 0.0,
) -> VectorTable:
    """A table of vectors as a model.

    Args:
        path: `.npz`, `.parquet` or `.csv` in a layout of this module's docstring.
        name: What the model is called in results; the file's name without ending if not given.
        logit_scale: Factor on cosines for probabilities (calibration); accuracy does not depend on it.
        logit_bias: Added after the factor.

    Raises:
        BenchError: no such file, another layout, doubles, or a vector of zeros or with NaN.
    """
    path = Path(path)
    vectors = read_vectors(path)
    card = ModelCard(
        name=name or path.stem,
        family="precomputed",
        weights=sha256_of(path),
        dim=vectors.dim,
        preprocess="done elsewhere",
        tokenizer="done elsewhere",
        logit_scale=logit_scale,
        logit_bias=logit_bias,
        source=path.name,
        notes=("vectors were computed elsewhere; how is not known here",),
    )
    return VectorTable(card, vectors)


def _positions(names: Sequence[str], what: str) -> dict[str, int]:
    position = {name: i for i, name in enumerate(names)}
    if len(position) < len(names):
        double = next(name for i, name in enumerate(names) if position[name] != i)
        raise BenchError(f"The vectors file holds the {what} {double!r} more than once; keep one row of it.")
    return position


def _unit(vectors: np.ndarray, names: Sequence[str], what: str) -> np.ndarray:
    """Rows made of unit length; computed in float64, so that huge and tiny float32 numbers survive."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0))
    if bad.size:
        first = int(bad[0])
        raise BenchError(
            f"{bad.size} vector(s) are zero or not finite: first row {first}, {what} {names[first]!r}. "
            "A cosine with them means nothing; compute them again or leave them out."
        )
    return np.asarray(wide / lengths, dtype=np.float32)


def _some(missing: Sequence[str], what: str) -> str:
    """Count and first examples, as in `4 texts: 'a', 'b', 'c' ...`."""
    several = "s" if len(missing) > 1 and " " not in what else ""
    more = " ..." if len(missing) > 3 else ""
    return f"{len(missing)} {what}{several}: {', '.join(map(repr, missing[:3]))}{more}"
