"""The bundled checkpoint does what its card says: every figure of the card comes out of `bench` again."""

import json
from typing import Any

import pandas as pd
import pytest

import bench
from bench.model.clip.checkpoint import BUNDLED, CARD

FIGURES: dict[str, dict[str, Any]] = json.loads((BUNDLED / CARD).read_text()).get("figures", {})
SAME = 0.004
"""Machines differ in the last bits, which may turn a picture in a few hundred."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    store = str(tmp_path_factory.mktemp("store"))
    table = bench.run(model="bundled", task="bundled", **{"store.folder": store})
    return table[table["headline"]].set_index("task")


def test_every_bundled_task_has_a_figure(rows: pd.DataFrame) -> None:
    assert set(rows.index) <= set(FIGURES)
    assert (rows["status"] == "ok").all()


@pytest.mark.parametrize("task", sorted(FIGURES))
def test_a_figure_is_reproduced(task: str, rows: pd.DataFrame) -> None:
    if task not in rows.index:
        pytest.skip("a published data set: see tests/realdata")
    assert rows.loc[task, "value"] == pytest.approx(FIGURES[task]["value"], abs=SAME)
    assert rows.loc[task, "n"] == FIGURES[task]["n"]
    if FIGURES[task]["claimed"]:
        assert rows.loc[task, "low"] > rows.loc[task, "chance"]


def test_an_unseen_emoji_style_is_well_above_chance(rows: pd.DataFrame) -> None:
    """Twemoji was kept out of all training; 300 names, chance 1 in 300."""
    assert rows.loc["emoji_twemoji", "low"] > 10 * rows.loc["emoji_twemoji", "chance"]
