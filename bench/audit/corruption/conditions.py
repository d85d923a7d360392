"""Corruptions and sweeps as conditions: what a run does to pictures before it embeds them.

Made on the fly, they differ from the published files in one point: ImageNet-C was saved as JPEG of quality 85, which
takes away some of the noise and adds blocks (a ResNet-50 does up to 10 points better without, on fog and contrast).
`encode="jpeg85"` does the same in memory. And only `view="imagenet"` cuts pictures to 224 pixels first, as there;
with `view="native"` a picture is corrupted at its own size, where lengths in pixels mean another share of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import PIL
from PIL import Image

from bench.audit.corruption import typographic
from bench.audit.corruption.constants import SETS
from bench.audit.corruption.digital import jpeg_compression
from bench.audit.corruption.draws import Draws
from bench.audit.corruption.registry import BY_SIZE, CORRUPTIONS, KINDS, SEVERITIES, check_severity, corrupt, find
from bench.audit.corruption.sweeps import SWEEPS, find_sweep
from bench.audit.corruption.views import VIEWS, like, rgb_of, seen
from bench.embeddings import Condition
from bench.errors import BenchError, unknown
from bench.task import digest

VERSION = 1
"""Of all algorithms here. A change of any pixel must raise it: stored vectors are found by it."""
ENCODINGS = ("none", "jpeg85")


@dataclass(frozen=True)
class Corrupted:
    """A picture of any mode -> the corrupted RGB picture. A value, so that other processes can have it."""

    name: str
    severity: int
    seed: int
    view: str
    constants: str
    encode: str

    def __call__(self, picture: Image.Image, index: int) -> Image.Image:
        image = seen(picture, self.view)
        image = corrupt(image, self.name, self.severity, seed=self.seed, which=self.constants)
        if self.encode == "jpeg85":
            image = jpeg_compression(image, 85)
        return like(picture, image)

    @property
    def changes(self) -> bool:
        return self.severity > 0 or self.view != "native" or self.encode != "none"


@dataclass(frozen=True)
class Dosed:
    """A picture of any mode -> what a sweep makes of it at one dose."""

    name: str
    dose: float
    seed: int

    def __call__(self, picture: Image.Image, index: int) -> Image.Image:
        image = rgb_of(picture)
        return like(picture, SWEEPS[self.name].function(image, self.dose, Draws(self.seed, self.name, image)))

    @property
    def changes(self) -> bool:
        return self.dose != SWEEPS[self.name].neutral


@dataclass(frozen=True, eq=False)
class Written:
    """A picture of any mode -> the picture with the name of a class that it does not show."""

    names: tuple[str, ...]
    labels: np.ndarray
    dose: float
    seed: int

    def __call__(self, picture: Image.Image, index: int) -> Image.Image:
        image = rgb_of(picture)
        draws = Draws(self.seed, "typographic", image)
        name = self.names[typographic.wrong_class(self.labels, index, len(self.names), draws)]
        return like(picture, typographic.write(image, name, self.dose, draws))


def conditions(
    names: Iterable[str] = ("all",),
    severities: Sequence[int] = SEVERITIES,
    *,
    seed: int = 0,
    view: str = "native",
    constants: str = "imagenet",
    encode: str = "none",
) -> list[Condition]:
    """One condition a corruption and severity, named like `fog@3`.

    Args:
        names: of corruptions, or of kinds (`noise`, `blur`, `weather`, `digital`, `held_out`), or `all`, or `mce` for
            the fifteen that count.
        severities: 1 to 5; 0 is the picture itself (as `view` and `encode` show it).
        view: `native`, or `imagenet` for Resize(256) and CenterCrop(224) first.
        constants: `imagenet`, `tiny_imagenet`, `cifar`, or `by_size` for the ones that suit each picture.
        encode: `jpeg85` saves the result as the published files were.

    Raises:
        BenchError: an unknown name, or a severity, view, set or encoding that does not exist.
    """
    choices = (
        ("view", view, VIEWS),
        ("encoding", encode, ENCODINGS),
        ("set of constants", constants, (*SETS, BY_SIZE)),
    )
    for kind, given, allowed in choices:
        if given not in allowed:
            raise unknown(kind, given, allowed)
    chosen = expand(names)
    return [
        _condition(Corrupted(name, level, seed, view, constants, encode))
        for name in chosen
        for level in dict.fromkeys(severities)
    ]


def sweep(name: str, doses: Sequence[float] | None = None, *, seed: int = 0) -> list[Condition]:
    """One condition a dose, named like `rotation@30`; `sweeps.SWEEPS` has the units. Raises BenchError."""
    found = find_sweep(name)
    made = []
    for dose in found.doses if doses is None else doses:
        dosed = Dosed(name, float(found.check(dose)), seed)
        what = f"{found.unit};{_random(found.random, seed)}"
        identity = _identity(f"sweep {name}@{dosed.dose!r}", what) if dosed.changes else "clean"
        made.append(Condition(f"{name}@{dose:g}", dosed if dosed.changes else None, identity))
    return made


def typographic_sweep(
    names: Sequence[str], labels: np.ndarray, doses: Sequence[float] | None = None, *, seed: int = 0
) -> list[Condition]:
    """`typographic@0.1` ...: the name of a class that the picture does not show, written on it.

    Args:
        names: one a class, as it is written.
        labels: int [image] or bool [image, class], of the split that is scored: these conditions are bound to it.
    """
    typographic.check_drawable(names)
    if len(names) < 2:
        raise BenchError("The typographic sweep needs a task of two classes or more: one of them must be wrong.")
    who = digest(*names, str(labels.dtype), str(labels.shape), np.ascontiguousarray(labels).tobytes())
    made = []
    for dose in typographic.DOSES if doses is None else doses:
        if not 0 <= dose <= 1:
            raise BenchError(f"Dose {dose:g} of typographic: allowed are 0 to 1 ({typographic.UNIT}).")
        apply = Written(tuple(names), labels, dose, seed) if dose else None
        identity = (
            _identity(f"sweep typographic@{float(dose)!r}", f"names {who};{_random(True, seed)}") if dose else "clean"
        )
        made.append(Condition(f"typographic@{dose:g}", apply, identity))
    return made


def contact_sheet(picture: Image.Image, shown: Iterable[Condition], *, index: int = 0) -> list[tuple[str, Image.Image]]:
    """The picture under each condition, by its name, for people to look at."""
    return [(one.name, picture if one.apply is None else one.apply(picture, index)) for one in shown]


def expand(names: Iterable[str]) -> list[str]:
    """Names of corruptions, each once, in the order of the registry within a kind."""
    chosen: dict[str, None] = {}
    for name in names:
        if name in ("all", "mce", *KINDS):
            fits = [one.name for one in CORRUPTIONS.values() if name in ("all", one.kind) or
                    (name == "mce" and one.kind != "held_out")]  # fmt: skip
        else:
            fits = [find(name).name]
        chosen |= dict.fromkeys(fits)
    return list(chosen)


def _condition(made: Corrupted) -> Condition:
    name, corruption = f"{made.name}@{made.severity}", find(made.name)
    check_severity(made.name, made.severity)
    if not made.changes:
        return Condition(name, None, "clean")
    settings = "by size" if made.constants == BY_SIZE or not made.severity else (
        str(corruption.settings(made.severity, made.constants)))  # fmt: skip
    what = f"constants {made.constants} {settings};view {made.view};encode {made.encode};"
    return Condition(name, made, _identity(f"corruption {name}", what + _random(corruption.random, made.seed)))


def _random(random: bool, seed: int) -> str:
    return f"seed {seed}" if random else "deterministic"


def _identity(what: str, settings: str) -> str:
    """Everything that decides the pixels; libraries among it, since their filters change from version to version."""
    return f"{what};{settings};version {VERSION};opencv {cv2.__version__};pillow {PIL.__version__}"
