"""The audit of composition from prompts to page, with planted generators, our renderer and the real reader."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit.composition import Composition
from bench.drawing import KNOWN, Prompted, bound
from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.generator.prompts import Prompt, Slot
from bench.generator.scenes import Scene, draw
from bench.known import Reference, references
from bench.run_folder import RunFolder
from bench.scoring import Material, Reading, reliability
from bench.scoring.exact import Exact
from bench.task import Task
from reports import folder, page
from reports.audits.composition import exhibits
from reports.exhibits import Listing
from reports.paired import clustered
from tasks.compositional import prompts
from tasks.generated import COMPOSITIONAL
from tests.fixtures.generators import Planted, colour_blind, encoded, half_right, perfect
from tests.toys import ToyEncoder, toy_card, toy_task

CATEGORIES = ("attributes", "stacks", "sketch")
SUITE = Prompted(
    partial(prompts, meanings=1, categories=CATEGORIES, tiers=("easy", "middle")), samples=2, known_size=64
)
WORLD = [one for one in SUITE.prompts() if one.scene is not None]


def task_by(facts, place: Path, *, real: bool = False) -> Task:  # type: ignore[no-untyped-def]
    render = (lambda scene, text: draw(scene, size=64, seed=1)) if real else encoded
    suite = replace(SUITE, prompts=lambda: WORLD)
    (task,) = bound([COMPOSITIONAL.renamed("compositional", load=suite)], Planted(facts, render), folder=place)
    return task


def run(task: Task, out: Path, audit: Composition) -> pd.DataFrame:
    place = RunFolder(out, provenance={"run": out.name, "model": toy_card().as_dict()})
    return run_cells(
        ToyEncoder(), [task], [ZeroShot()], audits=[audit], folder=place, settings=Settings(run=out.name, debug=True)
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of a perfect and a colour-blind generator, read by the real reader."""
    root = tmp_path_factory.mktemp("runs")
    people = root / "people.csv"
    people.write_text("prompt,a,b,winner\np,perfect,other,a\nq,perfect,other,tie\n")
    for facts in (perfect, colour_blind):
        run(
            task_by(facts, root / "store", real=True),
            root / facts.__name__,
            Composition(("exact", "clip", "ocr"), ratings=str(people)),
        )
    return {facts.__name__: root / facts.__name__ for facts in (perfect, colour_blind)}


def scores(path: Path, **wanted: object) -> pd.DataFrame:
    table = folder.read(path).table("composition", "scores")
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


def test_the_exact_reader_is_trusted_and_says_what_was_planted(folders: dict[str, Path]) -> None:
    for name in ("perfect", "colour_blind"):
        found = scores(folders[name], scorer="exact", tier="all", world=True).set_index(["category", "kind"])
        assert found["measurable"].all()
        assert (found["reliability"] > 0.95).all()
        assert found.loc[("attributes", "shape"), "value"] == 1.0
    assert (scores(folders["perfect"], scorer="exact")["value"] == 1.0).all()
    red = [
        slot.value == "red"
        for one in WORLD
        if one.category == "attributes"
        for slot in one.slots
        if slot.kind == "colour"
    ]
    blind = scores(folders["colour_blind"], scorer="exact", tier="all", category="attributes", kind="colour")
    assert blind["value"].item() == pytest.approx(np.mean(red))


def test_a_scorer_that_cannot_see_it_is_not_quoted(folders: dict[str, Path]) -> None:
    """The toy encoder knows mean colours only: it must not be quoted on the order of a stack, and has no row there."""
    found = scores(folders["perfect"], scorer="clip", tier="all", category="stacks", kind="order")
    assert not found["measurable"].any()
    assert found["reason"].str.contains("right on less than 80%").all()
    rows = folder.read(folders["perfect"]).rows
    own = rows[(rows["evaluation"] == "composition") & (rows["condition"] == "clip")]
    assert "stacks" not in set(own["group"])
    assert ((own["low"] <= own["value"]) & (own["value"] <= own["high"])).all()


def test_rows_carry_the_scorers_accuracy_and_lost_pictures(folders: dict[str, Path], tmp_path: Path) -> None:
    rows = folder.read(folders["perfect"]).rows
    one = rows[(rows["condition"] == "exact") & (rows["group"] == "stacks") & (rows["metric"] == "all")]
    assert "of known truth" in one["protocol"].item()
    half = run(task_by(half_right, tmp_path / "store", real=True), tmp_path / "half", Composition(("exact",)))
    lost = half[half["metric"].str.startswith("pictures_")].set_index("metric")["value"]
    assert lost.to_dict() == {"pictures_ok": 0.5, "pictures_blank": 0, "pictures_missing": 0.5, "pictures_failed": 0}


def test_reranking_has_an_oracle_and_names_the_judge(folders: dict[str, Path]) -> None:
    found = folder.read(folders["colour_blind"]).table("composition", "reranking")
    by = found[found["judge"] == "exact"].set_index(["n", "who"])["value"]
    assert by[2, "oracle"] >= by[2, "reranked"] - 1e-12
    assert by[1, "reranked"] == pytest.approx(by[1, "random"])
    assert set(found.loc[found["judge"] == "clip", "same_model"]) <= {True}
    rows = folder.read(folders["perfect"]).rows
    assert "judged by exact" in rows[rows["metric"] == "reranked@2"]["protocol"].iloc[0]


def test_the_page_says_it_in_words(folders: dict[str, Path]) -> None:
    assert page.write(folders["perfect"]).exists()
    text = (folders["perfect"] / "report.md").read_text()
    assert "perfect gets everything right in 100.0%" in text
    assert "not measurable" in text
    assert "What people said" in text
    assert "prefer perfect in 75.0%" in text
    html = (folders["perfect"] / "report.html").read_text()
    assert "a red" in html or "stack" in html


def test_generators_are_compared_on_the_same_prompts(folders: dict[str, Path]) -> None:
    found = exhibits([folder.read(path) for path in folders.values()])[-1]
    listing = next(part for part in found.parts if isinstance(part, Listing))
    whole = next(line for line in listing.lines if line[2] == "exact reader" and line[3] == "all categories")
    a = scores(folders["perfect"], scorer="exact", tier="all", kind="all")
    assert whole[:2] == ["perfect", "colour_blind"]
    assert float(whole[4].sort) > 0.5  # type: ignore[union-attr]
    assert len(a)
    assert any("perfect is better than colour_blind" in one for one in found.findings)


def test_it_does_not_apply_to_other_tasks() -> None:
    rows = run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], audits=[Composition()])
    skipped = rows[rows["status"] == "skipped"]
    assert "has no generator" in skipped["reason"].item()
    assert not (rows["status"] == "failed").any()


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="exact"):
        Composition(("exakt",))
    with pytest.raises(BenchError, match=r"from 0\.5 to 1"):
        Composition(level=0.2)
    (tmp_path / "r.csv").write_text("a\n")
    rows = run_cells(
        ToyEncoder(),
        [task_by(perfect, tmp_path / "s")],
        [ZeroShot()],
        audits=[Composition(("exact",), ratings=str(tmp_path / "r.csv"))],
    )
    assert "missing" in rows[rows["status"] == "failed"]["reason"].item()


class Yes:
    """Says of every slot that it is as asked: a scorer that must get one half, never more."""

    name, model = "yes", "m"

    def reads(self, prompt: Prompt, slot: Slot) -> bool:
        return True

    def read(self, material: Material) -> list[Reading]:
        return [Reading({slot.name: {slot.value: 1.0} for slot in one.slots}) for one in material.prompts]


def test_a_scorer_that_always_says_yes_is_right_half_of_the_time() -> None:
    shown = references(WORLD)
    material = Material(
        [one.prompt for one in shown], [Image.new("RGB", (2, 2))] * len(shown), lambda: np.zeros((len(shown), 3))
    )
    card = reliability.card(reliability.of_slots(Yes(), shown, material))
    assert (card[card["kind"] == "all"]["value"] == 0.5).all()
    table = reliability.attach(
        pd.DataFrame([{**one, "value": 1.0} for one in card[reliability.KEY].to_dict("records")]), card, 0.8
    )
    assert not table[table["kind"] == "all"]["measurable"].any()


def test_few_readings_are_no_proof() -> None:
    one: Reference = references(WORLD)[0]
    card = reliability.card(
        reliability.of_slots(Yes(), [one], Material([one.prompt], [Image.new("RGB", (2, 2))], lambda: np.zeros((1, 3))))
    )
    table = reliability.attach(card[reliability.KEY].assign(value=1.0), card, 0.8)
    assert table["reason"].str.contains("fewer than 8").all()


def test_paired_difference_covers_and_is_silent_without_any() -> None:
    rng, clusters = np.random.default_rng(2), np.repeat(np.arange(30), 4)
    covered, claimed = 0, 0
    for seed in range(300):
        gaps = np.repeat(rng.normal(0, 0.3, 30), 4) + rng.normal(0, 0.2, 120)
        found, p = clustered(gaps, clusters, count=400, seed=seed)
        covered += found.low <= 0 <= found.high
        claimed += p < 0.05
    assert 272 <= covered <= 296
    assert claimed <= 28
    sure, p = clustered(np.repeat(rng.normal(0.5, 0.1, 30), 4), clusters)
    assert sure.low > 0.3
    assert p < 0.01


def test_the_known_split_is_drawn_from_the_stored_truth() -> None:
    records = SUITE(KNOWN)
    exact = Exact()
    shown = references(SUITE.prompts())
    right = [exact._one(one.shown, records.images[i]).all_right(one.shown) for i, one in enumerate(shown) if i % 6 == 0]
    assert np.mean(right) > 0.95
    assert isinstance(shown[0].prompt.scene, Scene)
