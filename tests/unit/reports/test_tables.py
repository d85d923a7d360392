"""Tables from planted rows."""

import numpy as np
import pandas as pd
import pytest

from bench import results
from reports import tables, words


def row(task: str, value: float | None = None, **changes: object) -> dict[str, object]:
    facts: dict[str, object] = {
        "run": "r",
        "model": "m",
        "task": task,
        "family": "f",
        "split": "test",
        "evaluation": "zero_shot",
        "condition": "clean",
        "group": "all",
        "metric": "top1",
        "headline": True,
        "value": value,
        "n": 100,
        "chance": 0.25,
        "status": "ok" if value is not None else "failed",
        "reason": "" if value is not None else "no data",
    }
    if value is not None:
        facts |= {"low": value - 0.1, "high": value + 0.1}
    return facts | changes


def headline(*rows: dict[str, object]) -> pd.DataFrame:
    return tables.headline(results.frame(rows))


def test_verdict_needs_the_whole_interval() -> None:
    main = headline(
        row("a", 0.36), row("b", 0.34), row("c", 0.16), row("d", 0.14), row("e", 0.9, low=np.nan, high=np.nan), row("f")
    )
    assert main["verdict"].tolist() == ["above", "at", "at", "below", "unknown", ""]


def test_only_clean_headline_rows_of_all_pictures_are_main() -> None:
    rows = [
        row("a", 0.5),
        row("a", 0.6, metric="top5", headline=False),
        row("a", 0.3, condition="fog/3"),
        row("a", 0.4, group="woman"),
    ]
    assert headline(*rows)["value"].tolist() == [0.5]
    rest = tables.others(results.frame(rows))
    assert {name: table["value"].tolist() for name, table in rest.items()} == {
        "metrics": [0.6],
        "conditions": [0.3],
        "groups": [0.4],
    }


def test_a_run_of_changed_pictures_only_shows_them() -> None:
    main = headline(row("a", 0.3, condition="fog/3"), row("a", 0.4, condition="fog/1"))
    assert main["label"].tolist() == ["a · fog/3", "a · fog/1"]


def test_two_runs_of_one_cell_are_told_apart_by_run() -> None:
    main = headline(row("a", 0.3), row("a", 0.4, run="s"), row("b", 0.4))
    assert main["label"].tolist() == ["a · r", "a · s", "b"]
    probed = headline(row("a", 0.3), row("a", 0.4, evaluation="linear_probe"))
    assert probed["label"].tolist() == ["a · zero_shot", "a · linear_probe"]
    assert probed["name"].tolist() == ["a", "a"]


def test_summary_counts_means_and_extremes() -> None:
    one = tables.summaries(
        headline(row("a", 0.5), row("b", 0.75, chance=0.7), row("c", 0.3), row("d"), row("e", status="skipped"))
    )
    summary = one.iloc[0]
    counts = summary[["tasks", "scored", "above", "at", "below", "failed", "skipped"]].tolist()
    assert counts == [5, 3, 1, 2, 0, 1, 1]
    assert summary["mean"] == pytest.approx((0.5 + 0.75 + 0.3) / 3)
    assert summary["adjusted"] == pytest.approx((0.25 / 0.75 + 0.05 / 0.3 + 0.05 / 0.75) / 3)
    assert (summary["best"], summary["worst"]) == ("a", "c")


def test_answer_says_it_in_words() -> None:
    summary = tables.summaries(headline(row("a", 0.5), row("b", 0.3), row("d"))).iloc[0]
    assert words.answer(summary) == (
        "Above chance on 1 of 2 tasks, at chance on 1; 40.0% [32.9, 47.1] on average. Measured from chance, it is "
        "strongest on a (50.0%, chance 25.0%) and weakest on b (30.0%, chance 25.0%). "
        "1 task failed; the reasons stand below."
    )


def test_answer_when_nothing_was_scored() -> None:
    assert (
        words.answer(tables.summaries(headline(row("a"), row("b"))).iloc[0])
        == "No task could be scored: 2 tasks failed or skipped."
    )


def test_problems_are_grouped_by_reason() -> None:
    found = tables.problems(results.frame([row("a"), row("b"), row("c", reason="other"), row("d", 0.4)]))
    assert found["tasks"].tolist() == [["a", "b"], ["c"]]


def test_leaderboard_ranks_over_shared_tasks_only() -> None:
    """Model n failed on the hard task; over all its own tasks it would look better than m."""
    main = headline(row("easy", 0.90), row("hard", 0.40), row("easy", 0.85, model="n"), row("hard", model="n"))
    board = tables.leaderboard(main)
    assert board["model"].tolist() == ["m", "n"]
    assert board["mean"].tolist() == [0.90, 0.85]
    assert board["finished"].tolist() == [2, 1]
    assert tables.common(main) == ["easy"]


def test_grid_keeps_the_order_and_leaves_gaps_empty() -> None:
    grid = tables.grid(headline(row("z", 0.5), row("a", 0.4), row("z", 0.6, model="n"), row("a", model="n")))
    assert grid.index.tolist() == ["z", "a"]
    np.testing.assert_array_equal(grid.to_numpy(), [[0.5, 0.6], [0.4, np.nan]])


def test_families_average_their_own_tasks() -> None:
    table = tables.families(headline(row("a", 0.5), row("b", 0.7), row("c", 0.1, family="g")))
    assert dict(zip(table["family"], table["value"], strict=True)) == {"f": pytest.approx(0.6), "g": 0.1}


def test_efficient_models_are_those_no_smaller_one_beats() -> None:
    board = pd.DataFrame(
        {"model": ["s", "m", "l", "x"], "mean": [0.4, 0.3, 0.6, 0.9], "mean_low": 0.1, "mean_high": 0.95}
    )
    front = tables.efficient(board, {"s": 10, "m": 20, "l": 30})
    assert dict(zip(front["model"], front["efficient"], strict=True)) == {"s": True, "m": False, "l": True}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0%"), (1.0, "100.0%"), (-0.031, "−3.1%"), (-1e-6, "0.0%"), (12.345, "12.3"), (float("nan"), "–")],
)
def test_percent(value: float, text: str) -> None:
    assert words.percent(value) == text


def test_changes_are_measured_from_the_clean_value() -> None:
    table = tables.changes(
        results.frame([row("a", 0.75), row("a", 0.5, condition="fog/3"), row("b", 0.4, condition="fog/3")])
    )
    assert table["task"].tolist() == ["a", "b"]
    assert table["drop"].iloc[0] == 0.25
    assert table["kept"].iloc[0] == pytest.approx((0.5 - 0.25) / (0.75 - 0.25))
    assert table[["clean", "drop", "kept"]].iloc[1].isna().all()
    assert tables.changes(results.frame([row("a", 0.75)])).empty


def test_groups_are_told_in_four_words() -> None:
    rows = [row("a", 0.6), row("a", 0.4, group="x"), row("a", 0.8, group="y"), row("a", 0.7, group="z")]
    one = tables.by_group(results.frame(rows)).iloc[0]
    assert (one["groups"], one["overall"], one["worst"], one["best"]) == (3, 0.6, "x", "y")
    assert one["difference"] == pytest.approx(0.4)
    assert one["ratio"] == pytest.approx(0.5)
    assert tables.by_group(results.frame([row("a", 0.6)])).empty
