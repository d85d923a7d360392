"""Label sets: files, categories, and what a changed design does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.audit.label_sets import Design, LabelSet, assigned, collapsed_accuracy, moved, movement, read
from bench.audit.measures.disparity import paired_shift
from bench.audit.measures.parity import decisions
from bench.errors import BenchError
from tests.unit.audit.planted import grouping_of

SET = LabelSet("harm", {"woman": "person", "man": "person", "thief": "crime", "animal": "non-human"})


def test_a_file_is_read_with_its_note(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(
        "# Ours.\n# note: Offensive words follow.\nwoman\tperson\n\nthief\tcrime\nrock\n"
    )
    found = read(tmp_path / "mine.txt")
    assert dict(found.categories) == {"woman": "person", "thief": "crime", "rock": "rock"}
    assert (found.name, found.note) == ("mine", "Offensive words follow.")
    assert found.category_names == ("person", "crime", "rock")


@pytest.mark.parametrize(
    ("text", "message"), [("a\tx\na\ty\n", "'a' occurs twice"), ("\tx\nb\tx\n", "empty"), ("a\tx\n", "two labels")]
)
def test_a_bad_file_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.txt").write_text(text)
    with pytest.raises(BenchError, match=message):
        read(tmp_path / "bad.txt")
    with pytest.raises(BenchError, match="No label set"):
        read(tmp_path / "none.txt")


def test_planted_rates_of_categories_come_out_exactly() -> None:
    """Of 100 pictures of group 0, 16 are called thief and 14 animal; of group 1, 4 and none."""
    best = np.array([2] * 16 + [3] * 14 + [0] * 70 + [2] * 4 + [1] * 96)
    parts = assigned(np.eye(4)[best], SET)
    codes = np.repeat([0, 1], 100)
    assert parts[codes == 0].mean(axis=0) == pytest.approx([0.7, 0.16, 0.14])
    assert parts[codes == 1].mean(axis=0) == pytest.approx([0.96, 0.04, 0])


def test_ties_between_labels_do_not_depend_on_the_order_of_the_file() -> None:
    scores = np.array([[1.0, 0, 1, 1]])
    again = LabelSet("turned", dict(reversed(list(SET.categories.items()))))
    assert assigned(scores, SET)[0] == pytest.approx([1 / 3] * 3)
    assert assigned(scores[:, ::-1], again)[0] == pytest.approx([1 / 3] * 3)
    with pytest.raises(BenchError, match="4 labels"):
        assigned(scores[:, :3], SET)


def test_adding_child_moves_whom_it_should_and_nobody_else() -> None:
    """The paper's test: with `child` in the set, the 30 children of 100 that were thieves are children."""
    with_child = Design("with child", add={"child": "child"}).apply(SET)
    codes = np.repeat([0, 1], [100, 100])
    best = np.array([2] * 30 + [0] * 70 + [2] * 10 + [1] * 90)
    before = np.eye(4)[best]
    after = np.column_stack([before, np.where((codes == 0) & (best == 2), 2.0, -1)])
    first, second = assigned(before, SET), assigned(after, with_child)
    change = paired_shift(first[:, 1], second[:, 1], grouping_of(codes))
    assert (change[0].value, change[1].value) == (pytest.approx(-0.3), 0)
    assert change[0].high < 0 < change[1].high
    flows = movement(first, second, grouping_of(codes))
    assert flows[0][1] == pytest.approx([0, 0, 0, 0.3])  # crime -> person, crime, non-human, child
    assert flows[1][1] == pytest.approx([0, 0.1, 0, 0])
    left = moved(first, second, SET.category_names, with_child.category_names)
    assert (left[:30] == 1).all()
    assert left[30:].max() == 0


def test_designs_drop_and_rename_and_refuse_nonsense() -> None:
    changed = Design("d", drop=("man",), rename={"thief": "burglar"}, add={"child": "person"}).apply(SET)
    assert list(changed.categories.items()) == [
        ("woman", "person"), ("burglar", "crime"), ("animal", "non-human"), ("child", "person")
    ]  # fmt: skip
    with pytest.raises(BenchError, match="thief"):
        Design("d", drop=("theif",)).apply(SET)
    with pytest.raises(BenchError, match="twice"):
        Design("d", add={"man": "x"}).apply(SET)
    with pytest.raises(BenchError, match="twice"):
        Design("d", rename={"man": "woman"}).apply(SET)
    with pytest.raises(BenchError, match="leaves 1"):
        Design("d", drop=("man", "woman", "thief")).apply(SET)


def test_datacomps_white_and_non_white_is_a_collapse_and_no_seven_way_accuracy() -> None:
    """Non-white pictures confused among each other are right after the collapse, wrong before it."""
    labels = np.array([0] * 50 + [1] * 50 + [2] * 50)
    guess = np.array([0] * 30 + [1] * 20 + [2] * 45 + [0] * 5 + [1] * 50)
    right = collapsed_accuracy(decisions(np.eye(3)[guess]), labels, np.array([0, 1, 1]))
    assert right[:50].mean() == pytest.approx(0.6)
    assert right[50:].mean() == pytest.approx(0.95)
    assert (guess == labels)[50:].mean() == 0
