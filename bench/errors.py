"""Errors that a person at the command line can cause and mend.

A `BenchError` says what is wrong, what was given, what is allowed and how to mend it. It is shown as one message
without a traceback (unless `debug=true`). Anything else that is raised is a bug of ours or of a plugin.
"""

from __future__ import annotations

import csv
import difflib
import lzma
import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class BenchError(Exception):
    """A problem with what was asked for or with the data, in words a user can act on."""


DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError,
    SystemError, TypeError, ValueError, csv.Error, lzma.LZMAError, pickle.PickleError, struct.error,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What damaged files make parsers raise: those of Python, NumPy, pandas and PyArrow. A wrong name, a failed import or
an assertion is never the data's fault."""


FOREIGN: tuple[type[BaseException], ...] = (Exception, SystemExit)
"""What code of others may raise, in a plugin or a library: one that calls `sys.exit` ends its cell, and no run."""


@contextmanager
def reading(
    path: Path | str, what: str, *, mend: str = "Fetch it again.", also: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Around what parses a file from outside, and no more than that: damage becomes one error that names the file.

    Args:
        what: what the file should be, as in "a batch of CIFAR".
        mend: what to do about it.
        also: what the parser raises besides `DAMAGE`.

    Raises:
        BenchError: whatever of these the block raised, chained.
    """
    try:
        yield
    except (*DAMAGE, *also) as error:
        raise unreadable(path, what, error, mend) from error


def unreadable(path: Path | str, what: str, error: BaseException, mend: str = "Fetch it again.") -> BenchError:
    """The error of `reading`, for libraries of which anything may come."""
    return BenchError(
        f"{path} cannot be read as {what} ({type(error).__name__}: {first_line(error)}). It is missing, damaged or "
        f"something else. {mend}"
    )


def first_line(error: BaseException) -> str:
    """What a library said, on one line and shortened."""
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:300] + " ..."


def closest(name: str, names: Iterable[str], *, count: int = 3) -> list[str]:
    """The known names most like `name`, best first (none if nothing is similar)."""
    by_lower = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)
    inside = [low for low in by_lower if name.lower() in low and low not in found]
    return [by_lower[low] for low in [*found, *sorted(inside)][:count]]


def unknown(kind: str, name: str, names: Iterable[str], *, hint: str = "", few: int = 12) -> BenchError:
    """The error for a name that does not exist: gives the closest ones, and all if there are so few."""
    known = sorted(names)
    near = closest(name, known)
    said = ["Did you mean " + " or ".join(repr(one) for one in near) + "?"] if near else []
    if len(known) <= few:
        said.append(f"Known: {', '.join(known) or 'none'}.")
    elif not near:
        said.append(f"There are {len(known)} known names.")
    return BenchError(" ".join([f"Unknown {kind} {name!r}.", *said, *([hint] if hint else [])]))
