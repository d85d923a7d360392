"""Label sets: what a picture could be called, in categories; and their design as something to be tested.

A label set is a text file with `label<TAB>category` on each line (see `tasks/data/labelsets/`). Which labels are in it
decides who is put where: in the CLIP paper (Radford et al. 2021, table 7) the one word `child`, added to 21 others,
takes most pictures of people under 20 out of the categories crime and non-human. So a set is not only used but varied:
`Design` adds, drops and renames labels, and `movement` shows who moves.

A label that ties with others for the best is given in parts, so the order of a file carries no weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.audit.measures.groups import Grouping
from bench.audit.measures.parity import decisions
from bench.errors import BenchError, reading, unknown


@dataclass(frozen=True)
class LabelSet:
    """Labels with the category of each, in the order of the file."""

    name: str
    categories: Mapping[str, str]
    """label -> category; a label without one is its own."""
    note: str = ""
    """What a reader should be told before the tables: the `# note:` lines of the file."""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.categories)

    @property
    def category_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.categories.values()))

    def indicator(self) -> np.ndarray:
        """float [label, category]: 1 where the label is of the category."""
        names = self.category_names
        return np.array([[float(own == name) for name in names] for own in self.categories.values()])


@dataclass(frozen=True)
class Design:
    """A change to a label set: `add` label -> category, `drop` labels, `rename` old -> new."""

    name: str
    add: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def apply(self, labels: LabelSet) -> LabelSet:
        """The changed set.

        Raises:
            BenchError: a label to drop or rename that is not there, one to add that is, or nothing left.
        """
        for one in (*self.drop, *self.rename):
            if one not in labels.categories:
                raise unknown(f"label of {labels.name!r}", one, labels.labels)
        kept = {self.rename.get(one, one): c for one, c in labels.categories.items() if one not in self.drop}
        twice = [one for one in self.add if one in kept]
        if twice or len(kept) != len(labels.categories) - len(set(self.drop)):
            raise BenchError(f"Design {self.name!r} makes a label occur twice: {', '.join(twice) or 'by renaming'}.")
        changed = {**kept, **self.add}
        if len(changed) < 2:
            raise BenchError(f"Design {self.name!r} leaves {len(changed)} label(s) of {labels.name!r}; two are needed.")
        return LabelSet(f"{labels.name} {self.name}", changed, labels.note)


def read(path: Path) -> LabelSet:
    """A label set from its file: `label<TAB>category` a line; `#` begins a comment, `# note:` what readers are told.

    Raises:
        BenchError: no such file, an empty label, one that occurs twice, or fewer than two.
    """
    if not path.is_file():
        raise BenchError(f"No label set at {path}. It is a text file with `label<TAB>category` on each line.")
    with reading(path, "a text file of labels", mend="Save it as UTF-8."):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    note = " ".join(line.partition(":")[2].strip() for line in lines if line.lower().startswith("# note:"))
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        label, _, category = (part.strip() for part in line.partition("\t"))
        if not label or label in found:
            problem = f"{label!r} occurs twice" if label else "a label is empty"
            raise BenchError(f"{path.name}, line {number}: {problem}.")
        found[label] = category or label
    if len(found) < 2:
        raise BenchError(f"{path}: a label set needs two labels or more; this has {len(found)}.")
    return LabelSet(path.stem, found, note)


def assigned(scores: np.ndarray, labels: LabelSet) -> np.ndarray:
    """float [image, category]: the part of each picture that its best label puts into each category."""
    if scores.shape[1] != len(labels.labels):
        raise BenchError(f"{scores.shape[1]} scores a picture for the {len(labels.labels)} labels of {labels.name!r}.")
    return np.asarray(decisions(scores) @ labels.indicator())


def collapsed_accuracy(decided: np.ndarray, labels: np.ndarray, merged: np.ndarray) -> np.ndarray:
    """float [image]: right after classes are merged, `merged` int [class] (DataComp's White and Non-white).

    The CLIP paper's race accuracy of 91 % for six races is this, and no seven-way accuracy.
    """
    merged = np.asarray(merged)
    same = merged[None, :] == merged[labels][:, None]
    return np.asarray((decided * same).sum(axis=1))


def movement(before: np.ndarray, after: np.ndarray, grouping: Grouping) -> dict[int, np.ndarray]:
    """Share of each shown group that goes from category to category: float [from, to], summing to 1.

    `before` [image, category] and `after` [image, category] as from `assigned`; parts of ties move independently.
    """
    found = {}
    for g in np.flatnonzero(grouping.shown):
        own = grouping.members[:, g]
        found[int(g)] = np.einsum("if,it->ft", before[own], after[own]) / own.sum()
    return found


def moved(before: np.ndarray, after: np.ndarray, from_names: tuple[str, ...], to_names: tuple[str, ...]) -> np.ndarray:
    """float [image]: the part of each picture that left its category; categories are matched by name."""
    same = np.array([[float(a == b) for b in to_names] for a in from_names])
    return np.asarray(1 - np.einsum("if,it,ft->i", before, after, same))
