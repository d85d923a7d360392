"""Sources in order of preference: the first whose data is at hand (or can be fetched) is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.task import Records
from tasks.sources.places import NotAtHandError

Reader = Callable[[str], Records]


@dataclass(frozen=True)
class FirstOf:
    """See `first_of`."""

    sources: tuple[Reader, ...]

    def __call__(self, split: str) -> Records:
        said: list[str] = []
        for source in self.sources:
            try:
                return source(split)
            except NotAtHandError as error:  # a copy that is there but damaged must not be passed over in silence
                said.append(f"{len(said) + 1}. {error}")
        raise NotAtHandError(f"None of the {len(said)} sources of split {split!r} has the data.\n" + "\n".join(said))

    def where(self) -> list[str]:
        """Where the data is looked for, in order."""
        return [place for source in self.sources for place in where(source)]

    def at_hand(self) -> bool:
        return any(at_hand(source) for source in self.sources)


def first_of(*sources: Reader) -> FirstOf:
    """A reader that asks `sources` in turn. Only *absent* data moves on to the next; a damaged copy is an
    error.

    If none has the data, the error lists what each of them said.
    """
    return FirstOf(sources)


def at_hand(source: Reader) -> bool:
    """Whether a reader's data is on this machine; readers that cannot tell count as not."""
    ask = getattr(source, "at_hand", None)
    return bool(ask()) if ask is not None else False


def where(source: Reader) -> list[str]:
    """Where a reader looks for its data, in order; nothing for readers that do not say."""
    ask = getattr(source, "where", None)
    return list(ask()) if ask is not None else []
