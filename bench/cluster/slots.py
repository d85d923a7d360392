"""One process per GPU: each job of a machine takes a GPU that no other job of the sweep has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_gpu(folder: Path) -> Iterator[int | None]:
    """The number of a GPU that is ours while this lasts, which is made PyTorch's current one; None with fewer than two.

    Claims are locks in `folder`, which the system releases when their holder dies. If all are taken, the GPUs are
    shared.
    """
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        yield None
        return
    with claim(folder, count) as number, own_cores(number, count):
        torch.cuda.set_device(number)
        yield number


@contextmanager
def own_cores(number: int, count: int) -> Iterator[None]:
    """This process, and those that it starts to decode pictures, keep to every `count`-th core while this lasts."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if mine := sorted(allowed)[number::count]:
        os.sched_setaffinity(0, mine)
    try:
        yield
    finally:
        if mine:
            os.sched_setaffinity(0, allowed)


@contextmanager
def claim(folder: Path, count: int) -> Iterator[int]:
    """The first of `count` slots that nobody holds; slot 0, shared, if there is none."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        lock = FileLock(folder / f"gpu-{number}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        try:
            yield number
        finally:
            lock.release()
        return
    yield 0
