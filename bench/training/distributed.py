"""One process or many: gathering with gradient, averaging of gradients. With one process everything is the identity.

Start many with `torchrun --nproc-per-node N -m bench.training.clip ...`; each takes its own part of a batch, and
the contrastive loss sees the pictures and texts of all (Radford et al. 2021, section 2.5).
"""

import os
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn


class World(NamedTuple):
    """Which process this is, and of how many."""

    rank: int
    size: int


def join(device: str) -> World:
    """Join the group that torchrun announces in the environment; alone without one. `cuda` is then a GPU each."""
    if "RANK" not in os.environ:
        return World(0, 1)
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return World(distributed.get_rank(), distributed.get_world_size())


def leave() -> None:
    """Leave the group, once all have come this far: its threads must end before the interpreter does."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


class _Gather(torch.autograd.Function):
    """What each has, for all; back goes the sum of what all made of it. PyTorch's own keeps the group from ending."""

    @staticmethod
    def forward(context: Any, rows: Tensor, world: World) -> Tensor:
        out = rows.new_empty(world.size, *rows.shape)
        distributed.all_gather(list(out), rows.contiguous())
        context.rank, context.shape = world.rank, out.shape
        return out.flatten(0, 1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total.view(context.shape)[context.rank], None


def gather(rows: Tensor, world: World) -> Tensor:
    """[n, ...] of each process -> [size * n, ...], in order of rank; gradients flow back to where rows came from."""
    if world.size == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows, world)
    return gathered


def average_gradients(model: nn.Module, world: World) -> None:
    """Replace each gradient by its mean over the processes."""
    if world.size == 1:
        return
    for parameter in model.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= world.size
