"""One process or many: gathering with gradient, averaging of gradients. With one process everything is the identity.

Start many with `torchrun --nproc-per-node N -m bench.training.clip ...`; each takes its own part of a batch, and
the contrastive loss sees the pictures and texts of all (Radford et al. 2021, section 2.5).
"""

import os
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn


class World(NamedTuple):
    """Which process this is, and of how many."""

    rank: int
    size: int


def join() -> World:
    """Join the group that torchrun announces in the environment; alone without one."""
    if "RANK" not in os.environ:
        return World(0, 1)
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return World(distributed.get_rank(), distributed.get_world_size())


def gather(rows: Tensor, world: World) -> Tensor:
    """[n, ...] of each process -> [size * n, ...], in order of rank; gradients flow back to where rows came from."""
    if world.size == 1:
        return rows
    if not rows.is_floating_point():
        out = [torch.empty_like(rows) for _ in range(world.size)]
        distributed.all_gather(out, rows.contiguous())
        return torch.cat(out)
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(rows.contiguous()))  # type: ignore[no-untyped-call]


def average_gradients(model: nn.Module, world: World) -> None:
    """Replace each gradient by its mean over the processes."""
    if world.size == 1:
        return
    for parameter in model.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= world.size
