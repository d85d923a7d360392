"""`bench generator=...` as a user types it: prompts, pictures, scores with their scorers' reliability, a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import results
from reports import folder
from tests.end_to_end.test_app import bench, the_run

SMALL = ["generator=scenes", "task.meanings=1", "task.categories=[counts,structure]", "limit=80"]


@pytest.mark.slow
def test_the_suite_drawn_by_our_renderer(tmp_path: Path) -> None:
    done = bench(*SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = results.read(the_run(tmp_path))
    mine = rows[rows["evaluation"] == "composition"].set_index(["condition", "group", "metric"])
    assert mine.loc[("exact", "counts", "all"), "value"] == 1.0
    assert mine.loc[("clean", "all", "pictures_missing"), "value"] > 0  # open prompts: counted, and no failure
    run = folder.read(the_run(tmp_path))
    card = run.table("composition", "card").set_index(["scorer", "category", "kind"])
    assert card.loc[("exact", "counts", "all"), "n"] >= 20  # a limit does not cut what scorers are tested on
    assert "scenes gets everything right in 100.0%" in (the_run(tmp_path) / "report.md").read_text()
    kept = sorted((tmp_path / "store" / "pictures").rglob("*.png"))
    before = [path.stat().st_mtime_ns for path in kept]
    again = bench(*SMALL, "seed=1", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert [path.stat().st_mtime_ns for path in kept] == before


@pytest.mark.slow
def test_a_generator_and_a_task_of_pictures_do_not_go_together(tmp_path: Path) -> None:
    done = bench("generator=scenes", "task=digits", cwd=tmp_path)
    assert done.returncode == 2
    assert "digits has pictures of its own" in done.stderr
    alone = bench("task=compositional", cwd=tmp_path)
    assert alone.returncode == 1
    assert "generator=scenes" in alone.stdout + alone.stderr
