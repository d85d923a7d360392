"""Vectors from files: right rows in the right order, and one clear message for everything that can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.model import Encoder, Lookup
from bench.model.precomputed import VectorTable, load_precomputed

TEXTS = ["a cat", "NA", "null", "", "dog, the"]
IDS = ["b.png", "a.png", "007"]
RNG = np.random.default_rng(0)
TEXT_VECTORS = RNG.normal(size=(5, 4)).astype(np.float32) * 1e3
IMAGE_VECTORS = RNG.normal(size=(3, 4)).astype(np.float32) * 1e-3


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_npz(folder: Path, **changes: Any) -> Path:
    arrays: dict[str, Any] = {
        "texts": np.array(TEXTS),
        "text_vectors": TEXT_VECTORS,
        "images/pets/test": IMAGE_VECTORS,
        "ids/pets/test": np.array(IDS),
    }
    for name, value in changes.items():
        arrays[name.replace("__", "/")] = value
    path = folder / "mine.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def frame(vector: Callable[[np.ndarray], Any]) -> pd.DataFrame:
    texts = [
        {"kind": "text", "task": "", "split": "", "id": "", "text": text, "vector": vector(one)}
        for text, one in zip(TEXTS, TEXT_VECTORS, strict=True)
    ]
    images = [
        {"kind": "image", "task": "pets", "split": "test", "id": one, "text": "", "vector": vector(row)}
        for one, row in zip(IDS, IMAGE_VECTORS, strict=True)
    ]
    return pd.DataFrame(texts + images)


def wide() -> pd.DataFrame:
    table = frame(list)
    columns = pd.DataFrame(table["vector"].tolist(), columns=["v0", "v1", "v2", "v3"])
    return pd.concat([table.drop(columns="vector"), columns], axis=1)


def write(kind: str, folder: Path) -> Path:
    path = folder / f"mine.{kind.split('-')[-1]}"
    if kind == "npz":
        return write_npz(folder)
    if kind == "list-parquet":
        frame(list).to_parquet(path)
    elif kind == "wide-parquet":
        wide().to_parquet(path)
    elif kind == "list-csv":
        frame(lambda row: json.dumps(row.tolist())).to_csv(path, index=False)
    else:
        wide().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["npz", "list-parquet", "wide-parquet", "list-csv", "wide-csv"])
def test_every_layout_gives_the_same_unit_vectors(kind: str, tmp_path: Path) -> None:
    table = load_precomputed(write(kind, tmp_path))
    np.testing.assert_allclose(table.encode_texts(TEXTS[::-1]), unit(TEXT_VECTORS)[::-1], atol=1e-6)
    np.testing.assert_allclose(
        table.find_images("pets", "test", ["007", "b.png"]), unit(IMAGE_VECTORS)[[2, 0]], atol=1e-6
    )
    assert table.encode_texts([]).shape == (0, 4)
    assert table.find_images("pets", "test", []).shape == (0, 4)
    assert table.encode_texts(TEXTS).dtype == np.float32
    assert (table.card.name, table.card.dim, table.card.logit_scale) == ("mine", 4, 100.0)


def test_it_is_a_lookup_and_no_encoder(tmp_path: Path) -> None:
    table = load_precomputed(write_npz(tmp_path), name="api-model", logit_scale=10, logit_bias=-2)
    assert isinstance(table, Lookup)
    assert not isinstance(table, Encoder)
    assert (table.card.name, table.card.logit_scale, table.card.logit_bias) == ("api-model", 10, -2)


def test_without_ids_rows_are_pictures_in_order(tmp_path: Path) -> None:
    table = load_precomputed(write_npz(tmp_path, ids__pets__test=None))
    np.testing.assert_allclose(table.find_images("pets", "test", ["x", "y", "z"]), unit(IMAGE_VECTORS), atol=1e-6)
    with pytest.raises(BenchError, match=r"3 vectors for pets/test without ids, and 2 pictures"):
        table.find_images("pets", "test", ["x", "y"])


def test_huge_and_tiny_numbers_survive(tmp_path: Path) -> None:
    table = load_precomputed(
        write_npz(
            tmp_path,
            text_vectors=np.full((5, 4), 3e38, np.float32),
            images__pets__test=np.full((3, 4), 1e-38, np.float32),
        )
    )
    np.testing.assert_allclose(table.encode_texts(["a cat"]), [[0.5] * 4], atol=1e-6)
    np.testing.assert_allclose(table.find_images("pets", "test", ["007"]), [[0.5] * 4], atol=1e-6)


def test_pictures_alone_are_enough(tmp_path: Path) -> None:
    table = load_precomputed(write_npz(tmp_path, texts=None, text_vectors=None))
    assert table.card.dim == 4
    assert table.encode_texts([]).shape == (0, 4)
    with pytest.raises(BenchError, match="holds 0 texts"):
        table.encode_texts(["a cat"])


def test_missing_texts_are_counted_and_named(tmp_path: Path) -> None:
    table = load_precomputed(write_npz(tmp_path))
    with pytest.raises(
        BenchError, match=r"no vector for 4 texts: 'w', 'x', 'y' \.\.\.; it holds 5 texts.*bench-tasks texts NAME"
    ):
        table.encode_texts(["a cat", "w", "x", "y", "z", "w"])


def test_missing_pictures_and_splits_are_named(tmp_path: Path) -> None:
    table = load_precomputed(write_npz(tmp_path))
    with pytest.raises(BenchError, match=r"1 picture of pets/test: 'c.png'; it holds 3, e.g. 'b.png'"):
        table.find_images("pets", "test", ["a.png", "c.png"])
    with pytest.raises(BenchError, match=r"no pictures of pets/train. It holds: pets/test"):
        table.find_images("pets", "train", ["a.png"])


def spoiled(row: int, value: float, of: np.ndarray) -> np.ndarray:
    vectors = of.copy()
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text_vectors": spoiled(1, 0, TEXT_VECTORS)}, r"first row 1, text 'NA'"),
        ({"text_vectors": spoiled(4, np.nan, TEXT_VECTORS)}, r"1 vector\(s\) are zero or not finite: first row 4"),
        ({"images__pets__test": spoiled(2, np.inf, IMAGE_VECTORS)}, r"picture of pets/test '007'"),
        ({"images__pets__test": IMAGE_VECTORS[:, :3]}, r"images/pets/test has shape \(3, 3\); expected \[n, 4\]"),
        ({"ids__pets__test": np.array(["a", "b"])}, "has 3 rows and ids/pets/test has 2"),
        ({"ids__pets__test": np.array(["a", "b", "a"])}, "'a' more than once"),
        ({"texts": np.array(["a"] * 5)}, "text 'a' more than once"),
        ({"texts": np.array(["a"])}, "1 texts and text_vectors of shape"),
        ({"texts": np.array(TEXTS, dtype=object)}, "objects are not read"),
        ({"images__pets": IMAGE_VECTORS}, "expected images/TASK/SPLIT"),
        (
            dict.fromkeys(("texts", "text_vectors", "images__pets__test", "ids__pets__test")),
            "neither texts nor pictures",
        ),
    ],
)
def test_bad_archives_are_one_clear_message(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=said):
        load_precomputed(write_npz(tmp_path, **changes)).find_images("pets", "test", IDS)


def spoil(table: pd.DataFrame, how: str) -> pd.DataFrame:
    if how == "no kind":
        return table.drop(columns="kind")
    if how == "gap":
        return table.drop(columns="v1")
    if how == "strange kind":
        return table.assign(kind="picture")
    if how == "word":
        return table.astype({"v2": object}).assign(v2=["x", *table["v2"][1:]])
    return table.drop(columns="split")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no kind", "no column kind"),
        ("gap", "without a gap"),
        ("strange kind", "'picture'"),
        ("word", "first row 0, text 'a cat'"),
        ("no split", "need the column split"),
    ],
)
def test_bad_tables_are_one_clear_message(how: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    spoil(wide(), how).to_csv(path, index=False)
    with pytest.raises(BenchError, match=said):
        load_precomputed(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.npz", b"no archive"), ("x.parquet", b"PAR1"), ("x.csv", b""), ("x.pt", b""), ("y.npz", None)],
)
def test_bad_files_are_one_clear_message(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BenchError, match=name):
        load_precomputed(tmp_path / name)


def test_the_identity_follows_the_content(tmp_path: Path) -> None:
    first = load_precomputed(write_npz(tmp_path)).card.identity
    assert load_precomputed(write_npz(tmp_path)).card.identity == first
    assert load_precomputed(write_npz(tmp_path, text_vectors=TEXT_VECTORS + 1)).card.identity != first


def test_vectors_of_pictures_are_read_when_asked_for(tmp_path: Path) -> None:
    path = write_npz(tmp_path)
    table: VectorTable = load_precomputed(path)
    path.unlink()
    assert table.encode_texts(["a cat"]).shape == (1, 4)
    with pytest.raises(BenchError, match="cannot be read"):
        table.find_images("pets", "test", IDS)
