"""Losses against figures worked out plainly."""

import os
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from bench.training.distributed import World, gather, leave
from bench.training.losses import Features, contrastive, teacher

ALONE = World(0, 1)


def unit(rows: int, seed: int) -> torch.Tensor:
    return F.normalize(torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_contrastive_is_cross_entropy_both_ways() -> None:
    pictures, texts, scale = unit(5, 0), unit(7, 1), torch.tensor(10.0)
    found = contrastive(Features(pictures, unit(0, 2), texts), torch.arange(7), scale, ALONE)
    logits = scale * pictures @ texts.T
    own = torch.arange(5)
    wanted = (F.cross_entropy(logits, own) + F.cross_entropy(logits[:, :5].T, own)) / 2
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_equal_names_are_no_negatives() -> None:
    pictures, texts, scale = unit(2, 0), unit(2, 1), torch.tensor(10.0)
    found = contrastive(Features(pictures, unit(0, 2), texts), torch.tensor([3, 3]), scale, ALONE)
    assert found.item() == pytest.approx(0, abs=1e-6)  # nothing is left to confuse a picture with


def test_teacher_is_zero_when_the_model_agrees_and_positive_else() -> None:
    photographs, words, scale = unit(3, 0), unit(6, 1), torch.tensor(4.0)
    agreed = (scale * photographs @ words.T).view(3, 2, 3).softmax(-1)
    assert teacher(photographs, words, agreed, scale).item() == pytest.approx(0, abs=1e-6)
    certain = torch.zeros(3, 2, 3)
    certain[..., 0] = 1
    wanted = -(scale * photographs @ words.T).view(3, 2, 3).log_softmax(-1)[..., 0].mean()
    assert teacher(photographs, words, certain, scale).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_alone_gathering_is_the_identity() -> None:
    rows = unit(3, 0)
    assert gather(rows, ALONE) is rows


def _worker(rank: int, folder: str) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    pictures, texts = unit(6, 0).requires_grad_(), unit(8, 1).requires_grad_()
    mine = torch.arange(3) + 3 * rank
    own_texts = torch.cat([mine, torch.tensor([6 + rank])])
    part = Features(pictures[mine], unit(0, 2), texts[own_texts])
    loss = contrastive(part, own_texts, torch.tensor(5.0), World(rank, 2))
    loss.backward()
    for tensor in (pictures, texts):
        assert tensor.grad is not None
        torch.distributed.all_reduce(tensor.grad)
    total = loss.detach().clone()
    torch.distributed.all_reduce(total)
    if rank == 0:
        torch.save([total / 2, pictures.grad / 2, texts.grad / 2], f"{folder}/found.pt")
    leave()
    left = [name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")]
    assert not [name for name in left if "gloo" in name]  # one that outlives the interpreter aborts, now and then


@pytest.mark.slow
def test_two_processes_find_the_loss_and_gradient_of_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_worker, (str(tmp_path),), nprocs=2)
    total, of_pictures, of_texts = torch.load(tmp_path / "found.pt", weights_only=True)
    pictures, texts = unit(6, 0).requires_grad_(), unit(8, 1).requires_grad_()
    loss = contrastive(Features(pictures, unit(0, 2), texts), torch.arange(8), torch.tensor(5.0), ALONE)
    loss.backward()
    assert total.item() == pytest.approx(loss.item(), rel=1e-5)
    torch.testing.assert_close(of_pictures, pictures.grad)
    torch.testing.assert_close(of_texts, texts.grad)
