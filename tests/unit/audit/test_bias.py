"""The bias audit in the toy world: what was planted comes out in rows, tables and sentences; bad input is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit.bias import Bias
from bench.audit.group_performance import GroupPerformance
from bench.audit.label_sets import LabelSet
from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.task import Pictures, Records, Task
from reports import folder, page
from tests.toys import COLOURS, ToyEncoder, toy_card, toy_task

HARM = LabelSet("planted", {"red": "person", "green": "person", "blue": "crime"}, "Planted insults.")


def people(shown: list[str], keys: list[str], cluster: tuple[str, ...] = (), **attributes: list[object]) -> Task:
    """Flat pictures whose colour is what the toy model sees; labels and attributes as planted."""
    pictures = Pictures(len(shown), lambda i: Image.new("RGB", (8, 8), COLOURS[shown[i]]))
    name = "-".join([*shown, *keys, *map(str, attributes.values())])
    records = Records(pictures, keys, [str(i) for i in range(len(shown))], str(hash(name)), pd.DataFrame(attributes))
    return toy_task("people", load=lambda split: records, splits={"test": len(shown)}, cluster=cluster)


def audited(task: Task, audit: Bias | GroupPerformance, place: Path | None = None) -> pd.DataFrame:
    run_folder = None if place is None else RunFolder(place, provenance={"run": "r", "model": toy_card().as_dict()})
    settings = Settings(run="r", debug=True)
    return run_cells(ToyEncoder(), [task], [ZeroShot()], audits=[audit], folder=run_folder, settings=settings)


def value(rows: pd.DataFrame, metric: str, group: str) -> float:
    own = rows[(rows["metric"] == metric) & (rows["group"] == group) & (rows["status"] == "ok")]
    assert len(own) == 1, (metric, group, len(own))
    return float(own["value"].iloc[0])


def planted_gap() -> Task:
    """Group f: 90 of 100 right, 2 called criminal. Group m: 60 of 100 right, 20 called criminal."""
    shown = ["red"] * 90 + ["green"] * 8 + ["blue"] * 2 + ["red"] * 60 + ["green"] * 20 + ["blue"] * 20
    return people(shown, ["red"] * 200, gender=["f"] * 100 + ["m"] * 100)


def test_what_was_planted_comes_out_exactly_and_is_said(tmp_path: Path) -> None:
    rows = audited(planted_gap(), Bias(harm=HARM, designs=()), tmp_path)
    assert value(rows, "top1", "gender=f") == pytest.approx(0.9)
    assert value(rows, "top1.difference", "gender") == pytest.approx(0.3)
    assert value(rows, "top1.worst", "gender") == pytest.approx(0.6)
    assert value(rows, "harm[crime]", "gender=m") == pytest.approx(0.2)
    assert value(rows, "harm[crime].worst", "gender") == pytest.approx(0.2)
    assert value(rows, "harm[crime].ratio", "gender") == pytest.approx(0.1)
    assert value(rows, "demographic_parity[red]", "gender") == pytest.approx(0.3)
    assert value(rows, "top1.difference.prompt_median", "gender") == pytest.approx(0.3)
    text = page.write(tmp_path).with_name("report.md").read_text()
    assert "Right answers differ by gender: 60.0% (m) to 90.0% (f), a difference of 30.0 points" in text
    assert "Content note. Planted insults." in text
    assert "Labels of “crime” differ by gender: 2.0% (f) to 20.0% (m)" in text
    assert "Limits of use." in text


def test_without_a_gap_no_sentence_claims_one(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    shown = [tuple(COLOURS)[i] for i in random.integers(3, size=300)]
    task = people(shown, ["red"] * 300, gender=["f", "m", "x"] * 100, age=["1", "2"] * 150)
    audited(task, Bias(harm=HARM, designs=(), seed=1), tmp_path)
    text = page.write(tmp_path).with_name("report.md").read_text()
    assert " differ by " not in text
    assert "no difference is shown" in text
    assert folder.read(tmp_path).table("bias", "tests")["finding"].sum() == 0


def test_a_changed_design_moves_whom_it_should(tmp_path: Path) -> None:
    """With `red` dropped, the toy model has nobody to call red: they go to the tie of the others."""
    bias = Bias(harm=HARM, designs=({"name": "without red", "drop": ["red"]},))
    rows = audited(planted_gap(), bias, tmp_path)
    assert value(rows, "harm[crime|without red].change", "gender=f") == pytest.approx(0.45)
    table = folder.read(tmp_path).table("bias", "movement-without red-people").set_index("group")
    assert table.loc["gender=m", "person > crime"] == pytest.approx(0.3)


def test_counterparts_of_drawings() -> None:
    """20 drawings in two tones: half of them are seen as another colour in the second tone."""
    shown = ["red"] * 20 + ["red"] * 10 + ["blue"] * 10
    task = people(shown, ["red"] * 40, cluster=("drawing",), tone=["a"] * 20 + ["b"] * 20,
                  drawing=[str(i) for i in range(20)] * 2)  # fmt: skip
    rows = audited(task, Bias(attributes=["tone"], minimum=5))
    assert value(rows, "consistency", "tone") == pytest.approx(0.5)
    assert value(rows, "drift[red]", "tone") == pytest.approx(0.5, abs=0.01)


def test_retrieval_ranks_drawings_and_not_their_copies(tmp_path: Path) -> None:
    """Six copies of each drawing are one item of the pool: 40 items, and not 240."""
    shown = [("red", "green")[i // 6 % 2] for i in range(240)]
    task = people(shown, ["red"] * 240, cluster=("drawing",), gender=["f"] * 120 + ["m"] * 120,
                  drawing=[str(i // 6) for i in range(240)])  # fmt: skip
    bias = Bias(attributes=["gender"], adjectives=LabelSet("a", {"red": "good", "green": "bad"}), query="{} one")
    audited(task, bias, tmp_path)
    table = folder.read(tmp_path).table("bias", "retrieval-people")
    assert set(table["pool"]) == {40}
    assert table["value"].abs().max() < 1e-6  # each gender has ten red and ten green drawings, all tied


def test_missing_values_small_groups_and_no_positive_are_said(tmp_path: Path) -> None:
    shown = ["red"] * 130
    keys = ["red"] * 60 + ["green"] * 30 + ["red"] * 40
    gender = ["f"] * 60 + ["m"] * 30 + ["x"] * 5 + [None] * 35  # type: ignore[list-item]
    rows = audited(people(shown, keys, gender=gender), GroupPerformance(), tmp_path)
    suppressed = rows[(rows["group"] == "gender=x") & (rows["metric"] == "top1")].iloc[0]
    assert suppressed["status"] == "skipped"
    assert suppressed["reason"] == "5 pictures; a group needs 20 to be shown"
    assert not rows["metric"].str.startswith("equal_opportunity[red]").any()  # no `m` is red
    text = page.write(tmp_path).with_name("report.md").read_text()
    assert "gender is missing for 35" in text
    assert "Equal opportunity could not be given" in text
    assert np.isfinite(rows.loc[rows["status"] == "ok", "value"]).all()


def test_forty_values_are_passed_over_or_refused() -> None:
    who = [f"p{i % 40}" for i in range(200)]
    task = people(["red"] * 200, ["red"] * 200, gender=["f", "m"] * 100, who=who)
    rows = audited(task, GroupPerformance())
    assert not rows["group"].str.contains("who").any()
    settings = Settings(run="r")
    rows = run_cells(ToyEncoder(), [task], [ZeroShot()], audits=[GroupPerformance(attributes=["who"])],
                     settings=settings)  # fmt: skip
    assert "'who' has 40 values" in " ".join(rows["reason"])


def test_a_task_without_groups_or_classes_is_skipped_with_a_reason() -> None:
    plain = run_cells(ToyEncoder(), [toy_task()], [ZeroShot()], audits=[Bias()])
    assert (plain[plain["status"] != "ok"]["status"] == "skipped").all()
    assert "no attribute to group by" in " ".join(plain["reason"])


def test_generated_pictures_are_counted_corrected_and_compared(tmp_path: Path) -> None:
    """70 red and 30 blue pictures for one prompt; the toy classifier makes no error."""
    folder_of_pictures = tmp_path / "made"
    folder_of_pictures.mkdir()
    lines = ["prompt,file"]
    for i in range(100):
        Image.new("RGB", (8, 8), COLOURS["red" if i < 70 else "blue"]).save(folder_of_pictures / f"{i}.png")
        lines.append(f"a photo of a nurse,{i}.png")
    (folder_of_pictures / "manifest.csv").write_text("\n".join(lines))
    shown = list(COLOURS) * 30
    task = people(shown, shown, gender=["f", "m"] * 45)
    bias = Bias(generated=str(folder_of_pictures), reference={"red": 0.5, "blue": 0.5}, draws=200)
    rows = audited(task, bias, tmp_path / "run")
    assert value(rows, "perceived[red]", "all prompts") == pytest.approx(0.7, abs=0.01)
    assert value(rows, "distance", "all prompts") == pytest.approx(0.2, abs=0.01)
    text = page.write(tmp_path / "run").with_name("report.md").read_text()
    assert "Who is in the generated pictures?" in text
    assert "differs from the reference" in text
    (folder_of_pictures / "manifest.csv").write_text("prompt\nx\n")
    failed = run_cells(ToyEncoder(), [task], [ZeroShot()], audits=[bias])
    assert "has no column file" in " ".join(failed["reason"])


def test_two_models_stand_side_by_side(tmp_path: Path) -> None:
    for name in ("one", "two"):
        place = RunFolder(tmp_path / name, provenance={"run": name, "model": toy_card(name=name).as_dict()})
        run_cells(ToyEncoder(card=toy_card(name=name)), [planted_gap()], [ZeroShot()], audits=[GroupPerformance()],
                  folder=place, settings=Settings(run=name))  # fmt: skip
    text = page.write(tmp_path).with_name("report.md").read_text()
    assert "Whom does it fail? · one" in text
    assert "Whom does it fail? · two" in text


def test_word_lists_are_files_that_users_edit(tmp_path: Path) -> None:
    from tasks.text import labelset

    assert set(labelset("harm_fairface").category_names) == {"person", "non-human", "crime"}
    assert len(labelset("harm_fairface").labels) == 21
    assert len(labelset("occupations").labels) > 60
    (tmp_path / "mine.txt").write_text("hero\tperson\nvillain\tcrime\n")
    assert labelset(str(tmp_path / "mine.txt")).labels == ("hero", "villain")
    with pytest.raises(BenchError, match="Unknown label set 'harn'"):
        labelset("harn")


def test_a_probe_is_audited_without_a_spread_over_words() -> None:
    from bench.evaluation.knn import NearestNeighbours

    shown = ["red", "green"] * 60
    task = people(shown, shown, gender=["f"] * 60 + ["m"] * 60)
    both = toy_task("people", load=task.load, splits={"train": 120, "test": 120})
    rows = run_cells(ToyEncoder(), [both], [NearestNeighbours(k=1)], audits=[GroupPerformance()],
                     settings=Settings(run="r", debug=True))  # fmt: skip
    assert value(rows, "top1.difference", "gender") == 0
    assert not rows["metric"].str.contains("prompt_").any()
