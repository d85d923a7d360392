"""Our corruptions against the port `imagecorruptions` 1.1.2: change, brightness and spectrum of the same photographs.

`reference.csv` holds the port's means over ten runs a picture, with their standard errors (`make_reference.py`). Ours
must agree within four standard errors of the difference plus TOLERANCE. Where the port departs from the originals,
the departure is stated here, and the original definition is tested in `tests/unit/corruption/test_definitions.py`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.audit.corruption import CORRUPTIONS, SEVERITIES, corrupt
from tests.golden.corruption.make_reference import HERE, photographs
from tests.golden.corruption.statistics import NAMES, statistics, summary

RUNS = 6
TOLERANCE = {"change": 0.15, "shift": 0.15, **dict.fromkeys(NAMES[2:], 0.02)}
"""Grey levels; decades of power (5 %)."""


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return photographs()


def compare(name: str, severity: int, pictures: np.ndarray) -> pd.DataFrame:
    """Ours, the port's, and how far apart they may be."""
    every = pd.read_csv(HERE / "reference.csv")
    reference = every[(every["corruption"] == name) & (every["severity"] == severity)].set_index("statistic")
    runs = RUNS if CORRUPTIONS[name].random else 2
    rows = [[statistics(one, corrupt(one, name, severity, seed=seed)) for seed in range(runs)] for one in pictures]
    mean, error = summary(rows)
    found = pd.DataFrame({"ours": mean, "port": reference["mean"]}, index=list(NAMES))
    allowed = 4 * np.hypot(error, reference.loc[list(NAMES), "error"]) + pd.Series(TOLERANCE)
    return found.assign(apart=found["ours"] - found["port"], allowed=allowed)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "elastic_transform"])
def test_same_as_the_port(name: str, severity: int, pictures: np.ndarray) -> None:
    found = compare(name, severity, pictures)
    if name == "motion_blur":  # ImageMagick, which made the published files, rounds to the nearest; the port down
        found.loc["shift", "apart"] -= 0.5
    assert (found["apart"].abs() <= found["allowed"]).all(), found


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_ports_elastic_transform_is_another(severity: int, pictures: np.ndarray) -> None:
    """It has no affine map and other amplitudes: its change must not be taken for the original's."""
    found = compare("elastic_transform", severity, pictures)
    assert found.loc["change", "apart"] > found.loc["change", "allowed"], found


@pytest.mark.parametrize(("name", "other"), [("gaussian_noise", "speckle_noise"), ("defocus_blur", "gaussian_blur"),
                                             ("snow", "frost"), ("fog", "contrast")])  # fmt: skip
def test_the_comparison_tells_corruptions_apart(name: str, other: str, pictures: np.ndarray) -> None:
    ours, theirs = compare(name, 3, pictures), compare(other, 3, pictures)
    assert ((ours["ours"] - theirs["port"]).abs() > ours["allowed"]).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_comparison_tells_severities_apart(name: str, pictures: np.ndarray) -> None:
    mild, strong = compare(name, 1, pictures), compare(name, 5, pictures)
    assert ((mild["ours"] - strong["port"]).abs() > mild["allowed"]).any()
