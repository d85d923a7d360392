"""Labels of one copy of the data, joined to a task's classes by name.

Copies of a data set number their classes in different orders and spell them differently (`polka-dotted`,
`polka_dotted`). What a copy calls a class is therefore looked up among the keys and then the names of the classes,
first exactly, then without regard to case, spaces and punctuation. A name that fits none, or two, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.errors import BenchError, closest
from bench.task import ClassName


def keys_of(found: Sequence[str], classes: Sequence[ClassName], *, where: str) -> list[str]:
    """The class key of each name in `found` (the class list of a copy).

    If the whole list is the published one, name by name (but for case and punctuation), position decides:
    ImageNet's list has two 'missile' and two 'sunglasses', which no lookup can tell apart.

    Raises:
        BenchError: a name that fits no class, or more than one.
    """
    if [plain(name) for name in found] == [plain(one.names[0]) for one in classes]:
        return [one.key for one in classes]
    tables = [_table(classes, how) for how in (_keys, _names, _loose)]
    return [_look_up(name, tables, where) for name in found]


def numbered(names: Sequence[str], number: int) -> str:
    """The name with this number, counted from 0. IndexError for any other: -1 is no name, not the last one."""
    if not 0 <= number < len(names):
        raise IndexError(f"number {number} is not from 0 to {len(names) - 1}")
    return names[number]


def plain(name: str) -> str:
    """Letters and digits only, lower case: 'Polka-dotted ' and 'polka_dotted' are one name."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _keys(one: ClassName) -> set[str]:
    return {one.key}


def _names(one: ClassName) -> set[str]:
    return set(one.names)


def _loose(one: ClassName) -> set[str]:
    return {plain(one.key), *map(plain, one.names)}


def _table(classes: Sequence[ClassName], how: Callable[[ClassName], set[str]]) -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    for one in classes:
        for name in how(one):
            table.setdefault(name, set()).add(one.key)
    return table


def _look_up(name: str, tables: list[dict[str, set[str]]], where: str) -> str:
    for table, wanted in zip(tables, (name, name, plain(name)), strict=True):
        keys = table.get(wanted, set())
        if len(keys) == 1:
            return next(iter(keys))
        if keys:
            raise BenchError(f"{where}: {name!r} could be any of the classes {', '.join(sorted(keys))}.")
    near = closest(name, tables[1])
    raise BenchError(
        f"{where}: {name!r} is no class of this task."
        + (f" Closest: {', '.join(near)}." if near else "")
        + " Another data set, or another class list?"
    )
