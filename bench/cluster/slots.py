"""One process per GPU: each job of a machine takes a GPU that no other job of the sweep has, or as few as can be."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.store.locks import held


@contextmanager
def own_gpu(folder: Path) -> Iterator[int | None]:
    """The number of a GPU that is ours while this lasts, which is made PyTorch's current one; None with fewer than two.

    Claims are locks in `folder`, which the system releases when their holder dies. More processes than GPUs share them
    evenly.
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
    """The first of `count` slots that nobody holds; if all are taken, the first that one process holds, and so on."""
    from filelock import Timeout

    folder.mkdir(parents=True, exist_ok=True)
    for place in itertools.count():
        holders, number = divmod(place, count)
        with ExitStack() as stack:
            try:
                locked = stack.enter_context(held(folder / f"gpu-{number}-{holders}.lock", wait=False))
            except Timeout:
                continue
            yield number if locked else os.getpid() % count  # without locks nobody knows of the others
            return
