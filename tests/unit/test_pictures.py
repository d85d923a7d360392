"""Pictures that come from outside: decoded smaller where asked, and only if they are pictures and parts of the data."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench import unpacking
from bench.errors import BenchError
from bench.picture_files import opened
from bench.task import Task
from tasks import sources
from tasks.sources.content import _Memory, decode
from tasks.sources.hub import content_of
from tasks.text import named

SIZE = (1600, 1200)


def task(load: object) -> Task:
    return Task(name="t", family="t", load=load, classes=named(["cat"]), templates=("{}",), splits={"test": None},
                licence="-", reference="-")  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "test" / "cat" / "a.jpg"
    path.parent.mkdir(parents=True)
    ramp = np.add.outer(np.linspace(0, 127, SIZE[1]), np.linspace(0, 127, SIZE[0])).astype(np.uint8)
    Image.fromarray(ramp).convert("RGB").save(path)
    return path


def loaders(photograph: Path) -> dict[str, object]:
    root = photograph.parents[3]
    (root / "t.csv").write_text(f"path,label\n{photograph},cat\n")
    (root / "shards" / "test").mkdir(parents=True)
    (root / "shards" / "classnames.txt").write_text("cat")
    (root / "shards" / "test" / "nshards.txt").write_text("1")
    (label := root / "0.cls").write_text("0")
    with tarfile.open(root / "shards" / "test" / "0.tar", "w") as archive:
        archive.add(photograph, "0.jpg")
        archive.add(label, "0.cls")
    (root / "hub").mkdir()
    cells = {"image": [{"bytes": photograph.read_bytes(), "path": None}], "label": ["cat"]}
    pd.DataFrame(cells).to_parquet(root / "hub" / "test-00000-of-00001.parquet")
    return {
        "folder": sources.from_folder(str(root / "photos")),
        "table": sources.from_table(root / "t.csv", image="path", label="label"),
        "webdataset": sources.from_webdataset(str(root / "shards"), classes=named(["cat"])),
        "hub": sources.from_huggingface(str(root / "hub"), classes=named(["cat"])),
    }


@pytest.mark.parametrize("source", ["folder", "table", "webdataset", "hub"])
def test_every_reader_decodes_smaller_where_asked_and_only_there(source: str, photograph: Path) -> None:
    whole = task(loaders(photograph)[source]).samples()
    less = whole.reduced(64)
    assert whole.images[0].size == SIZE
    assert less.images[0].size == (200, 150)
    assert less.draw(1).images[0].size == (200, 150)
    assert whole.images[0].size == SIZE
    exact, reduced = (np.asarray(one.images[0].resize((64, 64)), float) for one in (whole, less))
    assert np.abs(exact - reduced).mean() < 2


def test_postscript_is_not_handed_to_an_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "e.jpg").write_bytes(program)
    with pytest.raises(BenchError, match="is not a readable picture"):
        decode(program, "e.jpg")
    with pytest.raises(OSError, match="cannot identify"):
        opened(tmp_path / "e.jpg")
    assert not (tmp_path / "was_run").exists()


def test_a_cell_may_name_parts_of_the_data_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (data / "a.png").write_bytes(b"mine")
    (data / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "elsewhere.png").write_bytes(b"linked")
    with zipfile.ZipFile(data / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/a.png", b"packed")
        archive.writestr("bomb.png", bytes(10**6))
    assert content_of({"bytes": None, "path": str(data / "a.png")}, data) == b"mine"
    assert content_of({"bytes": None, "path": f"zip://x/a.png::{data / 'b.zip'}"}, data) == b"packed"
    assert content_of({"bytes": None, "path": str(data / "link.png")}, data) == b"linked"
    for path in (
        tmp_path / "secret.png",
        data / ".." / "secret.png",
        "/etc/passwd",
        "secret.png",
        "http://x.org/a.png",
    ):
        with pytest.raises(ValueError, match="not a part of the data"):
            content_of({"bytes": None, "path": str(path)}, data)
    for path in (f"tar://a::{data / 'b.zip'}", f"zip://a::zip://b.zip::{data / 'b.zip'}"):
        with pytest.raises(ValueError, match="in files or in zip archives"):
            content_of({"bytes": None, "path": path}, data)
    monkeypatch.setattr(unpacking, "HARMLESS", 1000)
    with pytest.raises(ValueError, match="a decompression bomb"):
        content_of({"bytes": None, "path": f"zip://bomb.png::{data / 'b.zip'}"}, data)


def test_a_file_replaced_by_one_of_its_size_and_time_is_hashed_anew(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    memory = _Memory(tmp_path)
    before = memory.hash(tmp_path / "a")
    shutil.copy2(tmp_path / "b", tmp_path / "a")
    assert memory.hash(tmp_path / "a") == memory.hash(tmp_path / "b") != before
