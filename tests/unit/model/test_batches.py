"""Batches that shrink until they fit, and the choice of device, type of number and size."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from bench.errors import BenchError
from bench.model.batches import Batches, short_of_memory, telling, usual_batch
from bench.model.hardware import Hardware


def room(most: int, seen: list[int], error: Exception):  # type: ignore[no-untyped-def]
    """A model whose memory holds `most` items."""

    def compute(items: Sequence[int]) -> torch.Tensor:
        seen.append(len(items))
        if len(items) > most:
            raise error
        return torch.tensor(list(items))

    return compute


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried ..."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
]


@pytest.mark.parametrize("error", ERRORS)
def test_a_batch_that_does_not_fit_is_halved_for_good(error: Exception) -> None:
    seen: list[int] = []
    batches = Batches(32, "cpu")
    found = torch.cat(list(batches.over(range(50), room(10, seen, error))))
    assert found.tolist() == list(range(50))
    assert seen == [32, 16, 8, 8, 8, 8, 8, 8, 2]
    assert batches.size == 8
    assert torch.cat(list(batches.over(range(9), room(10, seen, error)))).tolist() == list(range(9))


def test_each_batch_that_fitted_is_told() -> None:
    told: list[int] = []
    compute = room(10, [], MemoryError())
    with telling(told.append):
        list(Batches(16, "cpu").over(range(20), compute))
    list(Batches(16, "cpu").over(range(20), compute))
    assert told == [8, 8, 4]


def test_small_items_go_several_times_as_many() -> None:
    seen: list[int] = []
    compute = room(9, seen, MemoryError())
    assert len(list(Batches(4, "cpu").over(range(20), compute, reach=lambda start, size: start + 4 * size))) == 3
    assert seen == [16, 8, 8, 4]


def test_one_that_does_not_fit_alone_says_what_to_do() -> None:
    with pytest.raises(BenchError, match=r"(?s)one picture at a time.*cpu.*CUDA out of memory.*bfloat16"):
        list(Batches(4, "cpu").over(range(3), room(0, [], ERRORS[0])))


def test_other_errors_come_out() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        list(Batches(4, "cpu").over(range(3), room(0, [], RuntimeError("shape mismatch"))))
    assert not short_of_memory(ValueError("a picture of a memory"))


def test_size_by_device() -> None:
    assert (usual_batch("cpu"), usual_batch("cuda:1")) == (64, 256)
    assert (Batches(None, "cpu").size, Batches(None, torch.device("cuda", 0)).size, Batches(3, "cuda").size) == (
        64,
        256,
        3,
    )


def test_fast_is_what_the_processor_can(monkeypatch: pytest.MonkeyPatch) -> None:
    for can, number in (({"amx_bf16": True}, "bfloat16"), ({"avx512_bf16": True}, "bfloat16"), ({}, "float32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda can=can: can, raising=False)
        assert Hardware("cpu", "fast").number() == number
    assert Hardware("cpu", "float16").number() == "float16"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: False)
    monkeypatch.setattr(Hardware, "resolve", lambda self: torch.device("cuda"))
    assert Hardware("cuda", "fast").number() == "float16"


@pytest.mark.gpu
def test_a_full_gpu() -> None:
    """All but 600 MB are taken: a batch of 4,096 pictures does not fit, and what comes out is the same."""
    import numpy as np
    from PIL import Image

    from bench.model.clip import load_clip

    encoder = load_clip("bundled", device="cuda", batch_size=4096)
    random = np.random.default_rng(0)
    images = [Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)) for _ in range(4096)]
    expected = encoder.encode_images(images)
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0]
    taken = torch.empty(free - 600 * 2**20, dtype=torch.uint8, device="cuda")
    found = encoder.encode_images(images)
    del taken
    torch.cuda.empty_cache()
    assert encoder.batches.size < 4096
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [{"compile": True}, {"precision": "fast"}, {"batch_size": 7}])
def test_settings_on_a_gpu(settings: dict[str, object]) -> None:
    import numpy as np
    from PIL import Image

    from bench.model.clip import load_clip

    random = np.random.default_rng(0)
    images = [Image.fromarray(random.integers(0, 255, (64, 80, 3), dtype=np.uint8)) for _ in range(300)]
    plain = load_clip("bundled", device="cpu").encode_images(images)
    found = load_clip("bundled", device="cuda", **settings).encode_images(images)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, plain, atol=3e-2 if "precision" in settings else 1e-5)
