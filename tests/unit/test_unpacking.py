"""Decompression bombs: what is small on disk and large in memory is refused while it is small."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bench import unpacking
from bench.archive import read_torchscript
from bench.errors import BenchError
from bench.model.clip.weights import read_weights
from bench.model.vector_files import read_vectors
from bench.unpacking import check_unpacked, entry_bytes
from tasks.sources.hub import from_huggingface
from tasks.sources.layouts import dsprites, matlab
from tasks.sources.layouts.arrays import read_idx
from tasks.sources.table import read_table
from tests.unit.model.test_clip_load import fake_archive, tensor_pickle

BIG = 20_000_000  # bytes of each bomb; it is stored in a thousandth of that


@pytest.fixture(autouse=True)
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 100_000)


def refused(read: Callable[[Path], object], path: Path, said: str) -> None:
    """A BenchError, and hardly any memory taken on the way to it."""
    tracemalloc.start()
    try:
        with pytest.raises(BenchError, match=said):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < BIG / 10
    finally:
        tracemalloc.stop()


def test_small_things_may_unpack_to_anything_and_large_ones_to_a_hundredfold() -> None:
    check_unpacked(10, 100_000)
    check_unpacked(2_000, 200_000)
    with pytest.raises(ValueError, match=r"2,000 bytes would unpack to 200,001, more than 100 times as many"):
        check_unpacked(2_000, 200_001)


def deflated(path: Path) -> Path:
    """The same archive, its entries compressed."""
    packed = path.with_suffix(".packed.pt")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return packed


def test_weights_of_torch_save(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(BIG // 4)}, tmp_path / "w.pt")
    assert read_weights(tmp_path / "w.pt")["w"].shape == (BIG // 4,)
    refused(read_weights, deflated(tmp_path / "w.pt"), "would unpack to more than its .* bytes, but PyTorch writes")


def test_weights_of_torchscript(tmp_path: Path) -> None:
    numbers = BIG // 4
    fake_archive(tmp_path / "w.pt", tensor_pickle(numbers, (numbers,), (1,)), extra={"archive/data/0": bytes(BIG)})
    assert read_torchscript(tmp_path / "w.pt")["w"].shape == (numbers,)
    for read in (read_torchscript, read_weights):
        refused(read, deflated(tmp_path / "w.pt"), "would unpack to more than its .* bytes, but PyTorch writes")


def test_compressed_code_beside_the_tensors_is_as_pytorch_writes_it(tmp_path: Path) -> None:
    fake_archive(tmp_path / "w.pt", tensor_pickle(4, (4,), (1,)), extra={"archive/data/0": bytes(16)})
    with zipfile.ZipFile(tmp_path / "w.pt", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/code/__torch__.py", bytes(BIG))
    assert read_weights(tmp_path / "w.pt")["w"].shape == (4,)


@pytest.mark.parametrize(
    "tensor", [torch.zeros(1).expand(BIG), torch.zeros(3, 3).to_sparse(), torch.zeros(3, device="meta")]
)
@pytest.mark.filterwarnings("ignore:.*[Ss]parse")
def test_few_numbers_do_not_pose_as_many(tensor: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"w": tensor}, tmp_path / "w.pt")
    with pytest.raises(BenchError, match="'w' of shape .* is sparse, quantised or larger than what is stored"):
        read_weights(tmp_path / "w.pt")


def lying(path: Path) -> Path:
    """The same archive, in which each entry of BIG bytes says that it has a thousand."""
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", BIG), struct.pack("<I", 1000)))
    return path


def test_entries_of_a_zip_that_lie(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(BIG))
    with zipfile.ZipFile(lying(tmp_path / "a.zip")) as archive:
        tracemalloc.start()
        with pytest.raises(zipfile.BadZipFile):
            entry_bytes(archive, "data")
        assert tracemalloc.get_traced_memory()[1] < BIG / 10
        tracemalloc.stop()


def test_torchscript_that_lies(tmp_path: Path) -> None:
    fake_archive(tmp_path / "w.pt", tensor_pickle(4, (4,), (1,)), extra={"archive/data/0": bytes(BIG)})
    refused(read_torchscript, lying(deflated(tmp_path / "w.pt")), "is damaged or no torch archive")


def idx(path: Path, *shape: int, held: int) -> Path:
    content = b"\0\0\x08" + bytes([len(shape)]) + np.array(shape, ">u4").tobytes() + bytes(held)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
    path.write_bytes(content[:4096])
    return path


@pytest.mark.parametrize(("shape", "held", "said"), [
    ((BIG // 400, 20, 20), BIG, "bytes would unpack to 20,000,000, more than 100 times"),
    ((2**32 - 1,) * 30, BIG, "more than 100 times"),
    ((10, 20, 20), BIG, "its header says 4,000 bytes, and it holds more"),
    ((10, 20, 20), 3_999, "its header says 4,000 bytes, and it holds 3,999"),
])  # fmt: skip
def test_idx(shape: tuple[int, ...], held: int, said: str, tmp_path: Path) -> None:
    path = idx(tmp_path / "images", *shape, held=held)
    path.unlink()
    refused(read_idx, path, said)


def test_idx_that_is_not_packed(tmp_path: Path) -> None:
    refused(read_idx, idx(tmp_path / "images", 200, 20, 20, held=BIG), "says 80,000 bytes, and it holds 4,080")
    refused(read_idx, idx(tmp_path / "images", 10**6, 20, 20, held=BIG), "more than 100 times")
    assert read_idx(idx(tmp_path / "images", 3, 2, 1, held=6)).shape == (3, 2, 1)


def test_vectors(tmp_path: Path) -> None:
    arrays = {
        "texts": np.array(["a"]),
        "text_vectors": np.zeros((1, 4), np.float32),
        "images/t/test": np.zeros((BIG // 32, 4)),
    }
    np.savez_compressed(tmp_path / "v.npz", **arrays)
    refused(read_vectors, tmp_path / "v.npz", "would unpack to 20,.* a decompression bomb")
    np.savez(tmp_path / "w.npz", **arrays)
    assert read_vectors(tmp_path / "w.npz").texts == ("a",)


@pytest.mark.parametrize(("arrays", "said"), [
    ({"imgs": np.zeros((1, 64, 64), np.uint8), "latents_classes": np.zeros((BIG // 48, 6), np.int64)}, "more than 100"),
    ({"imgs": np.zeros((2, BIG // 2000, 1000), np.uint8), "latents_classes": np.zeros((2, 6))}, "10000 x 1000, not 64"),
    ({"imgs": np.zeros((1, 64, 64), np.uint8), "latents_classes": np.zeros((1, 6))}, "cannot be read"),
])  # fmt: skip
def test_dsprites(arrays: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    (tmp_path / "dsprites").mkdir()
    np.savez_compressed(tmp_path / "dsprites" / dsprites.FILE, **arrays)
    refused(lambda root: dsprites.shape(root, "test"), tmp_path, said)


@pytest.mark.parametrize("columns", [
    {"image": ["a.jpg"] * (BIG // 8)},  # equal rows, stored as one
    {"image": ["x" * BIG]},  # one large cell
])  # fmt: skip
def test_parquet(columns: dict[str, list[str]], tmp_path: Path) -> None:
    import datasets  # noqa: F401  # whose import takes memory too

    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "test-00000-of-00001.parquet"
    pd.DataFrame(columns).to_parquet(path, compression="zstd")
    refused(read_table, path, "would unpack to 20,.* a decompression bomb")
    refused(lambda place: from_huggingface(str(place))("test"), path.parent, "would unpack to 20,")
    pd.DataFrame({"image": [f"{i}.jpg" for i in range(30_000)]}).to_parquet(path)
    assert len(read_table(path)) == 30_000


def test_texts_of_parquet_are_decoded_where_damage_has_a_name(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["whole", "broken"]}).to_parquet(path := tmp_path / "t.parquet", compression=None)
    path.write_bytes(path.read_bytes().replace(b"broken", b"bro\xffen"))
    with pytest.raises(BenchError, match="t.parquet cannot be read as a table"):
        read_table(path)


@pytest.mark.parametrize("order", "<>")
def test_matlab(order: str, tmp_path: Path) -> None:
    from scipy.io import savemat

    def packed(values: np.ndarray) -> Path:
        savemat(tmp_path / "a.mat", {"y": np.ones(3), "x": values}, do_compression=True)
        content = (tmp_path / "a.mat").read_bytes()
        if order == ">":  # the tags of variables as a machine of the other order writes them
            content = content[:126] + b"MI" + _turned(content[128:])
        (tmp_path / "a.mat").write_bytes(content)
        return tmp_path / "a.mat"

    with pytest.raises(ValueError, match="more than 100 times as many: a decompression bomb"):
        matlab._check(packed(np.zeros(BIG // 8)))
    matlab._check(packed(np.random.default_rng(0).normal(size=10**5)))


def _turned(variables: bytes) -> bytes:
    if not variables:
        return b""
    size = int.from_bytes(variables[4:8], "little")
    tag = variables[:4][::-1] + variables[4:8][::-1]
    return tag + variables[8 : 8 + size] + _turned(variables[8 + size :])
