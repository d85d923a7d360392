"""Comparisons of made runs: planted winners are found, other data are refused, other task sets tolerated."""

import dataclasses
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from bench.errors import BenchError
from reports import folder
from reports.cli import main
from reports.compare import compare
from tests.unit.reports.made import HOSTILE, Maker, Toy, save_parquet


def groups(*paths: Path) -> list[tuple[str, list[folder.Run]]]:
    return [(str(path), folder.read_all([path])) for path in paths]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    tasks = (Toy("clear", n=400, accuracy=0.4), Toy("even", n=400, accuracy=0.6), Toy("mine"))
    better = (Toy("clear", n=400, accuracy=0.6), Toy("even", n=400, accuracy=0.6), Toy("yours"))
    first = Maker(tmp_path / "a", model="small", seed=1).save(*tasks)
    return first, Maker(tmp_path / "b", model="large", seed=2).save(*better)


def test_who_wins_where(two: tuple[Path, Path]) -> None:
    found = compare(groups(*two))
    tasks = found.tasks.set_index("task")
    assert tasks["winner"].to_dict() == {"clear": "b", "even": "none", "mine": "", "yours": ""}
    assert tasks.loc["mine", "reason"] == "not run by large"
    clear = tasks.loc["clear"]
    assert clear["difference"] == pytest.approx(clear["value_a"] - clear["value_b"])
    assert clear["low"] < clear["difference"] < clear["high"] < 0
    assert (clear["only_a"] - clear["only_b"]) / clear["n"] == pytest.approx(clear["difference"])
    assert found.shared == ["clear", "even"]
    assert found.overall.loc[0, ["wins_a", "wins_b", "undecided", "left_out"]].tolist() == [0, 1, 1, 2]


def test_order_of_pictures_does_not_matter(two: tuple[Path, Path]) -> None:
    before = compare(groups(*two)).tasks
    path = two[1] / "predictions" / "clear--zero_shot--clean.parquet"
    about = folder.read(two[1]).cells[0].about
    save_parquet(pd.read_parquet(path).iloc[::-1], path, about)
    pd.testing.assert_frame_equal(before, compare(groups(*two)).tasks)


def test_other_data_are_refused_with_the_reason(tmp_path: Path) -> None:
    one = Maker(tmp_path / "a", model="small").save(Toy("x", fingerprint="1" * 32), Toy("y"))
    other = Maker(tmp_path / "b", model="large").save(Toy("x", fingerprint="2" * 32), Toy("y"))
    tasks = compare(groups(one, other)).tasks.set_index("task")
    assert tasks.loc["x", "status"] == "refused"
    assert tasks.loc["x", "reason"].startswith(
        "different data: hash 111111111111 (200 pictures of test) against 222222222222"
    )
    assert pd.isna(tasks.loc["x", "p"])
    assert tasks.loc["y", "status"] == "ok"


def test_nothing_to_pair_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Maker(tmp_path / "a", model="small").save(Toy("x", fingerprint="1" * 32))
    other = Maker(tmp_path / "b", model="large").save(Toy("x", fingerprint="2" * 32))
    assert main(["compare", str(one), str(other)]) == 2
    assert "No task can be compared. x: different data" in capsys.readouterr().err
    with pytest.raises(BenchError, match="only small found"):
        compare(groups(one))


def test_the_same_model_twice_is_told_apart_by_folder_and_by_evaluation(tmp_path: Path) -> None:
    one, other = Maker(tmp_path / "a", seed=1).save(Toy("x")), Maker(tmp_path / "b", seed=2).save(Toy("x"))
    assert compare(groups(one, other)).systems == [f"small · {one}", f"small · {other}"]
    both = Maker(tmp_path / "c", seed=3).save(Toy("x"), Toy("x", evaluation="linear_probe", accuracy=0.9))
    assert set(compare(groups(both)).systems) == {"small · zero_shot", "small · linear_probe"}


def test_two_results_of_one_cell_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Maker(tmp_path / "sweep" / name).save(Toy("x"))
    with pytest.raises(BenchError, match="holds two results of small on x"):
        compare(groups(tmp_path / "sweep"))


def test_three_systems_have_ranks(tmp_path: Path) -> None:
    for place, gain in enumerate((0.0, 0.2, 0.21)):
        task = dataclasses.replace(Toy("x", n=500), accuracy=0.4 + gain)
        Maker(tmp_path / str(place), model=f"m{place}", seed=place).save(task, dataclasses.replace(task, name="y"))
    found = compare(groups(tmp_path))
    assert len(found.overall) == 3
    ranks = found.ranks.set_index("system")
    assert (ranks.loc["m0", "rank_low"], ranks.loc["m0", "rank_high"]) == (3, 3)
    assert ranks.loc["m1", "rank_low"] == 1


def test_json_text_and_files(two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["compare", *map(str, two), "--format", "json", "--control", "fdr", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["systems"] == ["small", "large"]
    assert found["control"] == "fdr"
    assert {row["task"]: row["winner"] for row in found["tasks"]}["clear"] == "b"
    assert {path.name for path in out.iterdir()} == {"compare.html", "compare.md", "compare.csv"}
    assert main(["compare", *map(str, two)]) == 0
    text = capsys.readouterr().out
    assert re.match(
        r"large is better than small by \d+\.\d points \[\+\d+\.\d, \+\d+\.\d\] over 2 shared tasks\.", text
    )
    assert "Of 2 tasks, large surely wins 1 and small 0; 1 undecided." in text


def test_hostile_names_in_a_comparison(tmp_path: Path) -> None:
    one = Maker(tmp_path / "a", model=HOSTILE[0]).save(Toy("x"), Toy(HOSTILE[2].replace("/", "∕")))
    other = Maker(tmp_path / "b", model=HOSTILE[1]).save(Toy("x"))
    assert main(["compare", str(one), str(other), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "compare.html").read_text()
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "<" not in (tmp_path / "out" / "compare.md").read_text()
    assert not any(
        line.lstrip('"').startswith("=") for line in (tmp_path / "out" / "compare.csv").read_text().splitlines()
    )
