"""One broken picture, task, model or plugin never ends a run: each is a row with its reason, and the others go on.

Here the limits meet a whole run, in one process. What a reader says by itself is tested where the reader is:

| what breaks                        | said by                                                              |
|------------------------------------|----------------------------------------------------------------------|
| disk full                          | here; tests/unit/test_store.py                                       |
| out of memory on the device        | here; tests/unit/model/test_batches.py                               |
| a model that cannot be made        | tests/end_to_end/test_app.py; tests/unit/test_assemble.py            |
| a hub that times out               | here; tests/unit/model/test_hub.py                                   |
| truncated download, wrong hash     | tests/unit/model/test_download.py, test_clip_load.py                 |
| decompression bomb                 | here (pictures); tests/unit/test_unpacking.py                        |
| symlink or `..` in an archive      | here; tests/unit/test_archives.py                                    |
| a pickle posing as weights         | here; tests/unit/model/test_clip_load.py                             |
| safetensors with lying sizes       | here                                                                 |
| a broken plugin or task            | here; tests/end_to_end/test_plugins.py                               |
| a killed process                   | tests/end_to_end/test_crash.py, test_slurm.py; unit/test_cluster.py  |
| bytes changed anywhere             | tests/fuzz                                                           |
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import run_cells
from bench.model.clip.load import load
from bench.run_folder import RunFolder
from bench.store import Store
from bench.task import Task
from tasks.sources import from_folder, from_webdataset
from tasks.text import named
from tests.fixtures import layouts
from tests.toys import ToyEncoder

CLASSES = named(["ant", "bee", "dog"])


def task(name: str, load: Callable[[str], object]) -> Task:
    return Task(name=name, family="mine", load=load, classes=CLASSES, templates=("a photo of a {}.",),  # type: ignore[arg-type]
                splits={"test": None}, licence="mine", reference="my camera")  # fmt: skip


def photographs(place: Path, name: str) -> Path:
    """A folder of photographs; where the first one lies."""
    layouts.folders(place, ["dog", "ant", "bee"], path=name, splits=("test",))
    return sorted((place / name / "test").rglob("*.jpg"))[0]


def bomb(place: Path) -> Task:
    """Two hundred bytes that claim to be a picture of 60,000 x 60,000."""
    first = photographs(place, "bomb")
    Image.new("1", (8, 8)).save(buffer := io.BytesIO(), "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = struct.pack(">II", 60000, 60000)
    import zlib

    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    first.with_suffix(".png").write_bytes(bytes(content))
    return task("bomb", from_folder(str(place / "bomb")))


def archive(place: Path, trick: str) -> Task:
    layouts.shards(place, ["ant", "bee", "dog"], name=f"wds_{trick}", names=["ant", "bee", "dog"], labels=[0, 1, 2])
    with tarfile.open(place / f"wds_{trick}" / "test" / "0.tar", "w") as file:
        layouts.add(file, "../x.png" if trick == "escape" else "x.png", layouts.encoded(0))
        layouts.add(file, "../x.cls" if trick == "escape" else "x.cls", b"1")
        if trick == "link":
            member = tarfile.TarInfo("y.png")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(member)
    return task(trick, from_webdataset(str(place / f"wds_{trick}"), CLASSES))


def hub_times_out(split: str) -> object:
    raise TimeoutError("the hub did not answer within 10 seconds")


def unexpected(split: str) -> object:
    return {}["a bug of a plugin"]


@pytest.fixture
def good(tmp_path: Path) -> Task:
    photographs(tmp_path, "good")
    return task("good", from_folder(str(tmp_path / "good")))


def statuses(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["task"], table["status"], strict=True))


def run(chosen: Sequence[Task], *, encoder: object = None, store: Store | None = None, folder: Path | None = None
        ) -> pd.DataFrame:  # fmt: skip
    place = RunFolder(folder) if folder else None
    table = run_cells(encoder or ToyEncoder(), chosen, [ZeroShot()], store=store, folder=place)  # type: ignore[arg-type]
    return table[table["headline"]]


def test_bad_tasks_are_rows_between_good_ones(tmp_path: Path, good: Task) -> None:
    bad = [bomb(tmp_path), archive(tmp_path, "link"), archive(tmp_path, "escape"), task("hub", hub_times_out),
           task("bug", unexpected)]  # fmt: skip
    photographs(tmp_path, "last")
    table = run([good, *bad, task("last", from_folder(str(tmp_path / "last")))])
    assert statuses(table) == {"good": "ok", **dict.fromkeys(("bomb", "link", "escape", "hub", "bug"), "failed"),
                               "last": "ok"}  # fmt: skip
    reasons = dict(zip(table["task"], table["reason"], strict=True))
    assert "could be decompression bomb" in reasons["bomb"]
    assert "do not trust" in reasons["link"].lower()
    assert "do not trust" in reasons["escape"].lower()
    assert "did not answer within 10 seconds" in reasons["hub"]
    assert "a bug of a plugin" in reasons["bug"]


def test_a_model_that_does_not_fit_into_memory(good: Task) -> None:
    import torch

    class Large(ToyEncoder):
        def encode_images(self, images):  # type: ignore[no-untyped-def]
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    table = run([good], encoder=Large())
    assert statuses(table) == {"good": "failed"}
    assert "out of memory" in table["reason"].iloc[0]


def test_a_full_disk_under_the_store(tmp_path: Path, good: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run([good])

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        table = run([good], store=Store(tmp_path / "store"))
    assert statuses(table) == {"good": "failed"}
    assert "No space left on device" in table["reason"].iloc[0]
    assert "store.folder" in table["reason"].iloc[0]
    again = run([good], store=Store(tmp_path / "store"))
    assert again["value"].tolist() == whole["value"].tolist()


def test_a_full_disk_under_the_run_folder_keeps_what_was_there(
    tmp_path: Path, good: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([good], folder=tmp_path / "run")
    before = (tmp_path / "run" / "rows.parquet").read_bytes()

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        run([good], folder=tmp_path / "run")
    assert (tmp_path / "run" / "rows.parquet").read_bytes() == before


class Hostile:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return os.mkdir, ("was_run",)


def lying(place: Path, header: dict[str, object], length: int | None = None) -> Path:
    """A safetensors file whose header promises what is not there."""
    text = json.dumps(header).encode()
    path = place / "lying.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + bytes(16))
    return path


@pytest.mark.parametrize(("header", "length"), [
    ({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}, None),
    ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
      "b": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, None),
    ({"a": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}, None),
    ({"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}, None),
    ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, None),
    ({}, 2**60),
])  # fmt: skip
def test_safetensors_that_lie_about_sizes(tmp_path: Path, header: dict[str, object], length: int | None) -> None:
    with pytest.raises(BenchError, match="damaged or cut short"):
        load(lying(tmp_path, header, length))


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.bin"])
def test_a_pickle_posing_as_weights_is_not_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(BenchError):
        load(tmp_path / name)
    assert not (tmp_path / "was_run").exists()
