"""Does a run's model read pictures and words as its weights were trained to? Asked of the card in its provenance.

Two mistakes that lowered published results without an error message: OpenAI's weights with GELU where they were trained
with QuickGELU (open_clip#771, sugar-crepe#7), and SigLIP's texts without padding to the full length (mteb#1424: MNIST
from about 80 % to 10 %).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.checking.findings import Finding


def check_model(card: Mapping[str, Any]) -> list[Finding]:
    """Findings about a model card as `provenance.json` has it."""
    return [*activation(card), *padding(card)]


def activation(card: Mapping[str, Any]) -> Iterator[Finding]:
    """Weights by OpenAI (and those trained from them) need QuickGELU."""
    variant = str(card.get("variant", "")).lower()
    if "openai" in _origin(card) and "gelu" in variant and "quickgelu" not in variant:
        yield Finding("error", "activation", f"OpenAI's weights need QuickGELU; the model was {card.get('variant')!r}")
    elif card.get("family") == "open_clip" and "openai" in _origin(card) and "quickgelu" not in variant:
        yield Finding("error", "activation", f"OpenAI's weights need QuickGELU; open_clip has {card.get('variant')!r}")


def padding(card: Mapping[str, Any]) -> Iterator[Finding]:
    """SigLIP's text tower pools the last place and takes no mask."""
    tokenizer = str(card.get("tokenizer", ""))
    fixed = "padded to" in tokenizer or "context " in tokenizer
    if "siglip" in _origin(card) and card.get("family") != "precomputed" and not fixed:
        yield Finding("error", "padding", f"SigLIP needs every text padded to the full length; it was {tokenizer!r}")


def _origin(card: Mapping[str, Any]) -> str:
    return " ".join(str(card.get(field, "")) for field in ("name", "source", "variant")).lower()
