"""Damage to a file becomes one error that names it; our own bugs stay what they are."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.errors import DAMAGE, BenchError, reading
from bench.evaluation.rows import failure
from bench.journal import Journal
from bench.store import Store
from tasks.sources import NotAtHandError
from tasks.sources.content import from_array
from tasks.sources.layouts.boxes import box
from tasks.sources.layouts.pickles import load
from tasks.sources.matching import numbered
from tests.contract.test_tasks import keys_of
from tests.fixtures.published import MINIATURES


@pytest.mark.parametrize("kind", [KeyError, UnicodeDecodeError, json.JSONDecodeError, OSError, *DAMAGE])
def test_damage_is_named_and_chained(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    said = r"a/b\.csv cannot be read as a table \(.*Mend it\."
    with pytest.raises(BenchError, match=said) as raised, reading("a/b.csv", "a table", mend="Mend it."):
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("bug", [NameError("x"), AssertionError(), ImportError(), KeyboardInterrupt()])
def test_bugs_are_not_taken_for_damage(bug: BaseException) -> None:
    with pytest.raises(type(bug)) as raised, reading("a.csv", "a table"):
        raise bug
    assert raised.value is bug


def test_errors_of_ours_and_of_libraries() -> None:
    class OfLibraryError(Exception):
        pass

    with pytest.raises(NotAtHandError, match="^mine$"), reading("a.csv", "a table"):
        raise NotAtHandError("mine")
    with pytest.raises(OfLibraryError), reading("a.csv", "a table"):
        raise OfLibraryError
    with pytest.raises(BenchError, match="OfLibraryError"), reading("a.csv", "a table", also=(OfLibraryError,)):
        raise OfLibraryError


DAMAGED = {
    "cifar10": ("cifar-10-batches-py/test_batch", pickle.dumps({"pictures": 1}, protocol=2), "a batch of CIFAR"),
    "cifar100": ("cifar-100-python/meta", pickle.dumps([], protocol=2), "CIFAR's list of class names"),
    "cifar10_1": ("cifar10.1/cifar10.1_v6_data.npy", b"<html>", "pictures of CIFAR-10.1"),
    "fer2013": ("fer2013/fer2013.csv", b"emotion,pixels,Usage\n\xff", "the table of the challenge"),
    "flickr30k": ("flickr30k/dataset_flickr30k.json", b"{}", "a split of Karpathy and Fei-Fei"),
    "aro_relation": ("aro/visual_genome_relation.json", b"[7]", "captions and boxes of ARO"),
    "winoground": ("winoground/data/examples.jsonl", b"{", "examples of Winoground"),
    "dsprites_shape": ("dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz", b"PK", "dSprites"),
    "aircraft": (
        "fgvc-aircraft-2013b/data/images_variant_test.txt",
        b"alone",
        "a list of pictures with their variants",
    ),
    "eurosat_vtab": ("mteb/eurosat-rgb/data/test-00000-of-00001.parquet", b"PAR1", "a copy of mteb/eurosat-rgb"),
}
"""Task -> a file of it, what is there instead, and what it should be."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    return tmp_path


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_of_a_published_set_is_named(name: str, data: Path) -> None:
    file, content, what = DAMAGED[name]
    task = tasks.select(name)[0]
    MINIATURES[name](data, keys_of(task))
    (data / file).write_bytes(content)
    with pytest.raises(BenchError) as raised:
        task.samples()
    place = file if "/data/test-" not in file else file.partition("/data/")[0]
    assert str(data / place) in str(raised.value)
    assert f"cannot be read as {what} (" in str(raised.value)
    assert "Fetch it again." in str(raised.value)
    assert not isinstance(raised.value, NotAtHandError), "it is here, so no other source is asked"


def test_labels_below_the_first_are_not_the_last(data: Path) -> None:
    assert numbered(("a", "b"), 1) == "b"
    for number in (-1, 2):
        with pytest.raises(IndexError):
            numbered(("a", "b"), number)
    task = tasks.select("stl10")[0]
    MINIATURES["stl10"](data, keys_of(task))
    (data / "stl10_binary" / "test_y.bin").write_bytes(bytes(7))
    with pytest.raises(BenchError, match="test_y.bin cannot be read as labels of STL-10"):
        task.samples()


def test_pictures_and_boxes_that_are_none() -> None:
    assert len(from_array(np.zeros((2, 3, 3, 3), np.uint8))) == 2
    for odd in (np.zeros((2, 3, 3)), np.zeros((2, 3, 3, 4), np.uint8), np.zeros((2, 0, 3), np.uint8)):
        with pytest.raises(ValueError, match="no array of pictures"):
            from_array(odd)
    assert box(-2, 0, 5, 1) == (-2, 0, 5, 1)
    for wrong in ((5, 0, 5, 1), (0, 2, 5, 1), (0, 0, 10**9, 1)):
        with pytest.raises(ValueError, match="is no box"):
            box(*wrong)


def test_a_pickle_cannot_take_all_memory(tmp_path: Path) -> None:
    """It names the last place of a memo, for which the unpickler in C would make room: 32 GB."""
    (tmp_path / "batch").write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")
    assert load(tmp_path / "batch") == {}


@pytest.mark.parametrize(
    "damage", [(b"0.25", b"0.75"), (b'"rows": [{', b'"rows": [['), (b"}", b""), (b"data", b"dato")]
)
def test_a_damaged_note_is_not_gone_by(damage: tuple[bytes, bytes], tmp_path: Path) -> None:
    journal, rows = Journal(tmp_path, "who"), [{"value": 0.25, "low": float("nan"), "status": "ok"}]
    data = {"task": "d", "task test": "e"}

    def once(work: Callable[[], list[dict[str, object]]]) -> list[dict[str, object]]:
        return journal.once("cell", lambda names: {name: data.get(name, "") for name in names}, work, lambda: data)

    once(lambda: rows)
    (note,) = (tmp_path / "finished").iterdir()
    assert repr(once(list)) == repr(rows)
    note.write_bytes(note.read_bytes().replace(*damage))
    assert once(lambda: [{"status": "ok"}]) == [{"status": "ok"}]


def test_a_header_that_is_no_python_is_no_array(tmp_path: Path) -> None:
    Store(tmp_path).put("abc", np.zeros(3))
    path = next(tmp_path.rglob("abc.npy"))
    path.write_bytes(path.read_bytes().replace(b"{'descr'", b"{{descr("))
    assert Store(tmp_path).get("abc") is None


def test_a_reason_can_always_be_written() -> None:
    assert failure({}, BenchError("no picture \ud800.jpg"))["reason"] == "no picture \\ud800.jpg"
