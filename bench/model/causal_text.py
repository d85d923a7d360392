"""Shorter text batches for open_clip, where that changes nothing.

A prompt has about ten tokens and is padded to 77. With causal attention no token sees what follows it, so all that lies
behind the pooled token (the end of text) can be cut off; the vector is the same up to the order of float sums. This is
true of OpenAI's text tower and of open_clip's with `argmax` or `eos` pooling. It is not true of towers that look both
ways (SigLIP), pool the last place, append a class token (CoCa) or come from transformers: those are padded as trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import nn

AGREEMENT = 1e-4  # relative; measured 1e-6 in float32. A larger gap means that the package's tower does something else.


class CausalParts(NamedTuple):
    """The pieces of a causal text tower: `CLIP` of the package has them itself, its other classes in `.text`."""

    tower: Any
    pool: str
    eos: int | None

    def ends(self, ids: torch.Tensor) -> torch.Tensor:
        """Place of the pooled token of each text: [n, context] -> [n]."""
        return ids.argmax(dim=-1) if self.pool == "argmax" else ids.eq(self.eos or 0).int().argmax(dim=-1)

    def encode(self, ids: torch.Tensor) -> torch.Tensor:
        """[n, context] -> [n, dim], computed only as far as the longest text reaches."""
        import torch
        from torch import nn

        tower, ends = self.tower, self.ends(ids)
        length = int(ends.max()) + 1
        kind = tower.transformer.get_cast_dtype()
        x = tower.token_embedding(ids[:, :length]).to(kind) + tower.positional_embedding[:length].to(kind)
        x = tower.transformer(x, attn_mask=tower.attn_mask[:length, :length])  # [n, length, width]
        pooled: torch.Tensor = tower.ln_final(x)[torch.arange(len(x), device=x.device), ends]
        project = tower.text_projection
        if project is not None:
            pooled = project(pooled) if isinstance(project, nn.Module) else pooled @ project
        return pooled


def causal_parts(model: nn.Module) -> CausalParts | None:
    """The parts if cutting is exact for this model's text tower by its construction, else None."""
    tower: Any = getattr(model, "text", model)
    needed = ("token_embedding", "positional_embedding", "transformer", "ln_final", "attn_mask")
    if any(getattr(tower, name, None) is None for name in needed) or getattr(tower, "cls_emb", None) is not None:
        return None
    pool = getattr(tower, "pool_type", getattr(tower, "text_pool_type", ""))
    eos = getattr(tower, "eos_id", getattr(tower, "text_eos_id", None))
    if getattr(tower, "use_pad_mask", False) or pool not in ("argmax", "eos") or not _hides_the_future(tower.attn_mask):
        return None
    return CausalParts(tower, pool, eos)


def shortest_exact(model: nn.Module, probe: torch.Tensor) -> tuple[Callable[[torch.Tensor], torch.Tensor], bool]:
    """The way to encode ids, and whether it cuts: the cut one only if it also agrees with the package on `probe`."""
    import torch

    whole: Callable[[torch.Tensor], torch.Tensor] = model.encode_text  # type: ignore[assignment]
    parts = causal_parts(model)
    if parts is None:
        return whole, False
    with torch.inference_mode():
        expected, found = whole(probe).float(), parts.encode(probe).float()
    half = next(model.parameters()).dtype != torch.float32
    gap = (found - expected).norm() / expected.norm()
    return (parts.encode, True) if gap <= (AGREEMENT * 100 if half else AGREEMENT) else (whole, False)


def _hides_the_future(mask: torch.Tensor) -> bool:
    import torch

    future = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return mask.ndim == 2 and bool((mask[future] == float("-inf")).all()) and bool((mask[~future] == 0).all())
