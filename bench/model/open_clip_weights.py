"""Which weights an open_clip model is to have: a published tag, a checkpoint, a repository of the hub, or a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.errors import BenchError, first_line, unknown
from bench.model.encoding import commit_of

PREFIXES = ("hf-hub:", "local-dir:")


@dataclass(frozen=True)
class Weights:
    """Which weights were asked for, found and ready to load."""

    architecture: str
    """As the package wants it, prefix included."""
    label: str
    """Name of the model in results."""
    file: Path | None = None
    """None if the architecture is a folder, which brings its weights."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the package publishes with a tag: mean, std, interpolation, resize_mode, quick_gelu."""
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def from_file(self) -> bool:
        """Whether the package is to be handed the file; architectures with a prefix find theirs themselves."""
        return not self.architecture.startswith(PREFIXES)


def find_weights(package: Any, name: str, pretrained: str | None, path: Path | None) -> Weights:
    """What `load_open_clip` was asked for, downloaded if need be. Raises BenchError saying what there is instead."""
    if name.startswith(PREFIXES):
        if pretrained or path:
            raise BenchError(f"{name!r} brings its own weights; leave out pretrained={pretrained} and path={path}.")
        return _find_in_folder(name) if name.startswith("local-dir:") else _find_on_hub(package, name)
    architecture = name.replace("/", "-")
    if architecture not in package.list_models():
        raise unknown(
            "open_clip model", name, package.list_models(), hint="A repository of the hub is written hf-hub:org/repo."
        )
    facts = _facts(package, architecture, pretrained)
    if path is not None:
        return _find_file(architecture, pretrained, facts, path)
    if pretrained is None:
        raise BenchError(
            f"open_clip model {architecture!r} needs weights: pretrained=TAG or path=FILE. "
            f"Tags: {', '.join(package.list_pretrained_tags_by_model(architecture)) or 'none are published'}."
        )
    return _find_tag(package, architecture, pretrained, facts)


def _facts(package: Any, architecture: str, tag: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = package.get_pretrained_cfg(architecture, tag) if tag else {}
    if tag and not facts:
        tags = package.list_pretrained_tags_by_model(architecture)
        raise unknown(f"weights of open_clip model {architecture!r}", tag, tags, hint="A file is given as path=FILE.")
    return facts


def _find_file(architecture: str, tag: str | None, facts: dict[str, Any], path: Path) -> Weights:
    if path.is_dir():
        raise BenchError(f"{path} is a folder. Name a file in it, or use name=local-dir:{path} without path.")
    if not path.is_file():
        raise BenchError(f"No such file: {path}. path= wants a checkpoint: .safetensors, .bin or .pt.")
    assumed = (
        f"activation and preprocessing are those of the architecture {architecture}; the file does not tell its own "
        "(pretrained=TAG beside path takes those of a published tag)"
    )
    label = f"open_clip/{architecture}/{tag or path.stem}"
    return Weights(architecture, label, path, facts, source=path.name, notes=() if tag else (assumed,))


def _find_tag(package: Any, architecture: str, tag: str, facts: dict[str, Any]) -> Weights:
    origin = facts.get("hf_hub") or facts.get("url", "")
    file = _download(
        lambda: package.download_pretrained(facts),
        f"{architecture}, tag {tag}",
        f"the weights file of {origin.rstrip('/')}",
        instead=f"model=open_clip model.name={architecture} model.pretrained={tag} model.path=FILE",
    )
    source = f"{origin.rstrip('/')} {commit_of(file)}".strip()
    return Weights(architecture, f"open_clip/{architecture}/{tag}", file, facts, source=source)


def _find_on_hub(package: Any, name: str) -> Weights:
    repo = name.removeprefix("hf-hub:")
    if not repo:
        raise BenchError("'hf-hub:' needs a repository: name=hf-hub:org/repo.")
    pretrained = import_module("open_clip.pretrained")
    file = _download(
        lambda: pretrained.download_pretrained_from_hf(repo),
        name,
        f"the files of {repo}",
        instead="model.name=local-dir:FOLDER, with open_clip_config.json and the weights in FOLDER",
    )
    return Weights(name, f"open_clip/{repo}", file, source=f"{repo} {commit_of(file)}".strip())


def _find_in_folder(name: str) -> Weights:
    folder = Path(name.removeprefix("local-dir:"))
    if not (folder / "open_clip_config.json").is_file():
        raise BenchError(
            f"{folder} holds no open_clip_config.json. Give a folder as the hub has them, or an "
            "architecture with path=FILE."
        )
    if not [file for kind in ("safetensors", "bin", "pth") for file in folder.glob(f"*.{kind}")]:
        raise BenchError(f"{folder} holds no weights (.safetensors, .bin or .pth).")
    return Weights(name, f"open_clip/{folder.resolve().name}", source=folder.name)


def _download(fetch: Callable[[], str], what: str, origin: str, *, instead: str) -> Path:
    try:
        return Path(fetch())
    except Exception as error:  # the package lets through whatever urllib, requests or the hub raise
        raise BenchError(
            f"The weights of {what} could not be fetched ({type(error).__name__}: {first_line(error)}). Without "
            f"network, copy {origin} here from another machine and use {instead}."
        ) from error
