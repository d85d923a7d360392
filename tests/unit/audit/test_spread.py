"""Spread over templates."""

import pytest

from bench.audit.measures.spread import spread
from bench.errors import BenchError


def test_minimum_median_maximum_and_who_gave_them() -> None:
    found = spread({"a {}": 0.2, "the {}": 0.9, "one {}": 0.4, "no {}": float("nan")})
    assert found[:4] == (0.2, 0.4, 0.9, 3)
    assert (found.lowest, found.highest) == ("a {}", "the {}")


def test_no_value_is_refused() -> None:
    with pytest.raises(BenchError, match="No template"):
        spread({"a": float("nan")})
