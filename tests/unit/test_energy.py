"""The energy meter on planted counters: sums, wraps, and says nothing where nothing is known."""

from pathlib import Path

import pytest

from bench.energy import Meter


def counter(folder: Path, name: str, microjoules: int, largest: int = 1_000_000_000) -> Path:
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{largest - 1}\n")
    return place


def test_packages_add_up_and_counters_wrap(tmp_path: Path) -> None:
    counter(tmp_path, "intel-rapl:0", 5_000_000)
    counter(tmp_path, "intel-rapl:1", 999_000_000)
    counter(tmp_path, "intel-rapl:0:0", 7)  # a part of package 0, which has it already
    meter = Meter(tmp_path)
    assert meter.joules() == 0
    counter(tmp_path, "intel-rapl:0", 8_000_000)
    counter(tmp_path, "intel-rapl:1", 1_500_000)
    counter(tmp_path, "intel-rapl:0:0", 900_000_000)
    assert meter.joules() == pytest.approx(3.0 + 2.5)


def test_no_counter_or_an_unreadable_one_is_no_number(tmp_path: Path) -> None:
    assert Meter(tmp_path).joules() is None
    place = counter(tmp_path, "intel-rapl:0", 1)
    meter = Meter(tmp_path)
    (place / "energy_uj").write_text("not a number")
    assert meter.joules() is None
