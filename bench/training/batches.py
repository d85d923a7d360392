"""What one step of training sees: captioned pictures, photographs for the teacher, and texts.

A batch is a function of (seed, step, rank) alone, so a resumed run sees what the unbroken one would have seen.
Names are put into templates as zero-shot prompts are ("a photo of a {}"), so that such prompts are nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.model.clip.tokenizer import Tokenizer
from bench.training.pictures import Pictures, read
from bench.training.teacher import EVERYDAY, Teacher

DRAWING_TEMPLATES = (
    "{}", "{}", "a drawing of a {}", "an icon of a {}", "a picture of a {}", "a sketch of a {}", "clip art of a {}",
    "an emoji of a {}", "a cartoon of the {}", "a photo of a {}", "a photo of the {}.", "a picture of {}",
)  # fmt: skip
PHOTO_TEMPLATES = (
    "{}", "a photo of a {}", "a photo of a {}.", "a photo of the {}.", "a blurry photo of a {}.", "a picture of a {}",
    "a low resolution photo of a {}.", "a photo of {}.", "a good photo of the {}.", "a photo of {}, a type of fruit.",
)  # fmt: skip
FLAG_TEMPLATES = ("{}", "the flag of {}", "flag of {}", "a picture of the flag of {}.", "a photo of the flag of {}.")
NEGATIVES = ("sketches", "emoji", "icons", "clipart")
SIGN_TEMPLATES = (
    "{}", 'the digit "{}"', 'the digit "{}".', "a handwritten number {}.", 'a picture of the number "{}".',
    'a photo of the number: "{}".', "the number {}",
)  # fmt: skip
TEMPLATES = {"flags": FLAG_TEMPLATES, "glyphs": SIGN_TEMPLATES}
LONGEST_CAPTION = 10  # words; of a picture with a longer one the name is taken
LONGEST_NAME = 4  # words; anything longer is a caption and stays as it is


@dataclass(frozen=True)
class Mix:
    """How many pictures of each source one process takes a step (captioned and not), and how many words."""

    captioned: dict[str, int] = field(
        default_factory=lambda: {
            "emoji": 34, "icons": 28, "sketches": 34, "clipart": 16, "scenes": 24, "glyphs": 16, "flags": 6,
        }
    )  # fmt: skip
    photographs: dict[str, int] = field(default_factory=lambda: {"photographs": 100, "groceries": 5, "garments": 9})
    everyday: int = 36
    """Everyday nouns a photograph is compared with in one step,"""
    words: int = 48
    """and words from the whole vocabulary."""
    group: int = 12
    """The words are dealt into groups of this size; in each, as in a small zero-shot task, the teacher chooses."""
    sharpen: float = 3.0


class Pair(NamedTuple):
    """A captioned picture: pixels, the caption drawn for it, the same in a template, and the picture's name."""

    pixels: Tensor
    text: str
    prompt: str
    name: str


class Batch(NamedTuple):
    """One step's input. Pictures: first the captioned ones, then the photographs."""

    pixels: Tensor
    """[c + p, 3, s, s], float, 0 to 1, augmented, not yet normalised."""
    tokens: Tensor
    """[c + w, t]: captions in the order of the pictures, then the words."""
    names: Tensor
    """[c + w] int64: equal where two texts name the same thing, so neither is a negative of the other."""
    targets: Tensor
    """[p, g, w / g]: what the teacher says of the photographs in each group of words; sums to 1 over a group."""
    sentences: Tensor
    """[c + w, 384]: the sentence vector that each text should have."""


class Batches:
    """Opens the prepared data; calling it makes a batch."""

    def __init__(self, folder: Path, mix: Mix, *, seed: int, context: int) -> None:
        self.mix, self.seed = mix, seed
        self.captioned = {name: read(folder, name) for name in mix.captioned}
        self.photographs = {name: read(folder, name) for name in mix.photographs}
        self.teachers = {name: Teacher.open(folder, name) for name in mix.photographs}
        self.words = next(iter(self.teachers.values())).words
        self.everyday = np.array([place for place, word in enumerate(self.words) if word in EVERYDAY], dtype=np.int64)
        self.tokenizer = Tokenizer(context)
        table = np.load(folder / "sentences.npz")
        self.places = {str(text): place for place, text in enumerate(table["texts"])}
        self.vectors = table["vectors"]

    def __call__(self, step: int, *, rank: int = 0) -> Batch:
        """The batch of this step on this process."""
        rng = np.random.default_rng([self.seed, step, rank])
        pairs = [
            pair
            for name, source in self.captioned.items()
            for pair in self._captioned(source, self.mix.captioned[name], rng)
        ]
        words = self._nouns(rng)
        nouns = [self.words[word] for word in words]
        photographs, targets = self._photographs(words, rng)
        texts = [pair.text for pair in pairs] + nouns
        names = [pair.name for pair in pairs] + nouns
        prompts = [pair.prompt for pair in pairs] + [_prompt(noun, PHOTO_TEMPLATES, rng) for noun in nouns]
        drawings = _jitter(torch.stack([pair.pixels for pair in pairs]), rng, photo=False)
        return Batch(
            pixels=torch.cat([drawings, photographs]),
            tokens=torch.from_numpy(self.tokenizer.trimmed(prompts)),
            names=torch.tensor([self.places[name] for name in names]),
            targets=torch.from_numpy(targets),
            sentences=torch.from_numpy(self.vectors[[self.places[text] for text in texts]]).float(),
        )

    def _nouns(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        often = rng.choice(self.everyday, min(self.mix.everyday, len(self.everyday)), replace=False)
        rest = np.setdiff1d(np.arange(len(self.words)), often)
        nouns = np.concatenate([often, rng.choice(rest, min(self.mix.words, len(rest)), replace=False)])
        return rng.permutation(nouns)[: len(nouns) // self.mix.group * self.mix.group]

    def _captioned(self, source: Pictures, count: int, rng: np.random.Generator) -> list[Pair]:
        rows = np.sort(rng.integers(len(source), size=count))
        pixels = [ground(source.pixels[row], rng) for row in rows]
        pixels = [_negative(one, rng) if source.name in NEGATIVES else one for one in pixels]
        captions = [source.captions[row] for row in rows]
        texts = [_choose(row, rng) for row in captions]
        templates = TEMPLATES.get(source.name, DRAWING_TEMPLATES)
        keep = 0.5 if source.name == "scenes" else 0.0
        prompts = [text if rng.random() < keep else _prompt(text, templates, rng) for text in texts]
        names = [row[0] for row in captions]
        return [Pair(*parts) for parts in zip(pixels, texts, prompts, names, strict=True)]

    def _photographs(
        self, words: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, npt.NDArray[np.float32]]:
        pixels, targets = [], []
        for name, source in self.photographs.items():
            rows = np.sort(rng.integers(len(source), size=self.mix.photographs[name]))
            pixels.append(_jitter(torch.from_numpy(source.pixels[rows]).float() / 255, rng, photo=True))
            ask, sharpen = self.teachers[name].targets, self.mix.sharpen
            groups = [ask(rows, group, sharpen=sharpen) for group in words.reshape(-1, self.mix.group)]
            targets.append(np.stack(groups, axis=1))
        return torch.cat(pixels), np.concatenate(targets).astype(np.float32)


def _choose(captions: tuple[str, ...], rng: np.random.Generator) -> str:
    """The name in seven of ten cases, else any caption that is not too long."""
    text = captions[0] if rng.random() < 0.7 else captions[int(rng.integers(len(captions)))]
    return text if len(text.split()) <= LONGEST_CAPTION else captions[0]


def _prompt(text: str, templates: Sequence[str], rng: np.random.Generator) -> str:
    short = len(text.split()) <= LONGEST_NAME and "," not in text and not text.startswith(("a ", "an ", "the "))
    template = templates[int(rng.integers(len(templates)))] if short else "{}"
    prompt = template.format(text)
    vowel = text[:1] in "aeiou"
    return prompt.replace(" a " + text, " an " + text) if vowel else prompt


def ground(pixels: npt.NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """[3 or 4, s, s] -> float [3, s, s]: a transparent drawing on white (60 %), a pastel or any light colour."""
    picture = torch.from_numpy(np.array(pixels)).float() / 255
    if picture.shape[0] == 3:
        return picture
    colour = torch.ones(3) if rng.random() < 0.6 else torch.from_numpy(rng.uniform(0.6, 1, 3)).float()
    opacity = picture[3:]
    return picture[:3] * opacity + colour[:, None, None] * (1 - opacity)


def _negative(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """One in eight becomes a grey negative: light on black, as scans and some data sets are."""
    return 1 - picture.mean(0, keepdim=True).expand(3, -1, -1) if rng.random() < 0.125 else picture


def _jitter(pixels: Tensor, rng: np.random.Generator, *, photo: bool) -> Tensor:
    """Random zoom, shift and turn; photographs are mirrored too (a drawing may hold letters); light and contrast."""
    n = len(pixels)
    low, high, turn = (0.6, 1.0, 0.05) if photo else (0.85, 1.2, 0.12)
    zoom, aspect = rng.uniform(low, high, n), np.exp(rng.normal(0, 0.08, n))
    angle, room = rng.normal(0, turn, n), np.maximum(1 - zoom, 0.06)
    mirror = np.where(rng.random(n) < 0.5, -1, 1) if photo else np.ones(n)
    matrix = np.zeros((n, 2, 3))
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * zoom * aspect * mirror, -np.sin(angle) * zoom
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle) * zoom * mirror, np.cos(angle) * zoom / aspect
    matrix[:, :, 2] = rng.uniform(-1, 1, (n, 2)) * room[:, None]
    grid = F.affine_grid(torch.from_numpy(matrix).float(), list(pixels.shape), align_corners=False)
    mode = "reflection" if photo else "border"
    moved = F.grid_sample(pixels, grid, mode="bilinear", padding_mode=mode, align_corners=False)
    darkest, brightest, tint = (0.8, 1.2, 0.12) if photo else (0.9, 1.05, 0.04)
    contrast = torch.from_numpy(rng.uniform(darkest, brightest, (n, 1, 1, 1))).float()
    light = torch.from_numpy(rng.uniform(-tint, tint, (n, 3, 1, 1))).float()
    return ((moved - 0.5) * contrast + 0.5 + light).clamp(0, 1)
