"""Pictures made ready while the model computes: decoded, changed and preprocessed, batch after batch.

On a processor by threads that take turns with the model (`threads`); for a model on a device of its own by processes,
which decode 1.6 times as many pictures a second on 16 cores as threads do (`processes`). A batch is the same whatever
the number of either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bench.pipeline.processes import Processes, one_thread, possible
from bench.pipeline.threads import batches

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Batch", "Reader", "reader"]

AHEAD = 3
"""Batches that threads make ready beyond the one that a model on a device of its own has."""
ENOUGH = 2048
"""Pictures from which on the start of processes pays."""
Change = TypeVar("Change")
Batch = tuple[range, Change, Sequence[Any]]
"""Which pictures, under which change, and what is ready of each."""


class Reader(Protocol[Change]):
    """Gives batches of rows in order, under each change; a picture is decoded once for all changes."""

    def __call__(self, rows: range, changes: Sequence[Change]) -> Iterator[Batch[Change]]:
        """An error in a picture comes out when its batch is due."""
        ...


@contextlib.contextmanager
def reader(
    picture: Callable[[int], Image],
    ready: Callable[[Image, int, Change], Any],
    *,
    plan: Sequence[range],
    size: int,
    device: str,
    forks: bool = True,
) -> Iterator[Reader[Change]]:
    """The kind of reader that suits.

    Args:
        picture: decodes one; asked from several threads or processes at once.
        ready: (picture, place, change) -> what the model reads.
        plan: the rows that will be asked for, in order; what comes next is begun before it is asked for. Others may be
            asked for as well.
        size: pictures a batch.
        device: where the model computes.
        forks: False if `picture` must not be called from a process that was forked.
    """
    if device != "cpu" and forks and sum(map(len, plan)) >= ENOUGH and possible():
        # Threads of PyTorch spin for some ms after each use: on an H100 with 16 cores they took two cores of decoding.
        alone = one_thread("torch", "get_num_threads", "set_num_threads")
        with alone, contextlib.closing(Processes(picture, ready, plan, size)) as processes:
            yield processes
    else:
        ahead = 0 if device == "cpu" else AHEAD
        yield lambda rows, changes: batches(picture, rows, changes, ready, size=size, ahead=ahead)
