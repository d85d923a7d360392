import errno
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.store import SHARD, ShareDoneError, Store
from bench.store.command import main


def kept(folder) -> list:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return np.arange(12, dtype=np.float32).reshape(3, 4)


def test_computed_once_and_read_back_equal(tmp_path) -> None:
    compute = Counter()
    first = Store(tmp_path).array("abc", compute)
    second = Store(tmp_path).array("abc", compute)
    assert compute.calls == 1
    np.testing.assert_array_equal(first, second)
    assert "abc" in Store(tmp_path)
    assert "abd" not in Store(tmp_path)


@pytest.mark.parametrize("damage", ["truncate", "flip", "no seal", "seal is not json", "empty"])
def test_a_damaged_entry_is_computed_again(tmp_path, damage: str) -> None:
    compute = Counter()
    Store(tmp_path).array("abc", compute)
    data, seal = next(tmp_path.rglob("abc.npy")), next(tmp_path.rglob("abc.json"))
    raw = data.read_bytes()
    {
        "truncate": lambda: data.write_bytes(raw[:-5]),
        "flip": lambda: data.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1])),
        "no seal": seal.unlink,
        "seal is not json": lambda: seal.write_text("{"),
        "empty": lambda: data.write_bytes(b""),
    }[damage]()
    assert "abc" not in Store(tmp_path)
    np.testing.assert_array_equal(Store(tmp_path).array("abc", compute), compute())
    assert "abc" in Store(tmp_path)


def test_nothing_is_left_behind_when_computing_fails(tmp_path) -> None:
    def broken() -> np.ndarray:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Store(tmp_path).array("abc", broken)
    assert kept(tmp_path) == []


def test_no_space_says_what_to_do(tmp_path, monkeypatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchError, match=r"No space left on device.*store\.folder"):
        Store(tmp_path).array("abc", Counter())
    assert kept(tmp_path) == []


def test_without_a_folder_nothing_is_kept() -> None:
    compute = Counter()
    Store().array("abc", compute)
    Store().array("abc", compute)
    assert compute.calls == 2


class Rows:
    """Computes rows that tell their own number, and counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], int]] = []

    def __call__(self, keys: list[str], rows: range) -> dict[str, np.ndarray]:
        self.asked.append((tuple(keys), rows.start // SHARD))
        return {key: np.array([[row, ord(key[0])] for row in rows], dtype=np.float32) for key in keys}


COUNT = 2 * SHARD + 5


KEY = "ab" * 16


def wanted(key: str) -> np.ndarray:
    return np.array([[row, ord(key[0])] for row in range(COUNT)], dtype=np.float32)


def test_rows_come_in_shards_and_are_joined(tmp_path) -> None:
    compute = Rows()
    found = Store(tmp_path).rows(["a", "b"], COUNT, compute)
    assert compute.asked == [(("a", "b"), i) for i in range(3)]
    assert all((found[key] == wanted(key)).all() for key in "ab")
    assert isinstance(found["a"], np.memmap)
    assert {path.name for path in kept(tmp_path)} == {"a.npy", "a.json", "b.npy", "b.json"}
    Store(tmp_path).rows(["a", "b"], COUNT, compute)
    assert len(compute.asked) == 3


def test_what_was_finished_before_a_crash_is_not_computed_again(tmp_path) -> None:
    class Crash(Rows):
        def __call__(self, keys: list[str], rows: range) -> dict[str, np.ndarray]:
            if rows.start:
                raise KeyboardInterrupt
            return super().__call__(keys, rows)

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).rows(["a"], COUNT, Crash())
    compute = Rows()
    found = Store(tmp_path).rows(["a", "b"], COUNT, compute)
    assert compute.asked == [(("b",), 0), (("a", "b"), 1), (("a", "b"), 2)]
    assert (found["a"] == wanted("a")).all()


def test_only_the_damaged_shard_is_computed_again(tmp_path) -> None:
    Store(tmp_path).rows(["a"], COUNT, Rows())
    data = next(tmp_path.rglob("a.npy"))
    raw = bytearray(data.read_bytes())
    raw[-8 * (SHARD + 1)] ^= 1  # in the second shard
    data.write_bytes(raw)
    compute = Rows()
    found = Store(tmp_path).rows(["a"], COUNT, compute)
    assert compute.asked == [(("a",), 1)]
    assert (found["a"] == wanted("a")).all()


def test_shares_are_put_together(tmp_path) -> None:
    compute = Rows()
    for i in (1, 0):
        with pytest.raises(ShareDoneError, match=f"Share {i} of 3"):
            Store(tmp_path, share=(i, 3)).rows(["a"], COUNT, compute)
    assert (Store(tmp_path, share=(2, 3)).rows(["a"], COUNT, compute)["a"] == wanted("a")).all()
    assert [i for _, i in compute.asked] == [1, 0, 2]
    with pytest.raises(BenchError, match="of no use without a store"):
        Store(share=(0, 2))


class Pruned(Rows):
    """Somebody empties the store while these calls compute."""

    def __init__(self, folder: Path, calls: range) -> None:
        super().__init__()
        self.folder, self.calls = folder, calls

    def __call__(self, keys: list[str], rows: range) -> dict[str, np.ndarray]:
        if len(self.asked) in self.calls:
            assert main(["prune", "--all", "--folder", str(self.folder)]) == 0
        return super().__call__(keys, rows)


def test_what_is_pruned_before_it_is_read_is_made_anew(tmp_path) -> None:
    compute = Pruned(tmp_path, calls=range(2, 3))
    assert (Store(tmp_path).rows([KEY], COUNT, compute)[KEY] == wanted(KEY)).all()
    assert [i for _, i in compute.asked] == [0, 1, 2, 0, 1]


def test_a_store_that_is_pruned_again_and_again_is_one_clear_message(tmp_path) -> None:
    with pytest.raises(BenchError, match=r"are gone: somebody deletes them.*bench-store prune.*store\.folder=DIR"):
        Store(tmp_path).rows([KEY], COUNT, Pruned(tmp_path, calls=range(99)))


@pytest.mark.parametrize("code", ["ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK"])
def test_without_locks_it_works_too(tmp_path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def flock(*words: object) -> None:
        raise OSError(getattr(errno, code), "No locks")

    monkeypatch.setattr("fcntl.flock", flock)
    assert (Store(tmp_path).rows(["a"], COUNT, Rows())["a"] == wanted("a")).all()
    assert Store(tmp_path).array("b", Counter()).shape == (3, 4)
    assert {path.name for path in kept(tmp_path)} == {"a.npy", "a.json", "b.npy", "b.json"}


def test_other_trouble_with_locks_comes_out(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*words: object) -> None:
        raise OSError(errno.EIO, "Disk trouble")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(OSError, match="Disk trouble"):
        Store(tmp_path).array("b", Counter())


def test_what_came_besides_is_kept_too(tmp_path) -> None:
    def both(keys: list[str], rows: range) -> dict[str, np.ndarray]:
        return Rows()(["a", "b"], rows)

    Store(tmp_path).rows(["a"], COUNT, both)
    compute = Rows()
    assert (Store(tmp_path).rows(["b"], COUNT, compute)["b"] == wanted("b")).all()
    assert compute.asked == []


def test_without_a_folder_rows_are_the_same() -> None:
    assert (Store().rows(["a"], COUNT, Rows())["a"] == wanted("a")).all()
    assert Store().rows(["a"], 0, lambda keys, rows: {"a": np.zeros((0, 2))})["a"].shape == (0, 2)


def worker(folder: str, log: str) -> None:
    def compute(keys: list[str], rows: range) -> dict[str, np.ndarray]:
        with open(log, "a") as file:
            file.write(f"{rows.start // SHARD}\n")
        time.sleep(0.05)
        return Rows()(keys, rows)

    found = Store(Path(folder)).rows(["a"], 8 * SHARD, compute)["a"]
    assert (found[:, 0] == np.arange(8 * SHARD)).all()


def test_two_processes_share_the_work_and_do_none_twice(tmp_path) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    both = [context.Process(target=worker, args=(str(tmp_path / "store"), str(log))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    assert [one.exitcode for one in both] == [0, 0]
    assert sorted(map(int, log.read_text().split())) == list(range(8))


def hold(folder: str) -> None:
    def compute(keys: list[str], rows: range) -> dict[str, np.ndarray]:
        Path(folder, "holding").touch()
        time.sleep(600)
        return {}

    Store(Path(folder)).rows(["a"], COUNT, compute)


def test_the_lock_of_a_killed_process_is_free(tmp_path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(str(tmp_path),))
    process.start()
    while not (tmp_path / "holding").exists():
        assert process.is_alive()
        time.sleep(0.02)
    process.kill()
    process.join()
    assert (Store(tmp_path).rows(["a"], COUNT, Rows())["a"] == wanted("a")).all()
