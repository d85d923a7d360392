"""Names and files -> a ready CLIP. The first function is the whole story; the rest finds things.

What a name may be: `bundled`; a published name (`openai/ViT-B-32`, `laion/CLIP-ViT-B-32-laion2B-s34B-b79K`, see
`published`); any other hub repository that holds a CLIP; a weights file; a folder with `card.json`.

The activation is taken from, in this order: the setting, the published table (by name, or by hash for a file), the
configuration beside the file. Where none of them knows, OpenAI's and Hugging Face's layouts get QuickGELU,
open_clip's GELU (each family's default), and a note in the card says that this was assumed.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from bench.errors import BenchError, unknown
from bench.model.clip import published
from bench.model.clip.architecture import Clip
from bench.model.clip.checkpoint import BUNDLED, CARD, WEIGHTS, load_checkpoint
from bench.model.clip.download import fetch_hub, fetch_openai
from bench.model.clip.hints import Hints, hints_beside
from bench.model.clip.layouts import Layout, State, infer_shape, layout_of, to_clip
from bench.model.clip.preprocess import OPENAI_MEAN, OPENAI_STD, Interpolation, Preprocess, Resize
from bench.model.clip.published import Published
from bench.model.clip.shape import Activation, ClipShape
from bench.model.clip.weights import fill, read_weights, sha256_of

VOCAB = 49408
NAMELESS = {"model", "pytorch_model", "open_clip_model", "open_clip_pytorch_model", "weights", "checkpoint", "last"}
DEFAULT_ACTIVATION: dict[Layout, Activation] = {
    "openai": "quickgelu",
    "transformers": "quickgelu",
    "open_clip": "gelu",
    "open_clip_text": "gelu",
}


@dataclass(frozen=True)
class Loaded:
    """A model, how it wants its pictures, and where it came from."""

    model: Clip
    preprocess: Preprocess
    name: str
    sha256: str
    """Of the weights file."""
    source: str
    licence: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A weights file on this machine, and what its name tells about it."""

    path: Path
    name: str
    source: str
    published: Published | None = None
    notes: tuple[str, ...] = ()


def load(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    activation: Activation | None = None,
    vision_heads: int | None = None,
    text_heads: int | None = None,
    cache: Path | None = None,
) -> Loaded:
    """A CLIP in float32 on the CPU, in evaluation mode.

    A `Path` is always a file or folder; a string may be a name too. `revision` is a commit of a hub repository;
    `activation` and the heads override what is found or assumed; `cache` replaces the usual download folders. Raises
    BenchError, in words, for everything that can be wrong with a file.
    """
    if activation is not None and activation not in get_args(Activation):
        raise BenchError(f"activation={activation!r} is not known; allowed: {', '.join(get_args(Activation))}.")
    asked = Hints(activation=activation, vision_heads=vision_heads, text_heads=text_heads)
    if folder := _checkpoint_folder(name_or_path):
        return _load_own(folder, asked)
    return _load_file(_find(name_or_path, revision, cache), asked)


def _checkpoint_folder(name_or_path: str | Path) -> Path | None:
    if name_or_path == "bundled":
        return BUNDLED
    path = Path(name_or_path)
    if path.is_dir() and (path / CARD).is_file():
        return path
    return path.parent if path.name == WEIGHTS and (path.parent / CARD).is_file() else None


def _load_own(folder: Path, asked: Hints) -> Loaded:
    if asked != Hints():
        raise BenchError(f"activation and heads of {folder.name!r} stand in its {CARD}; they cannot be overridden.")
    model, card = load_checkpoint(folder)
    sha256, source = sha256_of(folder / WEIGHTS), "bundled" if folder == BUNDLED else str(folder)
    return Loaded(model, card.preprocess, card.name, sha256, source, card.licence, card.notes)


def _find(name_or_path: str | Path, revision: str | None, cache: Path | None) -> Found:
    path = Path(name_or_path)
    if isinstance(name_or_path, Path):
        return Found(path, name_of(path), str(path))
    model = published.find(name_or_path)
    if model and model.url:
        return Found(fetch_openai(model, cache=cache), model.name, model.url, model)
    if model:
        return _from_hub(model.hub, revision or model.revision or None, cache, model)
    if path.exists() or path.suffix in (".safetensors", ".pt", ".pth", ".bin"):
        return Found(path, name_of(path), str(path))
    if name_or_path.count("/") == 1 and not name_or_path.startswith((".", "/", "openai/")):
        return _from_hub(name_or_path, revision, cache, None)
    hint = "`bundled`, a hub repository (org/name) or a file (model.path=FILE) will do too."
    raise unknown("CLIP model", name_or_path, published.MODELS, hint=hint)


def name_of(path: Path) -> str:
    """What rows call a file: its stem, with its folder where the stem says nothing."""
    return f"{path.absolute().parent.name}/{path.stem}" if path.stem in NAMELESS else path.stem


def _from_hub(repo: str, revision: str | None, cache: Path | None, model: Published | None) -> Found:
    file = fetch_hub(repo, revision, cache=cache)
    notes = () if revision else (f"no revision was pinned; commit {file.commit} was used",)
    return Found(file.path, repo, f"hub {repo}@{file.commit} {file.path.name}", model, notes)


def _load_file(found: Found, asked: Hints) -> Loaded:
    try:
        return _read_file(found, asked)
    except BenchError as error:
        if found.path.name in str(error):
            raise
        raise BenchError(f"{found.path}: {error}") from error


def _read_file(found: Found, asked: Hints) -> Loaded:
    with ThreadPoolExecutor(1) as pool:  # both wait for the disk, and hashing for nothing else
        hashing = pool.submit(sha256_of, found.path)
        raw = read_weights(found.path)
        sha256 = hashing.result()
    known = found.published or published.by_hash(sha256)
    layout = layout_of(raw)
    hints = asked.over(_published_hints(known)).over(hints_beside(found.path) if known is None else Hints())
    notes = found.notes + _notes(known, layout, hints)
    hints = hints.over(Hints(DEFAULT_ACTIVATION[layout], mean=OPENAI_MEAN, std=OPENAI_STD))
    model = _build(raw, hints)
    if known and asked == Hints():
        _compare(model.shape, known)
    licence = known.licence if known else ""
    return Loaded(model, _preprocess(model.shape, hints), found.name, sha256, found.source, licence, notes)


def _published_hints(known: Published | None) -> Hints:
    if known is None:
        return Hints()
    shape = known.shape
    return Hints(shape.activation, shape.vision.heads, shape.text.heads, known.mean, known.std)


def _notes(known: Published | None, layout: Layout, hints: Hints) -> tuple[str, ...]:
    notes = []
    if hints.activation is None:
        assumed = DEFAULT_ACTIVATION[layout]
        notes.append(f"activation {assumed} was assumed from the {layout} layout; activation= overrides it")
    if hints.mean is None:
        notes.append("OpenAI's mean and deviation were assumed for the pictures")
    if layout == "openai" and known is None:
        notes.append("OpenAI's layout, but the hash is none that OpenAI published: fine-tuned or altered weights")
    return tuple(notes)


def _build(raw: State, hints: Hints) -> Clip:
    state = to_clip(raw)
    activation = hints.activation
    assert activation is not None, "the default was filled in above"
    shape = infer_shape(state, activation=activation, vision_heads=hints.vision_heads, text_heads=hints.text_heads)
    if shape.text.vocab != VOCAB:
        raise BenchError(
            f"the weights know {shape.text.vocab} tokens, but CLIP's tokenizer has {VOCAB}: they belong to another "
            "tokenizer. Use model=open_clip or model=transformers."
        )
    return fill(shape, state)


def _compare(shape: ClipShape, known: Published) -> None:
    if shape != known.shape:
        raise BenchError(
            f"the file is not {known.name}: it holds {shape}, but {known.shape} is published under that name."
        )


def _preprocess(shape: ClipShape, hints: Hints) -> Preprocess:
    assert hints.mean is not None, "the default was filled in above"
    assert hints.std is not None, "the default was filled in above"
    interpolation = cast(Interpolation, hints.interpolation or "bicubic")
    return Preprocess(shape.image_size, hints.mean, hints.std, interpolation, cast(Resize, hints.resize or "shortest"))
