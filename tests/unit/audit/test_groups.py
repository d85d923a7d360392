"""Groups: what is missing, too small or absent is said and never dropped in silence."""

import numpy as np
import pandas as pd
import pytest

from bench.audit.measures.groups import by, groupings, levels_of
from bench.errors import BenchError

TABLE = pd.DataFrame({"gender": ["f", "m"] * 30, "age": ["20-29", "3-9", "100+"] * 20})


def test_single_then_crossed_and_every_picture_is_in_one_group() -> None:
    found = groupings(TABLE)
    assert [one.name for one in found] == ["gender", "age", "gender & age"]
    assert all(one.members.sum() == 60 and not one.missing for one in found)
    assert found[2].label(0) == "gender=f & age=3-9"


def test_values_are_in_the_order_a_reader_expects() -> None:
    assert groupings(TABLE)[1].names == ("3-9", "20-29", "100+")
    assert levels_of(pd.Series(pd.Categorical(["b"], categories=["b", "a"]))) == ["b", "a"]


@pytest.mark.parametrize("missing", [None, np.nan, "", "  "])
def test_a_missing_value_is_no_group(missing: object) -> None:
    table = TABLE.astype(object)
    table.loc[:3, "gender"] = missing
    one = by(table, "gender")
    assert one.names == ("f", "m")
    assert (one.missing, one.sizes.tolist()) == (4, [28, 28])
    assert (one.codes[:5] == [-1, -1, -1, -1, 0]).all()


def test_absent_combinations_are_groups_of_nobody() -> None:
    table = pd.DataFrame({"a": ["x"] * 30 + ["y"] * 30, "b": ["u"] * 30 + ["v"] * 30})
    both = by(table, "a", "b")
    assert both.sizes.tolist() == [30, 0, 0, 30]
    assert both.shown.tolist() == [True, False, False, True]
    assert "0 pictures" in both.suppressed(1)


def test_a_category_that_nobody_has_is_kept_as_one() -> None:
    table = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 20, categories=["x", "y", "z"])})
    assert by(table, "a").sizes.tolist() == [20, 20, 0]


def test_forty_values_are_refused_if_asked_for_and_passed_over_if_not() -> None:
    table = TABLE.assign(who=[f"p{i % 40}" for i in range(60)])
    assert [one.name for one in groupings(table, crossed=1)] == ["gender", "age"]
    with pytest.raises(BenchError, match="'who' has 40 values"):
        groupings(table, ["who"])


def test_refusals_say_what_there_is() -> None:
    with pytest.raises(BenchError, match="gender"):
        groupings(TABLE, ["gendre"])
    with pytest.raises(BenchError, match="nothing to compare"):
        groupings(TABLE.assign(one="x"), ["one"])
    with pytest.raises(BenchError, match="No attribute with 2 to 20 values"):
        groupings(pd.DataFrame(index=range(5)))
