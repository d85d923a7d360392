"""Jobs on one machine: one GPU each, and a share of its cores."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.cluster import slots


def test_each_takes_a_slot_of_its_own(tmp_path: Path) -> None:
    with slots.claim(tmp_path, 2) as first:
        with slots.claim(tmp_path, 2) as second:
            assert (first, second) == (0, 1)
        with slots.claim(tmp_path, 2) as again:
            assert again == 1


def test_more_processes_than_slots_share_them_evenly(tmp_path: Path) -> None:
    with ExitStack() as stack:
        taken = [stack.enter_context(slots.claim(tmp_path, 3)) for _ in range(8)]
        assert taken == [0, 1, 2, 0, 1, 2, 0, 1]
    with ExitStack() as stack:
        stack.enter_context(slots.claim(tmp_path, 2))
        with slots.claim(tmp_path, 2):
            assert stack.enter_context(slots.claim(tmp_path, 2)) == 0
        assert stack.enter_context(slots.claim(tmp_path, 2)) == 1  # that is free again


def test_a_slot_that_fails_is_free_again(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="of the job"), slots.claim(tmp_path, 2):
        raise TimeoutError("of the job")
    with slots.claim(tmp_path, 2) as number:
        assert number == 0


def test_without_locks_processes_are_spread_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*words: object) -> None:
        raise OSError(errno.ENOLCK, "No locks")

    monkeypatch.setattr("fcntl.flock", flock)
    for process in range(40, 44):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        with slots.claim(tmp_path, 4) as number:
            assert number == process - 40


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen on this system")
def test_processes_of_several_gpus_share_the_cores() -> None:
    all_cores = os.sched_getaffinity(0)
    taken: list[int] = []
    for number in range(2):
        with slots.own_cores(number, 2):
            taken += sorted(os.sched_getaffinity(0))
        assert os.sched_getaffinity(0) == all_cores
    assert sorted(set(taken)) == sorted(all_cores)
    assert len(taken) == len(all_cores) or len(all_cores) == 1
    with slots.own_cores(len(all_cores), len(all_cores) + 1):  # more GPUs than cores: nobody is left without
        assert os.sched_getaffinity(0) == all_cores


def test_without_several_gpus_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with slots.own_gpu(tmp_path / "gpus") as number:
        assert number is None
    assert not (tmp_path / "gpus").exists()
    seen: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    with slots.own_gpu(tmp_path / "gpus"), slots.own_gpu(tmp_path / "gpus"):
        assert seen == [0, 1]
