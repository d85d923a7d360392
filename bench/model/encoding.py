"""Steps that the adapters share: batches, threads, unit length, hash and check of what was loaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from bench.errors import BenchError
from bench.model.batches import Batches
from bench.model.clip.weights import all_finite, sha256_of
from bench.task import digest

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Item = TypeVar("Item")


def prepared(
    images: Sequence[Image], prepare: Callable[[Image], Item], *, workers: int | None = None
) -> Sequence[Item]:
    """`prepare` of every picture, in threads, since Pillow and numpy release the lock. What is prepared passes."""
    from PIL.Image import Image

    if not all(isinstance(one, Image) for one in images):
        return cast("Sequence[Item]", images)
    with ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(prepare, images))


def in_batches(
    items: Sequence[Item], encode: Callable[[Sequence[Item]], torch.Tensor], *, batches: Batches, dim: int
) -> np.ndarray:
    """Unit vectors of all items -> float32 [item, dim]; no item gives [0, dim]."""
    import torch

    rows = [np.zeros((0, dim), dtype=np.float32)]
    with torch.inference_mode():
        rows += [unit(part) for part in batches.over(items, encode)]
    return np.concatenate(rows)


def each_once(
    texts: Sequence[str], encode: Callable[[Sequence[str]], torch.Tensor], *, batches: Batches, dim: int
) -> np.ndarray:
    """As `in_batches`, but doubles are encoded once, and texts of like length together, so that little is padded.

    The batches depend on the set of texts only: any order of the same texts gives the same vectors, bit for bit.
    """
    unique = sorted(set(texts), key=lambda text: (len(text), text))
    vectors = in_batches(unique, encode, batches=batches, dim=dim)
    position = {text: i for i, text in enumerate(unique)}
    return vectors[[position[text] for text in texts]]


def unit(vectors: torch.Tensor) -> np.ndarray:
    """[n, dim] of any type -> float32 of unit length, on the CPU."""
    vectors = vectors.float()
    return on_cpu(vectors / vectors.norm(dim=-1, keepdim=True))


def on_cpu(vectors: torch.Tensor) -> np.ndarray:
    """[n, dim] of any type and on any device -> float32 on the CPU. Sleeps until a GPU is done.

    PyTorch would spin, on a core that could have decoded pictures.
    """
    if vectors.is_cuda:
        import torch

        done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        done.record(torch.cuda.current_stream(vectors.device))
        done.synchronize()
    return np.asarray(vectors.float().cpu().numpy(), dtype=np.float32)


def files_hash(paths: Iterable[Path]) -> str:
    """SHA-256 of a file; of several files, the SHA-256 of theirs in the order given."""
    hashes = [sha256_of(path) for path in paths]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def state_hash(model: torch.nn.Module) -> str:
    """SHA-256 over names, shapes and bytes of a model's tensors, for weights that came in no file."""
    import torch

    state = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        state.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        state.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return state.hexdigest()


def check_finite(model: torch.nn.Module, source: str) -> None:
    """Refuse weights with NaN or infinity. Raises BenchError naming the first such tensor."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not all_finite(tensor):
            raise BenchError(
                f"Weights of {source}: tensor {name!r} holds NaN or infinity. The file is damaged or the "
                "training diverged; fetch or save it again."
            )


def commit_of(path: Path) -> str:
    """The hub revision of a downloaded file: its cache keeps one folder a commit. Empty for other files."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts[:-1] else ""


def vocabulary_hash(vocabulary: Mapping[str, int]) -> str:
    """A short hash of all (token, id) pairs: two tokenizers of one name may differ by a file."""
    pairs = sorted(vocabulary.items(), key=lambda pair: pair[1])
    return digest(*(f"{number} {token}" for token, number in pairs))[:12]
