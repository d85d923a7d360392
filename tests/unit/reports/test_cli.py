"""`bench-report`: renders, merges, answers in JSON, and says what is wrong in one message."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bench import results
from reports.cli import main
from tests.unit.reports.made import Broken, Maker, Toy


def sweep(folder: Path) -> Path:
    for model in ("small", "large"):
        for task in ("a", "b"):
            Maker(folder / f"{model}-{task}", model=model, pictures=2).save(Toy(task))
    return folder


def test_a_sweep_is_merged_into_its_folder_and_can_be_merged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path)
    for _ in range(2):
        assert main([str(tmp_path)]) == 0
        merged = results.read(tmp_path)
        assert sorted(zip(merged["model"], merged["task"], strict=True)) == [
            ("large", "a"), ("large", "b"), ("small", "a"), ("small", "b")]  # fmt: skip
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "rows.csv", "rows.parquet", "report.html", "report.md", "report.tex"}  # fmt: skip
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "rows.csv", keep_default_na=False), merged, check_dtype=False)
    assert "4 runs: " in capsys.readouterr().out


def test_rendering_one_run_leaves_its_rows_alone(tmp_path: Path) -> None:
    run = Maker(tmp_path / "run").save(Toy("a"))
    before = (run / "rows.parquet").read_bytes()
    assert main([str(run)]) == 0
    assert (run / "rows.parquet").read_bytes() == before


def test_several_folders_need_a_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(tmp_path)
    folders = [str(tmp_path / "small-a"), str(tmp_path / "large-a")]
    assert main(folders) == 2
    assert "--out DIR" in capsys.readouterr().err
    assert main([*folders, "--out", str(tmp_path / "out" / "deep")]) == 0
    assert (tmp_path / "out" / "deep" / "report.html").exists()
    assert len(results.read(tmp_path / "out" / "deep")) == 2
    page = (tmp_path / "out" / "deep" / "report.html").read_text()
    assert main([str(tmp_path / "out" / "deep")]) == 0
    assert (tmp_path / "out" / "deep" / "report.html").read_text() == page, "rendered again with all its detail"


def test_json_is_machine_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Maker(tmp_path / "run").save(Toy("a"), Toy("b"), Broken("c", "no data"))
    assert main([str(run), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["report"] == str(run / "report.html")
    assert [(row["task"], row["status"], row["value"] is None) for row in found["rows"]] == [
        ("a", "ok", False), ("b", "ok", False), ("c", "failed", True)]  # fmt: skip
    assert found["summaries"][0]["failed"] == 1


@pytest.mark.parametrize(("arguments", "message"), [(["nowhere"], "No such folder: nowhere"), (["."], "No run found")])
def test_what_is_wrong_is_said_without_a_traceback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
