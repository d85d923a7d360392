"""Groups: the pictures of each value of an attribute, and of each combination of values.

A picture whose value is missing belongs to no group of that attribute, and is counted as missing. A group with fewer
than `minimum` pictures is suppressed: its figures say nothing (an interval of a share of 20 is forty points wide), and
a table of tiny groups can point at a person. Combinations that do not occur are groups of nobody, not gaps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError, unknown

if TYPE_CHECKING:
    import pandas as pd

MINIMUM = 20
"""Pictures a group needs to be shown."""
MOST_VALUES = 20
"""Values an attribute may have to be a set of groups; more is a measurement or a name, to be binned first."""
SCALES = (
    ("none", "light", "medium-light", "medium", "medium-dark", "dark"),
    ("lowest", "low", "medium", "high", "highest"),
)
"""Words that have an order of their own: skin tones of Unicode, quarters of income."""
AND = " & "


@dataclass(frozen=True)
class Grouping:
    """The groups of one attribute, or of several crossed."""

    attributes: tuple[str, ...]
    names: tuple[str, ...]
    """`woman`, or `woman & dark` where attributes are crossed."""
    members: np.ndarray
    """bool [image, group]; a picture is in one group, or in none where a value is missing."""
    minimum: int = MINIMUM

    @property
    def name(self) -> str:
        return AND.join(self.attributes)

    @property
    def sizes(self) -> np.ndarray:
        """int [group]"""
        return np.asarray(self.members.sum(axis=0))

    @property
    def shown(self) -> np.ndarray:
        """bool [group]: large enough to be shown."""
        return self.sizes >= self.minimum

    @property
    def missing(self) -> int:
        """Pictures in no group."""
        return int((~self.members.any(axis=1)).sum())

    @property
    def codes(self) -> np.ndarray:
        """int [image]: number of the group, -1 for none."""
        return np.where(self.members.any(axis=1), self.members.argmax(axis=1), -1)

    def label(self, group: int) -> str:
        """`gender=woman & tone=dark`: as it stands in the column `group` of the rows."""
        parts = self.names[group].split(AND) if len(self.attributes) > 1 else [self.names[group]]
        return AND.join(f"{attribute}={part}" for attribute, part in zip(self.attributes, parts, strict=True))

    def suppressed(self, group: int) -> str:
        """Why this group is not shown."""
        return f"{self.sizes[group]} pictures; a group needs {self.minimum} to be shown"


def groupings(
    attributes: pd.DataFrame,
    chosen: Sequence[str] | None = None,
    *,
    minimum: int = MINIMUM,
    most: int = MOST_VALUES,
    crossed: int = 2,
    ignore: Sequence[str] = (),
) -> list[Grouping]:
    """The groups of each attribute, then of every combination of up to `crossed` of them.

    Without `chosen`, every attribute with 2 to `most` values is taken, save those to `ignore`.

    Raises:
        BenchError: a chosen attribute that is not there, that has one value only, or more than `most`; or no
            attribute to group by.
    """
    for name in chosen or ():
        if name not in attributes:
            raise unknown("attribute", name, map(str, attributes.columns))
        _refuse_unfit(name, values_of(attributes[name]), most)
    free = [str(name) for name in attributes if name not in ignore and _fit(values_of(attributes[name]), most)]
    names = [str(name) for name in chosen] if chosen else free
    if not names:
        have = ", ".join(map(str, attributes.columns)) or "none"
        raise BenchError(f"No attribute with 2 to {most} values to group pictures by. Attributes here: {have}.")
    parts = [part for size in range(1, crossed + 1) for part in combinations(names, size)]
    return [_grouping(attributes, part, minimum) for part in parts]


def by(attributes: pd.DataFrame, *names: str, minimum: int = MINIMUM) -> Grouping:
    """The groups of these attributes crossed."""
    return groupings(attributes, names, minimum=minimum, most=len(attributes) + 1, crossed=len(names))[-1]


def values_of(column: pd.Series) -> np.ndarray:
    """The values of an attribute as text: str [image]; empty where missing."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return np.asarray(text.to_numpy(dtype=str))


def levels_of(column: pd.Series) -> list[str]:
    """The values that may occur, in order: of categories theirs (absent ones too), else numbers first, then names.

    Words of a known scale are in the order of the scale.
    """
    if hasattr(column, "cat"):
        return [str(one) for one in column.cat.categories]
    found = set(values_of(column)) - {""}
    scale = next((one for one in SCALES if found <= set(one)), None)
    if scale is not None:
        return [one for one in scale if one in found]
    return sorted(found, key=_natural)


def _grouping(attributes: pd.DataFrame, names: Sequence[str], minimum: int) -> Grouping:
    values = [values_of(attributes[name]) for name in names]
    combined = list(product(*(levels_of(attributes[name]) for name in names)))
    members = [np.logical_and.reduce([v == one for v, one in zip(values, row, strict=True)]) for row in combined]
    return Grouping(tuple(names), tuple(AND.join(row) for row in combined), np.stack(members, axis=1), minimum)


def _fit(values: np.ndarray, most: int) -> bool:
    return 2 <= len(set(values) - {""}) <= most


def _refuse_unfit(name: str, values: np.ndarray, most: int) -> None:
    if _fit(values, most):
        return
    count = len(set(values) - {""})
    if count < 2:
        raise BenchError(f"Attribute {name!r} has {count or 'no'} value(s) here: there is nothing to compare.")
    raise BenchError(
        f"Attribute {name!r} has {count} values; groups are for at most {most}. Bin it in the table (ages to "
        "brackets, countries to regions), choose other attributes, or raise `most_values`."
    )


def _natural(text: str) -> tuple[float, str]:
    number = re.match(r"\D{0,2}(\d+(?:\.\d+)?)", text)
    return (float(number[1]) if number else float("inf"), text)
