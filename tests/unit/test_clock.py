"""Seconds by stage."""

from __future__ import annotations

import pytest

from bench import clock


def test_an_inner_stage_is_not_counted_for_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 5.0, 7.0, 10.0, 12.0])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(now))
    with clock.running() as spent:
        with clock.stage("audit"), clock.stage("pictures"):  # 0 to 7 and in it 1 to 5
            pass
        with pytest.raises(ValueError, match="x"), clock.stage("pictures"):  # 10 to 12
            raise ValueError("x")
    assert spent == {"audit": 3.0, "pictures": 6.0}


def test_without_a_clock_nothing_is_counted() -> None:
    with clock.stage("pictures"):
        pass
    with clock.running() as spent:
        pass
    assert spent == {}


def test_summary() -> None:
    assert clock.summary({"a": 1.0, "b": 6.0, "c": 0.05}, 10.0) == "b 60 %, a 10 %, other 30 %"
    assert clock.summary({"a": 10.0}, 10.0) == "a 100 %"
    assert clock.summary({}, 0.0) == ""
