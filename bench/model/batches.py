"""Batches as large as the device's memory allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from bench.errors import BenchError

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")

USUAL = {"cuda": 256}
"""Pictures at a time by kind of device: 1,024 made an H100 a tenth faster than 256, more than 64 no processor."""
OTHERS = 64
SAID = ("out of memory", "not enough memory", "can't allocate memory")
"""How PyTorch says it where it has no error of its own for it."""
Tell = Callable[[int], object]
"""Called with how many more are done."""

_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Each batch that is done inside, of whatever model, is told."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def usual_batch(device: str) -> int:
    """Pictures at a time that suit a device such as `cuda:1`."""
    return USUAL.get(device.partition(":")[0], OTHERS)


class Batches:
    """Runs a model over items, `size` at a time; where memory does not suffice, half as many, from then on."""

    def __init__(self, size: int | None, device: torch.device | str) -> None:
        self.device = str(device)
        self.size = size or usual_batch(self.device)

    def over(
        self, items: Sequence[Item], compute: Callable[[Sequence[Item]], torch.Tensor], *,
        reach: Callable[[int, int], int] | None = None,
    ) -> Iterator[torch.Tensor]:  # fmt: skip
        """What `compute` makes of each batch, in order.

        Args:
            reach: of (start, size) where a batch ends that takes as much memory as `size` pictures, if that is not
                after `size` items.

        Raises:
            BenchError: one item alone does not fit.
        """
        start = 0
        while start < len(items):
            part = items[start : start + self.size if reach is None else reach(start, self.size)]
            made = self._tried(part, compute)
            if made is not None:
                yield made
                start += len(part)
                if tell := _tell.get():
                    tell(len(part))

    def _tried(self, part: Sequence[Item], compute: Callable[[Sequence[Item]], torch.Tensor]) -> torch.Tensor | None:
        try:
            return compute(part)
        except (RuntimeError, MemoryError) as error:
            if not short_of_memory(error):
                raise
            refusal = no_room(f"Not even one picture at a time fits into the memory of {self.device}", error)
        # Only now, with the error gone and what it held of the failed batch, can the memory be given back.
        if self.size == 1:
            raise refusal
        self.size //= 2
        _give_back(self.device)
        return None


def short_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine has run out of memory."""
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(one in str(error).lower() for one in SAID)


def no_room(what: str, error: BaseException) -> BenchError:
    """The error for what does not fit, where `short_of_memory` says so."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return BenchError(
        f"{what} ({said}). Free some of it, take another device (model.device=cpu) or a smaller type of number "
        "(model.precision=bfloat16)."
    )


def _give_back(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
