"""Values of a run beside published ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bench import results
from reports import parity
from reports.cli import main

AVERAGES = {
    ("ViT-B-32", "openai"): 0.5245075, ("RN50", "openai"): 0.4809507, ("ViT-L-14-336", "openai"): 0.6284065,
    ("ViT-H-14", "laion2b_s32b_b79k"): 0.6418555, ("ViT-B-16", "datacomp_xl_s13b_b90k"): 0.6146615,
}  # fmt: skip
"""The published mean over all 38 columns: a check sum of the copied rows."""


def run(model: str, values: dict[str, float], **changes: object) -> pd.DataFrame:
    known = parity.published().drop_duplicates("task").set_index("task")
    rows = []
    for task, value in values.items():
        count = known.loc[task, "n"]
        rows.append({
            "run": "r", "model": model, "task": task, "family": "f", "split": "test", "evaluation": "zero_shot",
            "condition": "clean", "group": "all", "metric": known.loc[task, "metric"], "headline": True, "value": value,
            "n": 100 if pd.isna(count) else int(count), "status": "ok", **changes,
        })  # fmt: skip
    return results.frame(rows)


def test_the_copied_rows_have_the_published_means() -> None:
    wide = pd.read_csv(Path(parity.__file__).parent / "published" / "open_clip.csv").set_index(["name", "pretrained"])
    assert wide.shape == (19, 38)
    for key, mean in AVERAGES.items():
        assert wide.loc[key].mean() == pytest.approx(mean, abs=5e-5)


def test_protocols_name_real_columns_and_metrics() -> None:
    from bench.metrics import METRICS

    table = parity.published()
    assert table["task"].nunique() == 33
    assert set(table["metric"]) <= set(METRICS)
    assert (table["tolerance"] == 0.007).sum() == 11 * 19
    assert table["published"].between(0, 1).all()


def test_protocols_agree_with_the_tasks() -> None:
    import tasks

    for _, row in parity.published().drop_duplicates("task").iterrows():
        task = tasks.select(row["task"])[0]
        count = task.splits[task.test]
        assert task.metric == row["metric"], row["task"]
        assert pd.isna(row["n"]) or count == row["n"], row["task"]


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("openai/ViT-B-32", ("ViT-B-32", "openai")),
        ("openai/ViT-L-14-336", ("ViT-L-14-336", "openai")),
        ("openai/ViT-L-14@336px", ("ViT-L-14-336", "openai")),
        ("openai/RN50x4", ("RN50x4", "openai")),
        ("openai/RN50", ("RN50", "openai")),
        ("open_clip/ViT-B-32-quickgelu/openai", ("ViT-B-32", "openai")),
        ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", ("ViT-B-32", "laion2b_s34b_b79k")),
        ("open_clip/ViT-B-32-256/datacomp_s34b_b86k", None),
        ("bundled", None),
    ],
)
def test_names_of_weights(model: str, weights: tuple[str, str] | None) -> None:
    assert parity.weights_of(model, parity.published()) == weights


def test_verdicts() -> None:
    rows = run("openai/ViT-B-32", {"cifar10": 0.8990, "imagenet": 0.60, "kitti": 0.20})
    table = parity.compare(rows).set_index("task")
    assert table["verdict"].to_dict() == {"imagenet": "differs", "kitti": "agrees", "cifar10": "agrees"}
    assert table.loc["cifar10", "difference"] == pytest.approx(0.0007)
    assert list(table.index) == ["kitti", "imagenet", "cifar10"], "the largest difference first"


def test_a_part_of_the_pictures_is_not_judged() -> None:
    rows = run("openai/ViT-B-32", {"cifar10": 0.5}, n=200)
    assert parity.compare(rows)["verdict"].tolist() == ["other pictures"]


def test_changed_pictures_groups_and_failures_are_left_out() -> None:
    for changes in ({"condition": "fog"}, {"group": "women"}, {"status": "failed", "reason": "x", "value": None}):
        assert parity.compare(run("openai/ViT-B-32", {"cifar10": 0.5}, **changes)).empty


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    results.save(run("openai/ViT-B-32", {"cifar10": 0.5, "stl10": 0.9713}), tmp_path)
    (tmp_path / "provenance.json").write_text("{}")
    return tmp_path


def test_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "-0.3983" in out
    assert "1. class order" in out


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results.save(run("mine", {"cifar10": 0.5}), tmp_path)
    (tmp_path / "provenance.json").write_text("{}")
    assert main(["parity", str(tmp_path)]) == 2
    assert "no published values for mine" in capsys.readouterr().err
