"""Errors that a person at the command line can cause and mend.

A `BenchError` says what is wrong, what was given, what is allowed and how to mend it. It is shown as one message
without a traceback (unless `debug=true`). Anything else that is raised is a bug of ours or of a plugin.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """A problem with what was asked for or with the data, in words a user can act on."""


def closest(name: str, names: Iterable[str], *, count: int = 3) -> list[str]:
    """The known names most like `name`, best first (none if nothing is similar)."""
    by_lower = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)
    inside = [low for low in by_lower if name.lower() in low and low not in found]
    return [by_lower[low] for low in [*found, *sorted(inside)][:count]]


def unknown(kind: str, name: str, names: Iterable[str], *, hint: str = "") -> BenchError:
    """The error for a name that does not exist: gives the closest ones, or all if there are few."""
    known = sorted(names)
    near = closest(name, known)
    if near:
        answer = "Did you mean " + " or ".join(repr(one) for one in near) + "?"
    elif len(known) <= 12:
        answer = f"Known: {', '.join(known) or 'none'}."
    else:
        answer = f"There are {len(known)} known names."
    return BenchError(f"Unknown {kind} {name!r}. {answer}" + (f" {hint}" if hint else ""))
