from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from bench import results
from bench.errors import BenchError

GOOD = {"run": "r", "model": "m", "task": "t", "family": "f", "split": "test", "evaluation": "zero_shot",
        "condition": "clean", "group": "all", "metric": "top1", "headline": True, "value": 0.5, "low": 0.4,
        "high": 0.6, "n": 100, "chance": 0.1, "protocol": "", "status": "ok", "reason": ""}  # fmt: skip


def test_round_trip(tmp_path) -> None:
    table = results.frame([GOOD, {**GOOD, "task": "u", "value": None, "low": None, "high": None, "n": None,
                                  "status": "failed", "reason": "broken"}])  # fmt: skip
    results.save(table, tmp_path)
    pd.testing.assert_frame_equal(results.read(tmp_path), table)
    again = pd.read_csv(tmp_path / "rows.csv")
    assert again["value"].isna().tolist() == [False, True]


@pytest.mark.parametrize(("change", "message"), [
    ({"status": "fine"}, "unknown status"),
    ({"value": None}, "without a value"),
    ({"status": "failed", "reason": "x"}, "without status ok"),
    ({"status": "failed", "value": None, "low": None, "high": None}, "without a reason"),
    ({"low": 0.55}, "interval"),
])  # fmt: skip
def test_a_row_that_breaks_the_schema_is_named(change: dict, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        results.frame([{**GOOD, **change}])


def test_doubled_rows_and_missing_columns_are_refused() -> None:
    with pytest.raises(BenchError, match="doubled key"):
        results.frame([GOOD, {**GOOD, "value": 0.45}])
    with pytest.raises(BenchError, match="chance"):
        results.check(pd.DataFrame([GOOD]).drop(columns="chance"))


def test_merge_counts_a_run_once(tmp_path) -> None:
    for name in ("a", "b"):
        results.save(results.frame([{**GOOD, "run": name}]), tmp_path / name)
    folders = results.run_folders(tmp_path)
    assert len(results.merge([*folders, folders[0]])) == 2


def test_a_folder_without_a_run_is_refused(tmp_path) -> None:
    with pytest.raises(BenchError, match=r"no rows\.parquet"):
        results.run_folders(tmp_path)
    with pytest.raises(BenchError, match="not a run folder"):
        results.read(tmp_path)


def test_two_writers_of_one_folder_leave_whole_files(tmp_path) -> None:
    table = results.frame([{**GOOD, "task": f"t{i}"} for i in range(20)])
    with ThreadPoolExecutor(2) as pool:
        assert not any(pool.map(lambda _: results.save(table, tmp_path), range(60)))
    pd.testing.assert_frame_equal(results.read(tmp_path), table)
    assert len(pd.read_csv(tmp_path / "rows.csv")) == 20
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "rows.parquet"}
