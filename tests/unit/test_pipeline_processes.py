"""Batches that processes make ready: those of threads, in any order of questions; what goes wrong is said and ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.embeddings import CLEAN, Condition, Needs, embed_under
from bench.errors import BenchError
from bench.model import ModelCard
from bench.pipeline import processes, reader
from bench.pipeline.processes import Processes
from bench.pipeline.threads import batches
from bench.store import Store
from bench.task import ClassName, Pictures, Records, Samples, Task

pytestmark = pytest.mark.skipif(not processes.possible(), reason="a fork of Linux")
PLAN = [range(100), range(100, 200), range(200, 300), range(300, 330)]


def picture(i: int) -> Image.Image:
    return Image.new("L", (2, 2), i % 256)


def shifted(image: Image.Image, place: int, change: int) -> np.ndarray:
    return np.asarray(image).astype(np.int64) + 1000 * place + change


@pytest.fixture
def two() -> Iterator[Processes[int]]:
    made = Processes(picture, shifted, PLAN, 40, workers=2)
    yield made
    made.close()


def listed(found: Iterator[tuple[range, int, Any]]) -> list[tuple[range, int, list[Any]]]:
    return [(places, change, [np.asarray(one).tolist() for one in made]) for places, change, made in found]


def expected(rows: range, changes: list[int]) -> list[tuple[range, int, list[Any]]]:
    return listed(batches(picture, rows, changes, shifted, size=40))


@pytest.mark.parametrize("changes", [[0], [0, 100, 7]])
@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3], [1, 3], [0, 3, 1], [2, 2, 0]], ids=["planned", "some skipped", "back", "twice"]
)
def test_they_give_what_threads_give_whatever_is_asked(
    two: Processes[int], order: list[int], changes: list[int]
) -> None:
    for i in order:
        assert listed(two(PLAN[i], changes)) == expected(PLAN[i], changes)


def test_other_rows_and_other_changes_may_be_asked_for(two: Processes[int]) -> None:
    for rows, changes in ((PLAN[0], [0]), (range(5, 17), [0]), (PLAN[1], [3, 4]), (PLAN[2], [3, 4]), (range(0), [1])):
        assert listed(two(rows, changes)) == expected(rows, changes)


def test_under_many_changes_a_batch_is_small_enough(two: Processes[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "HELD", 10 * 3 * 2 * 2 * 8)  # ten pictures under three changes
    found = listed(two(PLAN[0], [0, 1, 2]))
    assert [len(places) for places, change, _ in found if change == 0] == [10] * 10
    assert [one for _, change, made in found if change == 2 for one in made] == [
        one for _, change, made in expected(PLAN[0], [2]) for one in made
    ]


def test_pictures_of_different_shapes_are_handed_back() -> None:
    def ready(image: Image.Image, place: int, change: int) -> np.ndarray:
        return np.full((2, 3 if place == 50 else 2), place + change)

    made = Processes(picture, ready, PLAN, 40, workers=2)
    for rows in PLAN:
        assert listed(made(rows, [0, 9])) == listed(batches(picture, rows, [0, 9], ready, size=40))
    made.close()


def test_dictionaries_of_tensors_come_apart_again() -> None:
    def ready(image: Image.Image, place: int, change: None) -> dict[str, torch.Tensor]:
        return {"pixels": torch.full((1, 3), place), "size": torch.tensor(place)}

    made = Processes(picture, ready, [range(7)], 5, workers=2)
    found = [one for _, _, part in made(range(7), [None]) for one in part]
    assert [int(one["size"]) for one in found] == list(range(7))
    assert found[3]["pixels"].tolist() == [[3, 3, 3]]
    made.close()


class OddError(Exception):
    def __init__(self, first: int, second: int) -> None:  # cannot be pickled: its arguments are not kept
        super().__init__(f"{first} and {second}")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BenchError("picture 150 is broken"), "^picture 150 is broken$"),
        (ValueError("no"), "^ValueError: no"),
        (OddError(1, 2), "^OddError: 1 and 2"),
    ],
)
def test_an_error_comes_when_its_batch_is_due_and_others_can_be_asked_for(error: Exception, said: str) -> None:
    def broken(i: int) -> Image.Image:
        if i == 150:
            raise error
        return picture(i)

    made = Processes(broken, shifted, PLAN, 40, workers=2)
    assert listed(made(PLAN[0], [0])) == expected(PLAN[0], [0])
    stream = made(PLAN[1], [0])
    assert list(next(stream)[0]) == list(range(100, 140))
    with pytest.raises(BenchError, match=said):
        next(stream)
    assert listed(made(PLAN[2], [0])) == expected(PLAN[2], [0])
    made.close()


def test_a_process_that_dies_is_a_clear_error() -> None:
    def deadly(i: int) -> Image.Image:
        if i == 150:
            os.kill(os.getpid(), signal.SIGKILL)
        return picture(i)

    made = Processes(deadly, shifted, PLAN, 40, workers=2)
    with pytest.raises(BenchError, match=r"A process that reads pictures \d+ to \d+ or some after them died"):
        [list(made(rows, [0])) for rows in PLAN]
    assert listed(made(PLAN[3], [0])) == expected(PLAN[3], [0])
    made.close()


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_they_end_with_their_reader_and_leave_the_dice_alone() -> None:
    before, dice, threads = children(), torch.random.get_rng_state(), torch.get_num_threads()
    with reader(picture, shifted, plan=[range(2048)], size=64, device="cuda") as read:
        batches_of = read(range(2048), [0])
        next(batches_of)
        assert len(children()) > len(before)
        assert torch.get_num_threads() == 1  # the cores are for decoding
    assert children() == before
    assert torch.get_num_threads() == threads
    assert torch.equal(dice, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("device", "count", "forks"), [("cpu", 4096, True), ("cuda", 100, True), ("cuda", 4096, False)]
)
def test_threads_do_it_on_a_processor_for_few_pictures_and_where_forks_are_refused(
    device: str, count: int, forks: bool
) -> None:
    before = children()
    with reader(picture, shifted, plan=[range(count)], size=64, device=device, forks=forks) as read:
        batches_of = read(range(count), [0])
        next(batches_of)
        assert children() == before


def test_opencv_that_had_threads_before_the_fork_does_not_hang() -> None:
    import cv2

    big = np.random.default_rng(0).integers(0, 255, (800, 800, 3), dtype=np.uint8)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        whole = cv2.GaussianBlur(big, (31, 31), 5)
        made = Processes(picture, lambda image, i, change: cv2.GaussianBlur(big, (31, 31), 5), [range(4)], 4, workers=2)
        assert all(np.array_equal(one, whole) for _, _, part in made(range(4), [None]) for one in part)
        made.close()
        assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(threads)


ORPHANS = """
import os, time
from PIL import Image
import numpy as np
from bench.pipeline.processes import Processes
made = Processes(lambda i: Image.new("L", (2, 2)), lambda image, *_: np.asarray(image), [range(200)], 10, workers=2)
batches_of = made(range(200), [None])
next(batches_of)
print(open(f"/proc/self/task/{os.getpid()}/children").read(), flush=True)
time.sleep(60)
"""


def test_none_outlives_a_parent_that_is_killed() -> None:
    """Or it would hold the store's lock."""
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        ids = parent.stdout.readline().split()
        parent.kill()
    assert len(ids) == 2
    until = time.monotonic() + 20
    while any(Path(f"/proc/{one}").exists() for one in ids) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{one}").exists() for one in ids)


class Means:
    """A model on a device of its own, it says, that sees the mean colour of a picture."""

    card = ModelCard("means", "means", "w", 3, "", "", device="cuda:0")

    def prepare(self, image: Image.Image) -> np.ndarray:
        return np.asarray(image.convert("RGB").resize((2, 2)))

    def encode_images(self, images: Sequence[Any]) -> np.ndarray:
        found = np.array([np.asarray(one, np.float32).mean((0, 1)) + 1 for one in images]).reshape(-1, 3)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode_images([np.full((2, 2, 3), len(text)) for text in texts])


@pytest.mark.parametrize("kept", [True, False])
def test_vectors_are_those_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    def coloured(i: int) -> Image.Image:
        if i == 4500:
            raise OSError("truncated")
        return Image.new("RGB", (3, 2), (i % 256, i // 256, 7))

    count, dark = 4096 + 100, Condition("dark", lambda image, i: image.point(lambda value: value // 2), "dark 1")

    def found(folder: Path, count: int = count) -> list[np.ndarray]:
        samples = Samples(Pictures(count, coloured), np.zeros(count, np.int64), tuple(map(str, range(count))),
                          f"{count}", pd.DataFrame(index=range(count)))  # fmt: skip
        task = Task("t", "f", lambda split: Records([], [], [], ""), (ClassName("a", ("a",)),), ("{}",), {"test": None},
                    "", "")  # fmt: skip
        store = Store(folder if kept else None)
        under = embed_under([CLEAN, dark], task, Needs(("test",)), Means(), samples=lambda split: samples, store=store)
        return [one.images["test"] for _, one in under]

    by_processes = found(tmp_path / "processes")
    with pytest.raises(BenchError, match="picture '4500' cannot be decoded"):
        found(tmp_path / "broken", 4600)
    monkeypatch.setattr("bench.pipeline.possible", lambda: False)
    for mine, theirs in zip(by_processes, found(tmp_path / "threads"), strict=True):
        np.testing.assert_array_equal(mine, theirs)
