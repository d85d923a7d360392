"""Whatever a constructor raises comes out as one message, with the exception itself as its cause."""

from __future__ import annotations

import pytest
import torch
from omegaconf import OmegaConf

from bench.assemble import make
from bench.errors import BenchError

raised: BaseException = KeyError()


def fail(**settings: object) -> None:
    raise raised


def refusal(kind: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> BenchError:
    monkeypatch.setitem(globals(), "raised", error)
    with pytest.raises(BenchError) as caught:
        make(OmegaConf.create({"_target_": f"{__name__}.fail", "device": "auto"}), kind)
    return caught.value


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ..."),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried ..."),
])  # fmt: skip
def test_a_model_without_room_says_what_to_do(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    found = refusal("model", error, monkeypatch)
    first = (str(error).splitlines() or ["MemoryError"])[0]
    assert str(found).startswith(f"The model does not fit into memory ({first}). Free some of it")
    assert "model.device=cpu" in str(found)
    assert found.__cause__ is error


@pytest.mark.parametrize("kind", ["model", "generator", "evaluation"])
@pytest.mark.parametrize("error", [
    RuntimeError("shape\nmismatch"), OSError(13, "Permission denied"), TypeError("no such setting"),
])  # fmt: skip
def test_any_other_failure_is_named_with_its_place(
    kind: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = refusal(kind, error, monkeypatch)
    said = " ".join(str(error).split())
    assert f"The {kind} ({__name__}.fail) could not be made. {type(error).__name__}: {said} (fail, line" in str(found)
    assert "debug=true" in str(found)
    assert found.__cause__ is error


def test_our_own_errors_come_out_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BenchError("there is no such file")
    assert refusal("model", error, monkeypatch) is error


class Bare:
    """A model whose card cannot be asked for."""

    @property
    def card(self) -> object:
        raise OSError("no card")

    def encode_images(self, images: object) -> None: ...

    def encode_texts(self, texts: object) -> None: ...


def test_what_cannot_say_what_it_is_is_named() -> None:
    with pytest.raises(BenchError, match=r"The model \(.*Bare\) could not be made. OSError: no card"):
        make(OmegaConf.create({"_target_": f"{__name__}.Bare"}), "model")


@pytest.mark.parametrize(("kind", "wanted"), [
    ("model", "bench.model.Encoder or bench.model.Lookup"), ("task", "a list of bench.task.Task"),
    ("evaluation", "bench.evaluation.Evaluation"), ("audit", "bench.audit.Audit"),
    ("generator", "bench.generator.Generator or bench.generator.Informed"),
])  # fmt: skip
def test_what_is_of_no_use_in_its_place_is_refused(kind: str, wanted: str) -> None:
    with pytest.raises(BenchError) as caught:
        make(OmegaConf.create({"_target_": "builtins.dict", "name": "x"}), kind)
    assert f"The {kind} (builtins.dict) is a dict, which is of no use as such. Wanted: {wanted}," in str(caught.value)
