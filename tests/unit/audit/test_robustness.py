"""The robustness audit in a toy world: planted losses come out exactly, cells fail alone, references are found."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit.measures.effective import Reference
from bench.audit.robustness import Robustness, natural
from bench.audit.robustness.references import collect
from bench.audit.shift import Shift, by_key
from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.task import Pictures, Records, Task
from reports import folder, page
from reports.audits import exhibits
from reports.exhibits import Listing
from tasks import shifts_of
from tests.toys import COLOURS, ToyEncoder, toy_card, toy_task

NAMES = tuple(COLOURS)
QUIET = {"corruptions": (), "sweeps": (), "calibration": False, "prompts": False, "overlap": ()}


def tinted(seed: int, colour: str) -> Image.Image:
    """A blotchy picture whose mean colour is clear: not plain, like no other."""
    noise = np.random.default_rng(seed).integers(-90, 90, (4, 4, 3))
    pixels = np.clip(np.array(COLOURS[colour]) * 0.6 + 60 + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC)


def task(name: str, *, wrong: int = 0, count: int = 120, start: int = 0, train: tuple[int, ...] = (), **more) -> Task:
    """`count` tinted pictures; the first `wrong` show another colour than their label says."""
    shown = [NAMES[(i + (i < wrong)) % 3] for i in range(count)]
    keys = [NAMES[i % 3] for i in range(count)]

    def load(split: str) -> Records:
        chosen = list(train) if split == "train" else list(range(count))
        pictures = Pictures(len(chosen), lambda i: tinted(start + chosen[i], shown[chosen[i]]))
        return Records(pictures, [keys[i] for i in chosen], [str(i) for i in chosen], f"{name} {split} {wrong} {train}")

    splits = {"test": count, **({"train": len(train)} if train else {})}
    return toy_task(name, load=load, splits=splits, **more)


def look(place: Path, tasks: list[Task], **settings: object) -> tuple[pd.DataFrame, folder.Run]:
    audit = Robustness(**{**QUIET, **settings})  # type: ignore[arg-type]
    kept = RunFolder(place, provenance={"run": "r", "model": toy_card().as_dict()})
    rows = run_cells(
        ToyEncoder(), tasks, [ZeroShot()], audits=[audit], folder=kept, settings=Settings(run="r", debug=True)
    )
    return rows, folder.read(place)


def value(rows: pd.DataFrame, metric: str, condition: str = "clean") -> float:
    own = rows[(rows["metric"] == metric) & (rows["condition"] == condition) & (rows["status"] == "ok")]
    return float(own["value"].iloc[-1])


def test_planted_losses_are_exact(tmp_path: Path) -> None:
    """Without colour all classes tie: a third is right. Turned by 180 degrees, a mean colour stays what it is."""
    rows, run = look(tmp_path, [task("toys", wrong=30)], sweeps=("greyscale", "rotation"))
    curves = run.table("robustness", "curves-toys").set_index(["name", "level"])
    assert curves.loc[("unchanged", 0.0), "value"] == pytest.approx(0.75)
    assert curves.loc[("greyscale", 1.0), "value"] == pytest.approx(1 / 3, abs=0.01)
    grey = curves.loc[("greyscale", 1.0)]
    assert grey["drop"] == pytest.approx(0.75 - grey["value"])
    assert 0 < grey["drop_low"] < grey["drop"] < grey["drop_high"]
    assert curves.loc[("rotation", 180.0), "drop"] == 0
    assert "unchanged" not in set(rows["condition"])  # on all pictures that is clean, which the run has
    assert value(rows, "top1", "greyscale@1") == pytest.approx(1 / 3, abs=0.01)
    assert run.table("robustness", "sheet-toys")["name"].tolist() == ["unchanged", "greyscale@1", "rotation@180"]


def test_corruptions_are_summed_up_picture_by_picture(tmp_path: Path) -> None:
    rows, run = look(
        tmp_path, [task("toys", wrong=30)], corruptions=("fog", "brightness"), severities=(1, 5), pictures=60
    )
    curves = run.table("robustness", "curves-toys")
    damaged = curves[curves["name"].isin(["fog", "brightness"])]
    assert value(rows, "top1", "corrupted") == pytest.approx(damaged["value"].mean())
    assert value(rows, "corruption_drop", "corrupted") == pytest.approx(damaged["drop"].mean())
    assert len(damaged) == 4
    assert (damaged["n"] == 60).all()
    assert "unchanged" in set(rows["condition"])
    about = curves.attrs
    assert about["mce"] is None
    assert "this is toys" in about["mce_reason"]


def test_which_tasks_are_changed(tmp_path: Path) -> None:
    tasks = [task("one", count=6), task("two", count=6), task("other", count=6)]
    _, run = look(tmp_path, tasks, sweeps=("greyscale",), change=("*", "!tw?", "!other"))
    assert run.named("robustness", "curves-") == ["curves-one"]


def test_a_shift_with_reference_models(tmp_path: Path) -> None:
    source, target = task("source", wrong=30), task("target", wrong=60, start=1000)
    shift = Shift(source, target, by_key(source.classes, target.classes))
    table = tmp_path / "models.csv"
    models = pd.DataFrame({"model": [f"m{i}" for i in range(6)], "shift": shift.name,
                           "in_distribution": np.linspace(0.5, 0.9, 6),
                           "shifted": np.linspace(0.25, 0.6, 6)})  # fmt: skip
    models.to_csv(table, index=False)
    rows, run = look(tmp_path / "run", [source, target], shifts=[shift], references=[str(table)])
    assert value(rows, "in_distribution", shift.name) == pytest.approx(0.75)
    assert value(rows, "shifted", shift.name) == pytest.approx(0.5)
    assert value(rows, "shift_drop", shift.name) == pytest.approx(0.25)
    fit = Reference.of(models).fit()
    assert value(rows, "effective_robustness", shift.name) == pytest.approx(fit.effective(0.75, 0.5))
    assert value(rows, "gap_closed", shift.name) == pytest.approx(fit.gap_closed(0.75, 0.5))
    line = run.table("robustness", "shift-source-target").iloc[0]
    assert (line["models"], bool(line["extrapolated"]), line["slope"]) == (6, False, pytest.approx(fit.slope))
    text = page.write(tmp_path / "run").read_text()
    assert "where ordinary models of its accuracy get" in text


def test_the_testbeds_models_are_references_of_imagenets_shifts() -> None:
    found = collect(["testbed"])
    assert set(found.columns) == {"model", "shift", "in_distribution", "shifted"}
    assert found.groupby("shift").size()["imagenet_sketch"] == 85
    assert found["in_distribution"].between(0.5, 1).all()


def test_own_models_come_before_the_testbeds() -> None:
    known = np.linspace(0.5, 0.8, 6)
    table = pd.DataFrame({"model": list("abcdef"), "shift": "imagenet_sketch", "in_distribution": known,
                          "shifted": known - 0.3})  # fmt: skip
    shift = next(one for one in shifts_of(["*"]) if one.reference == "imagenet_sketch")
    own, _ = natural._reference(shift, table, "another")
    testbed, _ = natural._reference(shift, table[:0], "another")
    assert own is not None
    assert testbed is not None
    assert (len(own.models), len(testbed.models)) == (6, 85)
    assert "imagenet-testbed" in testbed.source


def test_runs_of_other_models_are_references_but_not_the_model_itself(tmp_path: Path) -> None:
    source, target = task("source", wrong=30), task("target", wrong=60, start=1000)
    shift = Shift(source, target, by_key(source.classes, target.classes))
    look(tmp_path / "first", [source, target], shifts=[shift])
    assert collect([str(tmp_path / "first")])[["model", "shift", "shifted"]].to_numpy().tolist() == [
        ["toy", shift.name, 0.5]
    ]
    rows, run = look(tmp_path / "again", [source, target], shifts=[shift], references=[str(tmp_path / "first")])
    assert "effective_robustness" not in set(rows["metric"])  # its own run tells nothing of itself
    assert "there are 0" in run.table("robustness", "shift-source-target").attrs["reason"]
    with pytest.raises(BenchError, match="No reference models at"):
        collect([str(tmp_path / "nowhere")])


@dataclass
class Blurred(ToyEncoder):
    """A toy that sees colours through noise: the more, the less accurate."""

    noise: float = 0.0

    def encode_images(self, images):  # type: ignore[no-untyped-def]
        clear = super().encode_images(images)
        noisy = clear + self.noise * np.random.default_rng(len(images)).standard_normal(clear.shape)
        return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)


def test_three_models_side_by_side_with_the_line_through_the_others(tmp_path: Path) -> None:
    styles = [task(f"style{i}", wrong=10 * (i + 1), start=1000 * i) for i in range(3)]
    shifts = [Shift(one, other, by_key(one.classes, other.classes)) for one, other in permutations(styles, 2)]
    for name, noise in (("sharp", 0.1), ("fair", 0.3), ("dull", 0.6)):
        others = [str(tmp_path)] if name == "dull" else []
        audit = Robustness(**QUIET, shifts=shifts, references=others)  # type: ignore[arg-type]
        encoder = Blurred(card=toy_card(name=name, weights=name), noise=noise)
        kept = RunFolder(tmp_path / name, provenance={"run": name, "model": encoder.card.as_dict()})
        run_cells(encoder, styles, [ZeroShot()], audits=[audit], folder=kept, settings=Settings(run=name, debug=True))
    runs = folder.read_all([tmp_path / name for name in ("sharp", "fair", "dull")])
    line = runs[2].table("robustness", "shift-style0-style1").iloc[0]
    models = collect([str(tmp_path / "sharp"), str(tmp_path / "fair")]).query("shift == 'style0->style1'")
    expected = Reference.of(models).fit().effective(line["in_distribution"], line["shifted"])
    assert line["effective_robustness"] == pytest.approx(expected)
    (shown,) = [one for one in exhibits(runs) if one.title == "The same things in other pictures"]
    table = next(part for part in shown.parts if isinstance(part, Listing))
    assert {line[0] for line in table.lines} == {"sharp", "fair", "dull"}
    assert len(table.lines) == 18
    assert any("ordinary models" in finding for finding in shown.findings)
    assert len(shown.drawings) >= 2


def test_repeats_of_training_pictures_are_found(tmp_path: Path) -> None:
    rows, run = look(
        tmp_path, [task("toys", wrong=30, train=(40, 41, 42, 3))], overlap=("pixels", "thumbnail", "vectors")
    )
    table = run.table("robustness", "overlap-toys")
    for detector in ("pixels", "thumbnail"):
        own = table[table["detector"] == detector].sort_values("position")
        assert own[["position", "other"]].to_numpy().tolist() == [[3, 3], [40, 0], [41, 1], [42, 2]]
    assert value(rows, "overlap_share") >= 4 / 120
    assert len(table["jpeg"].iloc[0]) > 0
    assert len(table["other_jpeg"].iloc[0]) > 0


def test_calibration_and_prompts(tmp_path: Path) -> None:
    """In the second template every class is red, the first colour that the toy reads: a third is right by it."""
    told = ("a {} thing", "not red but {}")
    rows, run = look(tmp_path, [task("toys", wrong=30, templates=told)], calibration=True, prompts=True)
    templates = run.table("robustness", "templates-toys")
    assert templates["template"].tolist() == list(told)
    assert value(rows, "prompt_worst") == pytest.approx(1 / 3)
    assert value(rows, "prompt_spread") == pytest.approx(0.75 - 1 / 3)
    assert value(rows, "prompt_best") == pytest.approx(0.75)
    table = run.table("robustness", "reliability-toys").query("which == 'as it is'")
    gap = np.average(table["confidence"] - table["accuracy"], weights=table["n"])
    assert value(rows, "overconfidence") == pytest.approx(gap)
    assert value(rows, "scaled_nll") <= value(rows, "nll")
    assert value(rows, "temperature") > 0


def test_what_needs_prompts_is_skipped_with_a_reason_under_a_probe(tmp_path: Path) -> None:
    from bench.evaluation.knn import NearestNeighbours

    shift = Shift(one := task("source", train=tuple(range(60))), other := task("target", train=tuple(range(60))),
                  by_key(one.classes, other.classes))  # fmt: skip
    kept = RunFolder(tmp_path, provenance={"run": "r", "model": toy_card().as_dict()})
    audit = Robustness(**{**QUIET, "shifts": [shift], "prompts": True})  # type: ignore[arg-type]
    rows = run_cells(
        ToyEncoder(), [one, other], [NearestNeighbours()], audits=[audit], folder=kept, settings=Settings(run="r")
    )
    left = rows[rows["status"] != "ok"]
    assert set(left["status"]) == {"skipped"}
    assert set(left["condition"]) == {"prompts", "source->target"}
    assert left["reason"].str.contains("zero_shot").all()


def test_the_figure_of_a_shift_has_room_for_its_intervals() -> None:
    from reports.audits.robustness_figures import SPANS, _limits

    others = pd.DataFrame({"in_distribution": [0.06, 0.12], "shifted": [0.07, 0.15]})
    own = pd.DataFrame([[0.16, 0.12, 0.21, 0.2, 0.16, 0.25]], columns=SPANS)
    assert _limits(others, own) == (0.05, 0.3)
    assert _limits(pd.DataFrame(columns=SPANS)) == (0.1, 0.9)
