"""Where data lies on this machine, and the one way to say that it does not."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bench.errors import BenchError


class NotAtHandError(BenchError):
    """The data of a task is not on this machine (and was not, or could not be, downloaded)."""


def cache_root() -> Path:
    """`$BENCH_CACHE`, else `~/.cache/bench`."""
    return Path(os.environ.get("BENCH_CACHE") or "~/.cache/bench").expanduser()


def data_root(root: str | Path | None = None) -> Path:
    """Where published data sets lie: the argument, else `$BENCH_DATA`, else `~/.cache/bench/data`."""
    return Path(root or os.environ.get("BENCH_DATA") or cache_root() / "data").expanduser()


def resolve(path: str | Path) -> Path:
    """An absolute path, or one that exists from here, as it is; any other within the data root."""
    given = Path(path).expanduser()
    return given.absolute() if given.is_absolute() or given.exists() else data_root() / given


def offline() -> bool:
    """Whether downloads are switched off (`BENCH_OFFLINE=1` or `HF_HUB_OFFLINE=1`)."""
    return any(os.environ.get(name, "").lower() in ("1", "true", "yes") for name in ("BENCH_OFFLINE", "HF_HUB_OFFLINE"))


def not_at_hand(what: str, wanted: Iterable[Path], *, reason: str = "", how: str = "") -> NotAtHandError:
    """The error for data that is not here: which files to put where."""
    missing = [str(path) for path in wanted if not path.exists()]
    listed = "".join(f"\n  {path}" for path in missing[:8]) + ("\n  ..." if len(missing) > 8 else "")
    parts = [
        f"The data of {what} is not on this machine.",
        reason,
        how,
        f"Expected here (or set BENCH_DATA to the folder that holds it):{listed}" if missing else "",
    ]
    return NotAtHandError(" ".join(part for part in parts if part))
