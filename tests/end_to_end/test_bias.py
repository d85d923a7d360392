"""`bench audit=bias` as it comes: offline, on the bundled role emoji, with the bundled model."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

import bench
from reports import folder, page

PARTS = ("performance", "counterparts", "harm", "words", "association", "retrieval")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path, float]:
    place, started = tmp_path_factory.mktemp("bias"), time.process_time()
    rows = bench.run(audit="bias", output=place, **{"store.folder": str(place / "store")})
    page.write(place)
    return rows, place, time.process_time() - started


@pytest.mark.slow
def test_every_question_is_answered_within_two_minutes(audited: tuple[pd.DataFrame, Path, float]) -> None:
    rows, place, seconds = audited
    assert (rows[rows["group"] == "all"]["status"] == "ok").all()
    tests = folder.read(place).table("bias", "tests")
    assert set(PARTS) <= set(tests["part"])
    assert seconds < 120


@pytest.mark.slow
def test_counterparts_are_matched_on_profession_and_style(audited: tuple[pd.DataFrame, Path, float]) -> None:
    rows, _, _ = audited
    consistency = rows[rows["metric"] == "consistency"].set_index("group")
    assert {"gender", "tone"} == set(consistency.index)
    assert ((consistency["low"] > 0.3) & (consistency["high"] < 0.95)).all()
    assert rows["metric"].isin(["drift[scientist]"]).sum() == 2


@pytest.mark.slow
def test_the_page_says_what_it_measures(audited: tuple[pd.DataFrame, Path, float]) -> None:
    text = (audited[1] / "report.md").read_text()
    assert "These pictures are drawings." in text
    assert "nothing about society" in text
    assert "Content note." in text
