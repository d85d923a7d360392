"""Pictures that any system already made, with a manifest that says for which prompt and seed.

The folder holds pictures and `manifest.jsonl`, one JSON object a line: `{"file": "0001.png", "prompt": "a red circle",
"seed": 0}`; `seed` may be left out and is then 0. Nothing is parsed out of file names. What the manifest does not have
is None, and a picture that cannot be read too: missing and failed pictures stay visible to whoever counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from bench.generator import GeneratorCard
from bench.store import checksum

if TYPE_CHECKING:
    from PIL.Image import Image

MANIFEST = "manifest.jsonl"


class Folder:
    """A folder of pictures as a generator. `name` is what tables call the system that made them."""

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        self.path, self.name = Path(path), name or Path(path).name

    @cached_property
    def card(self) -> GeneratorCard:
        """Identified by the manifest and every picture's content."""
        files = sorted({path for path in self.files.values() if path.is_file()})
        content = checksum(self.path / MANIFEST) + "".join(checksum(path) for path in files)
        return GeneratorCard(self.name, "folder", weights=content if not files else _digest(content))

    @cached_property
    def files(self) -> dict[tuple[str, int], Path]:
        """(prompt, seed) -> file.

        Raises:
            BenchError: no manifest, a line that is no such object, one prompt and seed twice, a file outside.
        """
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            raise BenchError(
                f'{self.path} has no {MANIFEST}. One line a picture: {{"file": ..., "prompt": ..., "seed": 0}}.'
            )
        found: dict[tuple[str, int], Path] = {}
        for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                key, path = self._entry(line, number)
                if key in found:
                    raise BenchError(f"{manifest} line {number}: prompt {key[0]!r} with seed {key[1]} is there twice.")
                found[key] = path
        return found

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | None]:
        """The pictures of these prompts and seeds; None where there is none."""
        if len(prompts) != len(seeds):
            raise BenchError(f"{len(prompts)} prompts came with {len(seeds)} seeds; give one seed a prompt.")
        return [_open(self.files.get(key)) for key in zip(prompts, seeds, strict=True)]

    def _entry(self, line: str, number: int) -> tuple[tuple[str, int], Path]:
        where = f"{self.path / MANIFEST} line {number}"
        try:
            entry: dict[str, Any] = json.loads(line)
            file, prompt, seed = entry["file"], entry["prompt"], entry.get("seed", 0)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BenchError(f"{where} is no JSON object with file and prompt: {line!r:.100}.") from error
        if not isinstance(file, str) or not isinstance(prompt, str) or type(seed) is not int:
            raise BenchError(f"{where}: file and prompt are text and seed is a whole number, but got {line!r:.100}.")
        path = (self.path / file).resolve()
        if not path.is_relative_to(self.path.resolve()):
            raise BenchError(f"{where}: {file!r} lies outside the folder.")
        return (prompt, seed), path


def _open(path: Path | None) -> Image | None:
    from PIL import Image

    if path is None:
        return None
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, Image.DecompressionBombError):
        return None


def _digest(text: str) -> str:
    from bench.task import digest

    return digest(text)
