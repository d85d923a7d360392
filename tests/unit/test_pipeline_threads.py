"""Batches that threads make ready: in order, each picture decoded once, the same for any number of threads."""

import threading
import time

import numpy as np
import pytest
from PIL import Image

from bench.pipeline.threads import batches


def picture(i: int) -> Image.Image:
    return Image.new("L", (2, 2), i)


def shifted(image: Image.Image, place: int, change: int) -> tuple[int, int]:
    return int(np.asarray(image)[0, 0]) + change, place


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_batches_come_in_order_whatever_the_threads(workers: int) -> None:
    found = list(batches(picture, range(3, 14), [0, 100], shifted, size=4, workers=workers))
    assert [(list(places), change) for places, change, _ in found] == [
        (list(range(start, min(start + 4, 14))), change) for start in (3, 7, 11) for change in (0, 100)
    ]
    assert all(made == [(i + change, i) for i in places] for places, change, made in found)


def test_a_picture_is_decoded_once_for_all_changes() -> None:
    asked, lock = [], threading.Lock()

    def counted(i: int) -> Image.Image:
        with lock:
            asked.append(i)
        return picture(i)

    assert len(list(batches(counted, range(10), [0, 1, 2], shifted, size=3))) == 12
    assert sorted(asked) == list(range(10))


def test_few_batches_are_made_ahead() -> None:
    asked = []

    def counted(i: int) -> Image.Image:
        asked.append(i)
        return picture(i)

    stream = batches(counted, range(1000), [0], shifted, size=10, ahead=3)
    next(stream)
    time.sleep(0.05)
    assert len(asked) <= 50
    stream.close()


def test_an_error_comes_when_its_batch_is_due() -> None:
    def broken(i: int) -> Image.Image:
        if i == 5:
            raise ValueError("picture 5")
        return picture(i)

    stream = batches(broken, range(8), [0], shifted, size=4)
    assert list(next(stream)[0]) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="picture 5"):
        next(stream)
