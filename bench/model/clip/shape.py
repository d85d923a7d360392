"""The shape of a CLIP: every number that decides which tensors it has, and how they are used.

Apart from `architecture`, so that names and sizes can be listed without importing torch.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from bench.errors import BenchError

Activation = Literal["quickgelu", "gelu"]
LARGEST, DEEPEST = 1 << 20, 1000
"""No width, vocabulary or picture of a CLIP is larger, and no tower deeper: a file that says so is damaged."""


@dataclass(frozen=True)
class VitShape:
    """A vision transformer: token width, blocks, patch side in pixels, attention heads, width inside the MLP."""

    width: int
    layers: int
    patch: int
    heads: int
    hidden: int

    @property
    def features(self) -> int:
        """Length of the class token, before the projection."""
        return self.width


@dataclass(frozen=True)
class ResNetShape:
    """A modified ResNet: bottleneck blocks a stage, channels of the stem, heads of the attention pool."""

    layers: tuple[int, int, int, int]
    width: int
    heads: int

    @property
    def features(self) -> int:
        """Channels after the last stage."""
        return self.width * 32


@dataclass(frozen=True)
class TextShape:
    """A causal text transformer: tokens a text, vocabulary, token width, heads, blocks, width inside the MLP."""

    context: int
    vocab: int
    width: int
    heads: int
    layers: int
    hidden: int


@dataclass(frozen=True)
class ClipShape:
    """Everything that decides which tensors a CLIP has, and how they are used."""

    embed_dim: int
    image_size: int
    vision: VitShape | ResNetShape
    text: TextShape
    activation: Activation = "quickgelu"
    logit_bias: bool = False

    def __post_init__(self) -> None:
        for part in (
            {"embed_dim": self.embed_dim, "image_size": self.image_size},
            asdict(self.vision),
            asdict(self.text),
        ):
            _check(part)
        towers = (("image", self.vision.features, self.vision.heads), ("text", self.text.width, self.text.heads))
        for tower, width, heads in towers:
            if width % heads:
                raise BenchError(
                    f"{heads} attention heads do not divide the {tower} tower, {width} wide. Mend the number where it "
                    "is said: in the setting, in the configuration beside the weights or in the card."
                )
        if self.activation not in get_args(Activation):
            raise BenchError(
                f"activation={self.activation!r} is not known; allowed: {', '.join(get_args(Activation))}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as it stands in a `card.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ClipShape":
        """The inverse of `to_dict`."""
        vision = dict(data["vision"])
        tower = VitShape(**vision) if "patch" in vision else _resnet_shape(vision)
        rest = {key: value for key, value in data.items() if key not in ("vision", "text")}
        return cls(vision=tower, text=TextShape(**data["text"]), **rest)


def _check(part: Mapping[str, Any]) -> None:
    for name, value in part.items():
        most = DEEPEST if name == "layers" else LARGEST
        for number in value if isinstance(value, tuple) else (value,):
            if type(number) is not int or not 1 <= number <= most:
                given = reprlib.repr(number)
                raise BenchError(f"a CLIP with {name}={given} cannot be; allowed: a whole number from 1 to {most:,}.")


def _resnet_shape(data: Mapping[str, Any]) -> ResNetShape:
    one, two, three, four = data["layers"]
    return ResNetShape(layers=(one, two, three, four), width=data["width"], heads=data["heads"])
