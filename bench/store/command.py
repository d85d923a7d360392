"""The command `bench-store`: how much lies in the store and of what, which of it is sound, and what may go.

bench-store                              place, size, and what it holds by model and kind
bench-store verify                       read everything; exit status 1 if something is damaged
bench-store prune --older-than 30d       delete what is older
bench-store prune --model NAME           ... or of one model
bench-store prune --to-size 20GB         ... or the oldest, until no more than this is left
bench-store prune --broken | --all       ... what is damaged, unfinished or of an old format; everything

Drawn pictures go by age, by size and with --all. What is unfinished stays for an hour: a running process may be at it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.store import default_folder, shelf
from bench.store.shelf import Entry


def main(words: Sequence[str] | None = None) -> int:
    """Entry of the console script."""
    parser = argparse.ArgumentParser(prog="bench-store", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", nargs="?", choices=["show", "verify", "prune"], default="show")
    parser.add_argument("--folder", type=Path, help="the store (default: $BENCH_STORE, else in the user's cache)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    for name, help_ in (
        ("--older-than", "such as 30d"),
        ("--model", "name on its card"),
        ("--to-size", "such as 20GB"),
    ):
        parser.add_argument(name, help=help_)
    parser.add_argument("--broken", action="store_true", help="what is damaged, unfinished or of an old format")
    parser.add_argument("--all", action="store_true", help="everything, drawn pictures too")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted")
    given = parser.parse_args(words)
    folder = given.folder or default_folder()
    try:
        answer = {"show": show, "verify": verify, "prune": prune}[given.what](folder, given)
    except (BenchError, OSError) as error:
        print(f"bench-store: {error}", file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=1) if given.format == "json" else _text(answer))
    return 1 if answer.get("damaged") else 0


def show(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Place, size, and the entries by model and kind."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    found = shelf.entries(folder)
    for one in found:
        groups.setdefault((one.model or "?", one.kind or "?"), []).append(one)
    lines = [
        {"model": model, "kind": kind, "entries": len(own), "bytes": sum(one.size for one in own),
         "oldest": _date(min(one.written for one in own)), "newest": _date(max(one.written for one in own))}
        for (model, kind), own in sorted(groups.items())
    ]  # fmt: skip
    drawn = shelf.drawn(folder)
    return {"folder": str(folder), "entries": len(found), "bytes": sum(one.size for one in found), "of": lines,
            "drawn pictures": len(drawn), "bytes of pictures": sum(one.size for one in drawn)}  # fmt: skip


def verify(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Which entries are damaged; the next run computes their bad shards again."""
    found = shelf.entries(folder)
    bad = [str(one.base.relative_to(folder)) for one in shelf.damaged(found)]
    return {"folder": str(folder), "entries": len(found), "damaged": bad}


def prune(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Delete what was asked for."""
    found = sorted([*shelf.entries(folder), *shelf.drawn(folder)], key=lambda one: one.written)
    if not (given.all or given.broken or given.older_than or given.model or given.to_size):
        raise BenchError("Say what may go: --older-than 30d, --model NAME, --to-size 20GB, --broken or --all.")
    if given.broken:
        found = [*shelf.damaged(found), *(one for one in found if one.kind == shelf.FORMER)]
    gone = shelf.chosen(found, older_than=given.older_than, model=given.model, to_size=given.to_size)
    freed = sum(one.size for one in gone) if given.dry_run else shelf.remove(gone)
    return {"folder": str(folder), "would delete" if given.dry_run else "deleted": len(gone), "bytes": freed}


def _text(answer: dict[str, Any]) -> str:
    """One fact a line, sizes for people; the entries by model and kind as a table."""
    lines = []
    for name, value in answer.items():
        if name == "of":
            lines += [f"  {one['model']:<28} {one['kind']:<12} {one['entries']:>7} {_size(one['bytes']):>10}  "
                      f"{one['oldest']} to {one['newest']}" for one in value]  # fmt: skip
        elif name == "damaged":
            lines += [f"damaged: {len(value)}", *(f"  {one}" for one in value)]
        else:
            lines.append(f"{name}: {_size(value) if name.startswith('bytes') else value}")
    return "\n".join(lines)


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def _date(when: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(when))


if __name__ == "__main__":
    sys.exit(main())
