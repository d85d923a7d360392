"""Where the time goes: seconds by stage, of one run.

    with clock.running() as spent:          # {} until something was timed
        with clock.stage("pictures"): ...
        clock.summary(spent)

Stages may lie in each other; what the inner one takes is not counted for the outer one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

SHOWN = 0.02
"""Share of the whole from which a stage is named in the summary."""

_spent: ContextVar[dict[str, float] | None] = ContextVar("spent", default=None)
_stages: ContextVar[tuple[str, ...]] = ContextVar("stages", default=())


@contextmanager
def running() -> Iterator[dict[str, float]]:
    """Seconds by stage from here on."""
    found: dict[str, float] = {}
    token = _spent.set(found)
    try:
        yield found
    finally:
        _spent.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what happens inside for this stage; nothing is counted where no clock is running."""
    spent = _spent.get()
    if spent is None:
        yield
        return
    token = _stages.set((*_stages.get(), name))
    began = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - began
        _stages.reset(token)
        spent[name] = spent.get(name, 0.0) + took
        if outer := _stages.get():
            spent[outer[-1]] = spent.get(outer[-1], 0.0) - took


def summary(spent: Mapping[str, float], whole: float) -> str:
    """`pictures 61 %, report 20 %, other 19 %`: shares of `whole` seconds, the largest first."""
    if whole <= 0:
        return ""
    shown = {name: seconds for name, seconds in spent.items() if seconds >= SHOWN * whole}
    order = sorted(shown.items(), key=lambda one: -one[1])
    rest = whole - sum(shown.values())
    order += [("other", rest)] if rest >= SHOWN * whole else []
    return ", ".join(f"{name} {100 * seconds / whole:.0f} %" for name, seconds in order)
