import numpy as np
import pytest

from bench.errors import BenchError
from bench.store import Store


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
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_space_says_what_to_do(tmp_path, monkeypatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(BenchError, match=r"No space left on device.*store\.folder"):
        Store(tmp_path).array("abc", Counter())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_without_a_folder_nothing_is_kept() -> None:
    compute = Counter()
    Store().array("abc", compute)
    Store().array("abc", compute)
    assert compute.calls == 2
