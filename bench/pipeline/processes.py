"""Pictures made ready by forked processes: for a model on a device of its own, to which they only hand pixels.

Threads share one interpreter lock and one address space, and gain little beyond ten cores; processes do not. They are
forked, so tasks and models need no pickling, and never touch the device. PyTorch's DataLoader runs them: it hands
arrays over in shared memory and ends them when their parent dies.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np

from bench.errors import BenchError
from bench.pipeline.threads import cores

if TYPE_CHECKING:
    from PIL.Image import Image

PIECE = 32
"""Pictures that a process makes ready at a time, over all changes."""
AHEAD = 4
"""Pieces that each process is given ahead of time."""
HELD = 2**30
"""Bytes of pixels that a batch may have under all changes together; it has fewer pictures where it would have more."""
SHARED = "/dev/shm"  # noqa: S108 - where Linux has shared memory
ROOM = 2**31
"""Bytes that must be free there: containers are often given 64 MiB."""
Change = TypeVar("Change")


def possible() -> bool:
    """Whether this system forks, and has shared memory for the pixels."""
    try:
        return "fork" in multiprocessing.get_all_start_methods() and shutil.disk_usage(SHARED).free >= ROOM
    except OSError:
        return False


class Processes(Generic[Change]):
    """A `bench.pipeline.Reader`. Its processes start with the first question and go on to the rows that are next."""

    def __init__(
        self, picture: Callable[[int], Image], ready: Callable[[Image, int, Change], Any], plan: Sequence[range],
        size: int, *, workers: int | None = None,
    ) -> None:  # fmt: skip
        self._picture, self._ready = picture, ready
        self._plan, self._size, self._workers = list(plan), size, workers or cores()
        self._changes: list[Change] = []
        self._coming: Iterator[tuple[range, Any]] = iter(())
        self._at = sys.maxsize
        """The first row that can still come."""
        self._wanted = 0
        """The first row that is still asked for."""

    def __call__(self, rows: range, changes: Sequence[Change]) -> Iterator[tuple[range, Change, Sequence[Any]]]:
        if rows not in self._plan or rows.start < self._at or list(changes) != self._changes:
            self._start(rows, changes)
        self._wanted = rows.start
        for block in cut(rows, self._block):
            pieces = [self._next(piece) for piece in cut(block, self._piece)]
            for i, change in enumerate(changes):
                yield block, change, [one for piece in pieces for one in _apart(piece[i])]

    def close(self) -> None:
        """End the processes."""
        self._coming, self._at = iter(()), sys.maxsize  # the DataLoader's iterator ends them when nobody holds it

    def made(self, piece: range) -> list[Any]:
        """Called in a process: for each change what is ready, one under the other."""
        opened = [self._picture(i) for i in piece]
        return [
            _together([self._ready(picture, i, change) for picture, i in zip(opened, piece, strict=True)])
            for change in self._changes
        ]

    def _start(self, rows: range, changes: Sequence[Change]) -> None:
        self.close()
        self._changes, self._at, self._wanted = list(changes), rows.start, rows.start
        self._piece, self._block = max(1, PIECE // len(changes)), self._size
        if len(changes) > 1:
            weight = _weight(self.made(range(rows.start, rows.start + 1)))
            self._block = max(1, min(self._size, HELD // weight))
        self._coming = self._stream([rows, *(one for one in self._plan if one.start > rows.start)])

    def _stream(self, plan: list[range]) -> Iterator[tuple[range, Any]]:
        """Each piece of the plan that is wanted when its turn comes, and what was made of it or went wrong."""
        import torch
        from torch.utils.data import DataLoader

        asked: list[range] = []

        def pieces() -> Iterator[range]:
            for rows in plan:
                for block in cut(rows, self._block):
                    for piece in cut(block, self._piece):
                        if piece.start >= self._wanted:
                            asked.append(piece)
                            yield piece

        dice = torch.Generator()  # of its own: the loader would draw from the one that all share
        data = cast("Any", _Pieces(self.made))
        loader: Any = DataLoader(data, sampler=pieces(), batch_size=None, num_workers=self._workers,
                                 prefetch_factor=AHEAD, multiprocessing_context="fork", generator=dice)  # fmt: skip
        with _opencv_alone():
            coming = iter(loader)
        return ((asked.pop(0), made) for made in coming)

    def _next(self, wanted: range) -> list[Any]:
        """What was made of this piece; what was made of others before it is dropped."""
        try:
            piece, made = next(one for one in self._coming if one[0].start >= wanted.start)
        except RuntimeError as error:  # so the DataLoader says that a process has died
            self.close()
            raise BenchError(
                f"A process that reads pictures {wanted.start} to {wanted.stop - 1} or some after them died "
                f"({' '.join(str(error).split())}). Memory may have run out, or a damaged picture have crashed its "
                "decoder. With model.device=cpu threads read them, slower."
            ) from error
        self._at = piece.stop
        if isinstance(made, BenchError):
            self.close()
            raise made
        return list(made)


class _Pieces:
    """A data set of PyTorch whose items are pieces. What goes wrong is an item too, as an error that can be pickled."""

    def __init__(self, made: Callable[[range], list[Any]]) -> None:
        self.made = made

    def __getitem__(self, piece: range) -> list[Any] | BenchError:
        try:
            return self.made(piece)
        except BenchError as error:
            return BenchError(str(error))
        except Exception as error:
            said = BenchError(f"{type(error).__name__}: {error}")
            said.add_note(traceback.format_exc())
            return said


def cut(rows: range, size: int) -> Iterator[range]:
    """Rows in parts of `size`, the last one with what is left."""
    for start in range(rows.start, rows.stop, size):
        yield range(start, min(start + size, rows.stop))


def _together(items: list[Any]) -> Any:
    """Arrays or tensors, or dictionaries of them, as one tensor each: that lies in shared memory."""
    import torch

    first = items[0]
    if isinstance(first, dict):
        return {name: _together([one[name] for one in items]) for name in first}
    return torch.stack(items) if isinstance(first, torch.Tensor) else torch.from_numpy(np.stack(items))


def _apart(made: Any) -> list[Any]:
    """The items again, as tensors."""
    if isinstance(made, dict):
        columns = [_apart(column) for column in made.values()]
        return [dict(zip(made, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(made)


def _weight(made: list[Any]) -> int:
    """Bytes of what is ready."""
    tensors = [one for part in made for one in (part.values() if isinstance(part, dict) else [part])]
    return max(1, sum(int(one.nbytes) for one in tensors))


@contextlib.contextmanager
def _opencv_alone() -> Iterator[None]:
    """What is forked meanwhile has an OpenCV of one thread: threads are not forked, and it would wait for them."""
    opencv = sys.modules.get("cv2")
    before = opencv.getNumThreads() if opencv else 0
    if opencv:
        opencv.setNumThreads(1)
    try:
        yield
    finally:
        if opencv:
            opencv.setNumThreads(before)
