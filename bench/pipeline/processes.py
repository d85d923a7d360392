"""Pictures made ready by forked processes: for a model on a device of its own, to which they only hand pixels.

Threads share one interpreter lock and one address space, and gain little beyond ten cores; processes do not. They are
forked, so tasks and models need no pickling, and never touch the device. Each writes its part of a batch where it
belongs, into memory that all share: the process that feeds the device copies nothing, and they give way to it.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from bench.errors import FOREIGN, BenchError
from bench.pipeline.threads import cores

if TYPE_CHECKING:
    from PIL.Image import Image

PIECE = 32
"""Pictures that a process makes ready at a time, over all changes."""
AHEAD = 3
"""Pieces that each process is given ahead of time, at least."""
HELD = 2**30
"""Bytes of pixels that a batch may have under all changes together; it has fewer pictures where it would have more."""
WAY = 5
"""By how much the processes are nicer than the one that feeds the device."""
DEATH = 1
"""PR_SET_PDEATHSIG of Linux: the signal that a process gets when its parent dies."""
Change = TypeVar("Change")
Columns = dict[str, np.ndarray]
"""What is ready of a picture, or of all of a block: one nameless array, or several by name."""


def possible() -> bool:
    """Whether this system forks, and ends the children of who was killed: they would hold its locks."""
    return sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()


class Processes(Generic[Change]):
    """A `bench.pipeline.Reader`. Its processes start with the first question and go on to the rows that are next.

    What it gives may lie in shared memory, and is valid until the next batch is asked for.
    """

    def __init__(
        self, picture: Callable[[int], Image], ready: Callable[[Image, int, Change], Any], plan: Sequence[range],
        size: int, *, workers: int | None = None,
    ) -> None:  # fmt: skip
        self._picture, self._ready = picture, ready
        self._plan, self._size, self._workers = list(plan), size, workers or cores()
        self._running: _Running | None = None

    def __call__(self, rows: range, changes: Sequence[Change]) -> Iterator[tuple[range, Change, Sequence[Any]]]:
        if not rows:
            return
        if self._running is None or rows not in self._plan or not self._running.can_give(rows, changes):
            self.close()
            plan = [rows, *(one for one in self._plan if one.start > rows.start)]
            self._running = _Running(_Work(self._picture, self._ready, list(changes)), plan, self._size, self._workers)
        done = False  # an iterator that is left halfway leaves processes halfway too
        try:
            for block, made in self._running.over(rows):
                yield from ((block, change, one) for change, one in zip(changes, made, strict=True))
            done = True
        finally:
            if not done:
                self.close()

    def close(self) -> None:
        """End the processes."""
        if self._running is not None:
            self._running.pool.shutdown(cancel_futures=True)
            self._running = None


@dataclass
class _Work:
    """What a process has from its parent, since it was forked."""

    picture: Callable[[int], Any]
    ready: Callable[[Any, int, Any], Any]
    changes: list[Any]
    room: list[Columns] = field(default_factory=list)
    """Of each block that can be in the making: arrays [change, picture, ...]."""
    parent: int = field(default_factory=os.getpid)

    def make(self, piece: range) -> list[list[Any]]:
        """For each change what is ready."""
        opened = [self.picture(i) for i in piece]
        return [[self.ready(one, i, change) for one, i in zip(opened, piece, strict=True)] for change in self.changes]


class _Running:
    """Processes at work on a plan, under changes that stay the same."""

    def __init__(self, work: _Work, plan: list[range], size: int, workers: int) -> None:
        self.work, self.at = work, plan[0].start
        self.first = work.make(range(self.at, self.at + 1))[0][0]
        changes, columns = len(work.changes), _columns(self.first)
        self.block = max(1, min(size, HELD // max(1, changes * sum(one.nbytes for one in columns.values()))))
        self.piece = max(1, min(PIECE // changes, self.block))
        blocks = 2 + workers * AHEAD * self.piece // self.block
        work.room = [{name: _shared((changes, self.block, *one.shape), one.dtype) for name, one in columns.items()}
                     for _ in range(blocks)]  # fmt: skip
        self.free = list(range(blocks))
        self.coming = (block for rows in plan for block in cut(rows, self.block))
        self.asked: deque[tuple[range, int, list[Future[list[list[Columns]] | None]]]] = deque()
        self.pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin, (work,))
        with one_thread("cv2", "getNumThreads", "setNumThreads"):  # threads are not forked, and OpenCV waits for them
            self.ask(self.at)

    def can_give(self, rows: range, changes: Sequence[Any]) -> bool:
        """Whether these rows are still to come."""
        return rows.start >= self.at and list(changes) == self.work.changes

    def over(self, rows: range) -> Iterator[tuple[range, list[Sequence[Any]]]]:
        """The blocks of these rows, in order: for each change what is ready."""
        while self.at < rows.stop:
            self.ask(rows.start)
            block, place, pieces = self.asked.popleft()
            self.at = block.stop
            try:
                handed_back = [one.result() for one in pieces]
            except BrokenProcessPool as error:
                raise BenchError(
                    f"A process that reads pictures {block.start} to {block.stop - 1} or some after them died. Memory "
                    "may have run out, or a damaged picture have crashed its decoder. With model.device=cpu threads "
                    "read them, slower."
                ) from error
            if block.start >= rows.start:  # else it was begun ahead of time, and then not asked for
                yield block, [self.given(place, i, len(block), handed_back) for i in range(len(self.work.changes))]
            self.free.append(place)

    def ask(self, wanted: int) -> None:
        """Have blocks made from `wanted` on, as far as there is room for them."""
        while self.free and (block := next((one for one in self.coming if one.start >= wanted), None)):
            place = self.free.pop()
            pieces = [self.pool.submit(_make, piece, place, piece.start - block.start)
                      for piece in cut(block, self.piece)]  # fmt: skip
            self.asked.append((block, place, pieces))

    def given(self, place: int, change: int, count: int, handed_back: list[list[list[Columns]] | None]) -> Any:
        """What is ready of a block under one change, in the form in which the model's own preprocessing gives it."""
        arrays = {name: one[change][:count] for name, one in self.work.room[place].items()}
        if not any(handed_back) and isinstance(self.first, np.ndarray):
            return arrays[""]
        rows = [{name: one[i, ...] for name, one in arrays.items()} for i in range(count)]
        for start, piece in zip(range(0, count, self.piece), handed_back, strict=True):
            rows[start : start + self.piece] = piece[change] if piece else rows[start : start + self.piece]
        return [_formed(row, self.first) for row in rows]


_work: _Work | None = None
"""Of this process, if it is one of them."""


def _begin(work: _Work) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    ctypes.CDLL(None).prctl(DEATH, signal.SIGKILL)
    if os.getppid() != work.parent:
        os._exit(1)
    os.nice(WAY)


def _make(piece: range, place: int, offset: int) -> list[list[Columns]] | None:
    """Make a piece ready where it belongs; handed back if it does not fit there, since shapes differ."""
    assert _work is not None
    try:
        made = [[_columns(one) for one in row] for row in _work.make(piece)]
    except BenchError as error:
        raise BenchError(str(error)) from None  # what it came from might not be one that can be handed over
    except FOREIGN as error:
        raise BenchError(f"{type(error).__name__}: {error}") from None
    room = _work.room[place]
    fits = {name: (one.shape[2:], one.dtype) for name, one in room.items()}
    if any({name: (array.shape, array.dtype) for name, array in one.items()} != fits for row in made for one in row):
        return made
    for i, row in enumerate(made):
        for j, one in enumerate(row, start=offset):
            for name, array in one.items():
                room[name][i, j] = array
    return None


def _columns(ready: Any) -> Columns:
    return {name: np.asarray(one) for name, one in (ready if isinstance(ready, dict) else {"": ready}).items()}


def _formed(columns: Columns, like: Any) -> Any:
    """One array, one tensor or a dictionary of either, as `like` is."""
    if isinstance(like, dict):
        return {name: _formed({"": one}, like[name]) for name, one in columns.items()}
    if isinstance(like, np.ndarray):
        return columns[""]
    import torch

    return torch.from_numpy(columns[""])


def _shared(shape: tuple[int, ...], kind: np.dtype[Any]) -> np.ndarray:
    """An array that processes share that are forked later. Unlike `/dev/shm` it is as large as memory."""
    count = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(1, count * kind.itemsize)), kind, count).reshape(shape)


def cut(rows: range, size: int) -> Iterator[range]:
    """Rows in parts of `size`, the last one with what is left."""
    for start in range(rows.start, rows.stop, size):
        yield range(start, min(start + size, rows.stop))


@contextlib.contextmanager
def one_thread(module: str, get: str, put: str) -> Iterator[None]:
    """A library that has threads of its own does without them meanwhile, if it was imported."""
    library = sys.modules.get(module)
    before = getattr(library, get)() if library else 0
    if library:
        getattr(library, put)(1)
    try:
        yield
    finally:
        if library:
            getattr(library, put)(before)
