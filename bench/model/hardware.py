"""Where and how a model computes: device, type of number, batches, compiling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from bench.errors import BenchError

Precision = Literal["float32", "bfloat16", "float16", "fast"]


@dataclass(frozen=True)
class Hardware:
    """What was asked for; `resolve` and `number` say what that is on this machine."""

    device: str = "auto"
    """`auto` takes CUDA, then Apple's MPS, then the CPU."""
    precision: Precision = "float32"
    """`fast` takes bfloat16 where the device has it in hardware, else float16 on a GPU, else float32."""
    batch_size: int | None = None
    """Pictures at a time, fewer where memory ends; as suits the device unless given. Six times as many tokens."""
    workers: int | None = None
    """Threads that prepare pictures; as many as there are cores, up to 8, unless given."""
    compile: bool = False
    """Compile the image tower (`torch.compile`): half a minute at the start, some per cent less for each picture."""

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise BenchError(f"precision={self.precision!r} is not known; allowed: {', '.join(get_args(Precision))}.")
        for field, value in (("batch_size", self.batch_size), ("workers", self.workers)):
            if value is not None and value < 1:
                raise BenchError(f"{field}={value} is not possible; give 1 or more.")

    def resolve(self) -> torch.device:
        """The device, or a BenchError that says what there is."""
        if self.device == "auto":
            mps = torch.backends.mps.is_available()
            return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
        try:
            device = torch.device(self.device)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise BenchError(f"device={self.device!r} cannot be used here ({reason}). Try auto or cpu.") from error
        return device

    def number(self) -> str:
        """The type of number: float32, bfloat16 or float16."""
        if self.precision != "fast":
            return self.precision
        kind = self.resolve().type
        if kind == "cuda":
            return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
        return "bfloat16" if kind == "cpu" and _has_bfloat16() else "float16" if kind == "mps" else "float32"


def _has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, that is seven times slower than float32."""
    can: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))
