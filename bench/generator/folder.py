"""Pictures that are there already, made by any system: a manifest says which picture is of which prompt.

The manifest is CSV (with a header) or JSON lines with `file` (from the manifest's folder), `id` or `prompt` (as
`bench-tasks export compositional` writes them), and `sample` (0, 1, ...; by order of appearance if absent). A picture
that is not there, or cannot be read, is counted; it ends nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.errors import BenchError
from bench.generator import GeneratorCard, Request
from bench.task import digest


@dataclass(frozen=True)
class Folder:
    """`manifest`: a .csv or .jsonl file. `name`: of the system that made the pictures."""

    manifest: str | Path
    name: str = "folder"

    @property
    def card(self) -> GeneratorCard:
        seen = [f"{path} {_state(path)}" for path in sorted(set(self._files.values()))]
        return GeneratorCard(
            self.name, "folder", digest(*map(repr, self._files), *seen), notes=(f"pictures of {self._path}",)
        )

    def file(self, request: Request) -> Path | None:
        """The picture of this prompt and sample, if the manifest has one and it exists."""
        of = request.prompt
        path = self._files.get((of.id, request.sample)) or self._files.get((of.text, request.sample))
        return path if path is not None and path.exists() else None

    @property
    def _path(self) -> Path:
        return Path(self.manifest).expanduser()

    @cached_property
    def _files(self) -> dict[tuple[str, int], Path]:
        found: dict[tuple[str, int], Path] = {}
        count: dict[str, int] = {}
        for number, line in enumerate(self._lines(), 1):
            key = str(line.get("id") or line.get("prompt") or "")
            if not key or not line.get("file"):
                raise BenchError(
                    f"{self._path}, entry {number}: needs `file`, and `id` or `prompt`; "
                    f"found {', '.join(line) or 'nothing'}."
                )
            sample = _number(line.get("sample"), count.get(key, 0), f"{self._path}, entry {number}")
            if (key, sample) in found:
                raise BenchError(f"{self._path}, entry {number}: sample {sample} of {key!r} is there twice.")
            count[key] = max(count.get(key, 0), sample + 1)
            found[key, sample] = self._path.parent / str(line["file"])
        return found

    def _lines(self) -> Iterator[dict[str, object]]:
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BenchError(f"Cannot read the manifest {self._path}: {error}. Give a .csv or .jsonl file.") from error
        if self._path.suffix.lower() == ".csv":
            for row in csv.DictReader(text.splitlines()):
                yield {str(name): value for name, value in row.items() if value}
            return
        for number, line in enumerate(text.splitlines(), 1):
            try:
                entry = json.loads(line) if line.strip() else None
            except ValueError as error:
                raise BenchError(f"{self._path}, line {number} is not JSON: {error}.") from error
            if entry is not None and not isinstance(entry, dict):
                raise BenchError(f"{self._path}, line {number}: expected an object, found {type(entry).__name__}.")
            if entry:
                yield entry


def _number(given: object, otherwise: int, where: str) -> int:
    if given is None:
        return otherwise
    if not str(given).isdigit():
        raise BenchError(f"{where}: `sample` must be 0, 1, 2 ...; found {given!r}.")
    return int(str(given))


def _state(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "absent"
    return f"{status.st_size} {status.st_mtime_ns}"
