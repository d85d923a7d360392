"""What lies in a store: its entries with what they are, how large and how old; checks and removal."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import DAMAGE, BenchError
from bench.store import FORMAT, files

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
UNFINISHED = "unfinished"
"""Without a seal: what a running process is writing, or, once it has lain for an hour, what a stopped one left."""
DRAWN = "drawn pictures"
"""Of a generator, kept beside the vectors."""
FORMER = "old format"
"""Of an earlier version of this package, which nothing reads any more."""
VECTORS = re.compile(r"(\.tmp-.*|[0-9a-f]{32}(\.part-\d+)?)\.(npy|json)")
PICTURES = re.compile(r"(\.tmp-.*|[0-9a-f]{32})\.png")
"""How the store names what it writes."""
HOUR = 3600
SPANS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class Entry:
    """An array or a shard of one. Facts are empty where its seal has none."""

    base: Path
    size: int
    """Bytes."""
    written: float
    model: str = ""
    kind: str = ""
    """projected, penultimate, texts; UNFINISHED, DRAWN or FORMER."""
    task: str = ""
    condition: str = ""


def entries(folder: Path) -> list[Entry]:
    """All entries of a store, oldest first; what nothing reads, or not yet, is there by its kind."""
    root = folder / FORMAT
    own = _own(root, VECTORS)
    seals = [path for path in own if path.suffix == ".json" and not path.name.startswith(".tmp-")]
    found = [one for path in seals if (one := _entry(path))]
    known = {one.base for one in found}
    found += [one for one in _files(own, UNFINISHED) if one.base not in known]
    for former in folder.glob("v*"):
        if former.name != FORMAT and re.fullmatch(r"v\d+", former.name):
            found += _files(_own(former, VECTORS), FORMER)
    return sorted(found, key=lambda one: (one.written, one.base.name))


def drawn(folder: Path) -> list[Entry]:
    """The pictures that were drawn into a store, oldest first; those that are being written are UNFINISHED."""
    found = _files(_own(folder / "pictures", PICTURES), DRAWN)
    found = [replace(one, kind=UNFINISHED) if one.base.name.startswith(".tmp-") else one for one in found]
    return sorted(found, key=lambda one: (one.written, one.base.name))


def damaged(found: Iterable[Entry]) -> Iterator[Entry]:
    """Those that are not what their seal says, each read whole, and what was left unfinished over an hour ago."""
    for one in found:
        if one.kind == UNFINISHED:
            if not in_the_making(one):
                yield one
        elif one.kind not in (DRAWN, FORMER):
            sealed = files.read(one.base, {})
            if sealed is None or not all(sealed.sound):
                yield one


def in_the_making(one: Entry) -> bool:
    """Whether a running process is perhaps writing it: unfinished, and no older than an hour."""
    return one.kind == UNFINISHED and one.written >= time.time() - HOUR


def chosen(
    found: list[Entry], *, older_than: str | None = None, model: str | None = None, to_size: str | None = None
) -> list[Entry]:
    """The entries that meet all of these; `to_size` takes the oldest until the rest is no larger.

    Never one that is in the making.
    """
    picked = [one for one in found if not in_the_making(one)]
    if older_than is not None:
        limit = time.time() - seconds(older_than)
        picked = [one for one in picked if one.written < limit]
    if model is not None:
        picked = [one for one in picked if one.model == model]
    if to_size is not None:
        surplus = sum(one.size for one in found) - size(to_size)
        kept = []
        for one in picked:
            if surplus <= 0:
                break
            kept.append(one)
            surplus -= one.size
        picked = kept
    return picked


def remove(found: Iterable[Entry]) -> int:
    """Delete entries, their seals first; bytes that were freed."""
    freed = 0
    for one in found:
        freed += files.remove(one.base)
        for path in one.base.parent.glob(f"{one.base.name}.*") if one.kind in (UNFINISHED, DRAWN, FORMER) else ():
            if path.with_suffix("") == one.base:
                freed += state.st_size if (state := _state(path)) else 0
                path.unlink(missing_ok=True)
    return freed


def size(text: str) -> int:
    """`20GB`, `500M`, `0` -> bytes. Raises BenchError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise BenchError(f"{text!r} is no size; write 20GB, 500M or a number of bytes.")
    return int(float(found[1]) * UNITS[found[2].upper()])


def seconds(text: str) -> float:
    """`30d`, `12h`, `45m`, `2w` -> seconds. Raises BenchError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([mhdw])", text.strip())
    if found is None:
        raise BenchError(f"{text!r} is no span of time; write 45m, 12h, 30d or 2w.")
    return float(found[1]) * SPANS[found[2]]


def _own(part: Path, names: re.Pattern[str]) -> list[Path]:
    """What the store has written in a part of it: folders are named like the beginning of what is in them. A store may
    lie among data: whatever else is there is somebody else's."""
    found = (path for path in part.glob("[0-9a-f][0-9a-f]/*") if names.fullmatch(path.name) and path.is_file())
    return [path for path in found if path.name.startswith((path.parent.name, ".tmp-"))]


def _files(paths: Iterable[Path], kind: str) -> list[Entry]:
    """Each file as an entry of its own."""
    found = ((path, _state(path)) for path in paths)
    return [Entry(path.with_suffix(""), state.st_size, state.st_mtime, kind=kind) for path, state in found if state]


def _state(path: Path) -> os.stat_result | None:
    """None if another process has just deleted it."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _entry(seal: Path) -> Entry | None:
    base, own = seal.with_suffix(""), _state(seal)
    if own is None:
        return None
    data = _state(files.of(base)[0])
    length = own.st_size + (data.st_size if data else 0)
    try:
        facts = json.loads(seal.read_text())
        said = {name: str(facts.get(name, "")) for name in ("model", "kind", "task", "condition")}
        return Entry(base, length, float(facts.get("written", own.st_mtime)), **said)
    except DAMAGE:
        return Entry(base, length, own.st_mtime, kind=UNFINISHED)
