"""The bundled DALL-E on disk: one safetensors file in half precision, and a card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

from bench.errors import BenchError, reading
from bench.generator.dalle.transformer import DalleShape, Transformer
from bench.generator.dalle.vae import Vae, VaeShape
from bench.generator.dalle.words import Words
from bench.store import atomic, checksum

BUNDLED = Path(__file__).with_name("checkpoints")
Shape = TypeVar("Shape")
WEIGHTS, CARD = "model.safetensors", "card.json"


@dataclass(frozen=True)
class DalleCard:
    """What a checkpoint is. `more` holds its making and its figures."""

    name: str
    vae: VaeShape
    transformer: DalleShape
    words: tuple[str, ...]
    temperature: float = 1.0
    """At which it draws unless told otherwise."""
    licence: str = "MIT"
    weights: str = ""
    """SHA-256 of the weights file."""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Pixels along a side of its pictures."""
        return self.transformer.side * self.vae.factor

    @property
    def vocabulary(self) -> Words:
        return Words(self.words, self.transformer.text)


@dataclass(frozen=True)
class Checkpoint:
    """The two models, in single precision and ready to use."""

    card: DalleCard
    vae: Vae
    transformer: Transformer


def save(folder: Path, card: DalleCard, vae: Vae, transformer: Transformer) -> None:
    """Write weights (float16) and card."""
    from safetensors.torch import save_file

    both = {"vae": vae, "transformer": transformer}
    tensors = {
        f"{name}.{key}": value.half().contiguous()
        for name, model in both.items()
        for key, value in model.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    atomic(folder / WEIGHTS, lambda path: save_file(tensors, path))
    written = {**asdict(card), "weights": checksum(folder / WEIGHTS)}
    written |= written.pop("more")
    atomic(folder / CARD, lambda path: path.write_text(json.dumps(written, indent=1) + "\n"))


def load(folder: Path = BUNDLED) -> Checkpoint:
    """Read what `save` wrote.

    Raises:
        BenchError: no such checkpoint, a damaged one, or its weights are not those of its card.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / CARD).is_file() or not (folder / WEIGHTS).is_file():
        raise BenchError(f"{folder} holds no DALL-E: it needs {CARD} and {WEIGHTS}.")
    card, found = _card(folder / CARD), checksum(folder / WEIGHTS)
    if found != card.weights:
        raise BenchError(f"{folder / WEIGHTS} has hash {found[:12]}, its card says {card.weights[:12]}; get it again.")
    with reading(folder / WEIGHTS, "the weights of the DALL-E on its card", also=(SafetensorError, AssertionError)):
        tensors = {key: value.float() for key, value in load_file(folder / WEIGHTS).items()}
        _check_shapes(card, tensors)
        vae, transformer = Vae(card.vae), Transformer(card.transformer)
        for name, model in (("vae", vae), ("transformer", transformer)):
            own = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            model.load_state_dict(own)
        return Checkpoint(card, vae.eval(), transformer.eval())


def _check_shapes(card: DalleCard, tensors: Mapping[str, torch.Tensor]) -> None:
    """ValueError if the card tells of other tensors, before room is made for them."""
    with torch.device("meta"):
        both = {"vae": Vae(card.vae), "transformer": Transformer(card.transformer)}
    wanted = {f"{name}.{key}": one.shape for name, model in both.items() for key, one in model.state_dict().items()}
    given = {key: one.shape for key, one in tensors.items()}
    if wrong := {key for key, _ in wanted.items() ^ given.items()}:
        raise ValueError(f"{len(wrong)} tensors are absent, too many or of another shape, among them {min(wrong)}")


def _sizes(kind: type[Shape], said: Mapping[str, Any]) -> Shape:
    """A shape by what a card says of it. ValueError for sizes that no model has."""
    for name, size in said.items():
        most = 1000 if name in ("layers", "blocks", "groups") else 1 << 16
        if name != "gain" and not (type(size) is int and 1 <= size <= most):
            raise ValueError(f"{name} is {size!r}; whole numbers from 1 to {most} make sense")
    return kind(**said)


def _card(path: Path) -> DalleCard:
    known = {"name", "vae", "transformer", "words", "temperature", "licence", "weights"}
    with reading(path, "the card of a DALL-E"):
        read = json.loads(path.read_text())
        return DalleCard(
            str(read["name"]), _sizes(VaeShape, read["vae"]), _sizes(DalleShape, read["transformer"]),
            tuple(map(str, read["words"])), float(read["temperature"]), str(read["licence"]), str(read["weights"]),
            {key: value for key, value in read.items() if key not in known},
        )  # fmt: skip


def pictures(vae: Vae, codes: torch.Tensor) -> list[Any]:
    """Codes [n, h, w] -> PIL pictures; one by one, since in a batch a pixel may round the other way."""
    from PIL import Image

    pixels = [(vae.decode(one[None])[0] * 255).round().byte().permute(1, 2, 0).numpy() for one in codes]
    return [Image.fromarray(one) for one in pixels]
