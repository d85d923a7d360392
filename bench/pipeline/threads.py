"""Pictures made ready by threads: Pillow, OpenCV and numpy release the interpreter lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 16
"""Threads at most."""
Change = TypeVar("Change")


def batches(
    picture: Callable[[int], Image],
    rows: range,
    changes: Sequence[Change],
    ready: Callable[[Image, int, Change], Any],
    *,
    size: int,
    workers: int | None = None,
    ahead: int = 0,
) -> Iterator[tuple[range, Change, list[Any]]]:
    """The pictures of `rows` under each change, `size` at a time: which they are, the change, and what is ready.

    A picture is decoded once for all changes. An error in one of them comes out when its batch is due.

    Args:
        picture: decodes one.
        ready: (picture, place, change) -> what the model reads.
        workers: threads; as many as there are cores, up to MOST, unless given.
        ahead: batches in the making while the last one is with the caller. 0 where the caller needs all cores itself:
            threads of both that fight for them cost a third of the speed.
    """
    with ThreadPoolExecutor(workers or min(MOST, cores())) as pool:
        waiting: deque[tuple[range, Change, list[Future[Any]]]] = deque()
        try:
            for start in range(rows.start, rows.stop, size):
                places = range(start, min(start + size, rows.stop))
                opened = [pool.submit(picture, i) for i in places]
                for change in changes:
                    jobs = [pool.submit(_after, one, i, change, ready) for one, i in zip(opened, places, strict=True)]
                    waiting.append((places, change, jobs))
                    if len(waiting) > ahead:
                        yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _after(opened: Future[Image], place: int, change: Change, ready: Callable[[Image, int, Change], Any]) -> Any:
    # Never a deadlock: pictures are asked for before what is made of them, and the pool works in that order.
    return ready(opened.result(), place, change)


def _done(places: range, change: Change, jobs: list[Future[Any]]) -> tuple[range, Change, list[Any]]:
    return places, change, [job.result() for job in jobs]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
