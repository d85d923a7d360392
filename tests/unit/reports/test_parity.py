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


def run(model: str, values: dict[str, float], evaluation: str = "zero_shot", **changes: object) -> pd.DataFrame:
    known = parity.published()
    known = known[known["evaluation"] == evaluation].sort_values("source", ascending=False)  # open_clip first
    facts = known.drop_duplicates("task").set_index("task")
    rows = []
    for task, value in values.items():
        count = facts.loc[task, "n"]
        rows.append({
            "run": "r", "model": model, "task": task, "family": "f", "split": "test", "evaluation": evaluation,
            "condition": "clean", "group": "all", "metric": facts.loc[task, "metric"], "headline": True, "value": value,
            "n": 100 if pd.isna(count) else int(count), "status": "ok", **changes,
        })  # fmt: skip
    return results.frame(rows)


def test_the_copied_rows_have_the_published_means() -> None:
    wide = pd.read_csv(Path(parity.__file__).parent / "published" / "open_clip.csv").set_index(["name", "pretrained"])
    assert wide.shape == (121, 38)
    assert wide.index.is_unique
    for key, mean in AVERAGES.items():
        assert wide.loc[key].mean() == pytest.approx(mean, abs=5e-5)


def test_the_papers_tables_are_whole() -> None:
    """27 data sets x 6 models zero-shot and probed, and five shifts; known cells, and how each was seen."""
    table = parity.published()
    paper = table[table["source"] == "clip_paper"]
    assert paper.groupby("evaluation").size().to_dict() == {"linear_probe": 162, "zero_shot": 162 + 5}
    assert paper["name"].nunique() == 6
    cells = paper.set_index(["evaluation", "name", "task"])
    assert cells.loc[("zero_shot", "ViT-L-14-336", "imagenet"), ["published", "seen"]].tolist() == [0.762, "quoted"]
    assert cells.loc[("linear_probe", "ViT-L-14", "kitti"), ["published", "seen"]].tolist() == [0.647, "quoted"]
    assert cells.loc[("zero_shot", "RN50", "birdsnap"), ["published", "seen"]].tolist() == [0.326, "recalled"]
    assert paper["seen"].value_counts().to_dict() == {"recalled": 220, "quoted": 109}


def test_protocols_name_real_columns_and_metrics() -> None:
    from bench.metrics import METRICS

    table = parity.published()
    assert set(table["metric"]) <= set(METRICS)
    assert set(table["source"]) == {"open_clip", "clip_paper"}
    stable = table[table["tolerance"] == 0.007]
    assert stable.groupby("task").size().tolist() == [121] * 11
    assert table["published"].between(0, 1).all()
    assert len(table[table["source"] == "open_clip"]) == 37 * 121, "all columns but WinoGAViL"


def test_protocols_agree_with_the_tasks() -> None:
    import tasks

    for _, row in parity.published().drop_duplicates(["source", "evaluation", "task"]).iterrows():
        task = tasks.select(row["task"])[0]
        assert task.metric == row["metric"], row["task"]
        if row["source"] == "open_clip":
            assert pd.isna(row["n"]) or task.splits[task.test] == row["n"], row["task"]
        else:
            assert "clip27" in task.tags or task.family == "shifts"


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("openai/ViT-B-32", ("ViT-B-32", "openai")),
        ("openai/ViT-L-14-336", ("ViT-L-14-336", "openai")),
        ("openai/ViT-L-14@336px", ("ViT-L-14-336", "openai")),
        ("openai/RN50x4", ("RN50x4", "openai")),
        ("openai/RN50", ("RN50", "openai")),
        ("open_clip/ViT-B-32-quickgelu/openai", ("ViT-B-32-quickgelu", "openai")),
        ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", ("ViT-B-32", "laion2b_s34b_b79k")),
        ("open_clip/ViT-B-32-256/datacomp_s34b_b86k", ("ViT-B-32-256", "datacomp_s34b_b86k")),
        ("open_clip/ViT-B-16-SigLIP-512/webli", ("ViT-B-16-SigLIP-512", "webli")),
        ("open_clip/ViT-B-16-SigLIP2/webli", None),
        ("open_clip/ViT-L-14-quickgelu/dfn2b_s39b", None),
        (
            "open_clip/coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k",
            ("coca_ViT-B-32", "mscoco_finetuned_laion2b_s13b_b90k"),
        ),
        ("open_clip/roberta-ViT-B-32/laion2b_s12b_b32k", ("roberta-ViT-B-32", "laion2b_s12b_b32k")),
        ("bundled", None),
    ],
)
def test_names_of_weights(model: str, weights: tuple[str, str] | None) -> None:
    assert parity.weights_of(model, parity.published()) == weights


def test_verdicts() -> None:
    rows = run("openai/ViT-B-32", {"cifar10": 0.8990, "imagenet": 0.60, "kitti": 0.2643, "dollar_street": 0.5})
    table = parity.compare(rows)
    ours = table[table["source"] == "open_clip"].set_index("task")
    assert ours["verdict"].to_dict() == {
        "imagenet": "differs", "kitti": "agrees", "cifar10": "agrees", "dollar_street": "not comparable",
    }  # fmt: skip
    assert ours.loc["cifar10", "difference"] == pytest.approx(0.0007)
    assert table["difference"].abs().is_monotonic_decreasing, "the largest difference first"
    paper = table[table["source"] == "clip_paper"].set_index("task")
    assert paper["verdict"].to_dict() == {"cifar10": "agrees", "imagenet": "differs", "kitti": "not comparable"}


def test_a_recalled_value_accuses_nobody(tmp_path: Path) -> None:
    """dtd of table 11 was recalled (0.445): the run agrees with open_clip, so that it passes."""
    rows = run("openai/ViT-B-32", {"dtd": 0.4436 + 0.03})
    paper = parity.compare(rows).set_index("source").loc["clip_paper"]
    assert (paper["seen"], paper["verdict"]) == ("recalled", "differs from a recalled value")


def test_linear_probes_are_compared_with_table_10_only() -> None:
    table = parity.compare(run("openai/ViT-L-14", {"cifar10": 0.98, "food101": 0.90}, evaluation="linear_probe"))
    assert set(table["source"]) == {"clip_paper"}
    assert table.set_index("task")["verdict"].to_dict() == {"cifar10": "agrees", "food101": "differs"}
    assert table.set_index("task").loc["cifar10", "published"] == 0.980


def test_weights_of_others_are_not_compared_with_the_paper() -> None:
    table = parity.compare(run("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", {"cifar10": 0.93}))
    assert table["source"].tolist() == ["open_clip"]
    assert table["published"].tolist() == [0.9358]
    quick = parity.compare(run("open_clip/ViT-B-32-quickgelu/openai", {"cifar10": 0.90}))
    assert sorted(quick["source"]) == ["clip_paper", "open_clip"]


def test_a_part_of_the_pictures_is_not_judged() -> None:
    rows = run("openai/ViT-B-32", {"cifar10": 0.5}, n=200)
    assert parity.compare(rows)["verdict"].tolist() == ["other pictures"] * 2


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
    assert "table 11" in out
    suspects = ["class order", "templates", "split", "metric", "activation and tokeniser", "precision"]
    said = [
        line.split(". ", 1)[1] for line in out.splitlines() if line.strip()[:2].rstrip(".").isdigit() and ". " in line
    ]
    assert [line.split(":")[0] for line in said] == suspects


def test_the_page_says_whose_value_it_is() -> None:
    from reports.context import _parity

    lines = _parity(run("openai/ViT-B-32", {"dollar_street": 0.5, "stl10": 0.97}))
    remarks = {(line["task"], line["remark"]): (line["published"], line["allowed"]) for line in lines}
    assert remarks == {
        ("dollar_street", "open_clip's table; 58 names there, 1000 here"): ("53.86%", "–"),
        ("stl10", "open_clip's table"): ("97.13%", "0.70%"),
        ("stl10", "the CLIP paper; table 11"): ("97.20%", "2.00%"),
    }


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results.save(run("mine", {"cifar10": 0.5}), tmp_path)
    (tmp_path / "provenance.json").write_text("{}")
    assert main(["parity", str(tmp_path)]) == 2
    assert "no published values for mine" in capsys.readouterr().err
