"""Pictures that are there already, made by any system: a manifest says which picture is of which prompt.

The manifest is JSON lines or CSV (with a header) beside the pictures: `file`, then `id` or `prompt` (as `bench-tasks
export compositional` writes them), and `sample` (0, 1, ...; by order of appearance if absent; `seed` is taken for it
too). Nothing is parsed out of file names. A picture that is not there, or cannot be read, is counted; it ends nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.generator import GeneratorCard, Request
from bench.picture_files import open_picture
from bench.store import checksum
from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True)
class Folder:
    """`manifest`: a .csv or .jsonl file, or the folder in which `MANIFEST` lies. `name`: of the system, for tables."""

    manifest: str | Path
    name: str = "folder"

    @cached_property
    def card(self) -> GeneratorCard:
        """Identified by the manifest and every picture's content."""
        files = sorted({path for path in self.files.values() if path.is_file()})
        content = digest(*map(repr, self.files), *map(checksum, files))
        return GeneratorCard(self.name, "folder", content, notes=(f"pictures of {self._path}",))

    @cached_property
    def files(self) -> dict[tuple[str, int], Path]:
        """(id or prompt, sample) -> file.

        Raises:
            BenchError: no manifest, an entry that is none, one prompt and sample twice, a file outside of the folder.
        """
        found: dict[tuple[str, int], Path] = {}
        count: dict[str, int] = {}
        for where, line in self._lines():
            key, given = line.get("id") or line.get("prompt"), line.get("sample", line.get("seed"))
            if not isinstance(key, str) or not isinstance(line.get("file"), str):
                raise BenchError(f"{where} needs file, and id or prompt, as text; found {line!s:.100}.")
            sample = count.get(key, 0) if given is None else _number(given, where)
            if (key, sample) in found:
                raise BenchError(f"{where}: sample {sample} of {key!r} is there twice.")
            count[key] = max(count.get(key, 0), sample + 1)
            found[key, sample] = self._inside(str(line["file"]), where)
        return found

    def file(self, request: Request) -> Path | None:
        """The picture of this prompt and sample, if the manifest has one and it exists."""
        of = request.prompt
        path = self.files.get((of.id, request.sample)) or self.files.get((of.text, request.sample))
        return path if path is not None and path.is_file() else None

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | None]:
        """The same by words and number of the sample; None where there is no picture that can be read."""
        if len(prompts) != len(seeds):
            raise BenchError(f"{len(prompts)} prompts came with {len(seeds)} seeds; give one seed a prompt.")
        return [_opened(self.files.get(key)) for key in zip(prompts, seeds, strict=True)]

    @property
    def _path(self) -> Path:
        given = Path(self.manifest).expanduser()
        return given / MANIFEST if given.is_dir() else given

    def _inside(self, file: str, where: str) -> Path:
        path = (self._path.parent / file).resolve()
        if not path.is_relative_to(self._path.parent.resolve()):
            raise BenchError(f"{where}: {file!r} lies outside the folder.")
        return path

    def _lines(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Entries, each with where it stands."""
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BenchError(
                f"Cannot read the manifest {self._path}: {error}. One line a picture: "
                '{"file": ..., "prompt": ..., "sample": 0}, or a .csv with these columns.'
            ) from error
        if self._path.suffix.lower() == ".csv":
            for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
                yield f"{self._path} line {number}", {str(name): value for name, value in row.items() if value}
            return
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield (where := f"{self._path} line {number}"), _object(line, where)


def _object(line: str, where: str) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BenchError(f"{where} is no JSON object: {error}.") from error
    if not isinstance(entry, dict):
        raise BenchError(f"{where} is no JSON object: {line:.100}.")
    return entry


def _number(given: object, where: str) -> int:
    """A whole number; in CSV it is text."""
    if isinstance(given, bool) or not str(given).isdigit():
        raise BenchError(f"{where}: sample must be a whole number 0, 1, 2 ...; found {given!r}.")
    return int(str(given))


def _opened(path: Path | None) -> Image | None:
    if path is None:
        return None
    try:
        return open_picture(path)
    except Exception:  # a decoder may raise anything on a broken file
        return None
