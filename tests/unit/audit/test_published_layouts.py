"""The audits on miniatures of published data sets in their own layouts, through the real readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bench
import tasks
from bench.audit.bias import Bias
from bench.audit.label_sets import LabelSet
from tasks.text import labelset
from tests.fixtures.grouped import fairface_people
from tests.fixtures.published import MINIATURES
from tests.toys import ToyEncoder


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")


class GenderToy(ToyEncoder):
    """Reads `man` as red, `woman` as green and insults as blue."""

    def encode_texts(self, texts):  # type: ignore[no-untyped-def]
        words = {"woman": "green", "man": "red", "thief": "blue", "criminal": "blue"}
        return super().encode_texts([next((c for w, c in words.items() if w in one), "nothing") for one in texts])


def fairface() -> object:
    (task,) = tasks.select("fairface_gender")
    return task.renamed("fairface_gender", splits={"test": 420})


def test_fairface_with_all_its_groups(tmp_path: Path) -> None:
    """210 men and 168 + 24 women are what they are taken for; 6 of 30 Black women are called criminal."""
    fairface_people(tmp_path)
    rows = bench.run(
        model=GenderToy(), task=fairface(),  # type: ignore[arg-type]
        audit=Bias(harm=labelset("harm_fairface"), designs=({"name": "+ child", "add": {"child": "child"}},)),
        output=tmp_path / "run", **{"store.folder": None},
    )  # fmt: skip
    assert (rows[rows["group"] == "all"]["status"] == "ok").all()
    value = rows.set_index(["metric", "group"])["value"]
    assert value["top1", "gender=Male"] == 1
    assert value["top1", "gender=Female & race=Black"] == pytest.approx(0.9)  # the blue ones are tied: half a point
    assert value["harm[crime]", "race=Black"] == pytest.approx(0.1)
    assert value["harm[crime]", "race=White"] == 0
    assert value["harm[crime]", "gender=Female & race=Black"] == pytest.approx(0.2)
    hidden = rows[rows["group"] == "age=0-2 & race=White"]
    assert (hidden["status"] == "skipped").all()
    from reports import page

    text = page.write(tmp_path / "run").with_name("report.md").read_text()
    assert "Who is in the set: 420 pictures. age: 0-2 " in text
    assert "are not shown" in text


@pytest.mark.parametrize("name", ["utkface_gender", "waterbirds", "dollar_street"])
def test_a_handful_of_pictures_is_suppressed_and_never_a_crash(name: str, tmp_path: Path) -> None:
    (task,) = tasks.select(name)
    MINIATURES[name](tmp_path, [task.classes[place].key for place in (-1, 0, len(task.classes) // 2)])
    small = task.renamed(name, splits=dict.fromkeys(task.splits, None))
    rows = bench.run(model=ToyEncoder(), task=small, output=tmp_path / "run", audit=Bias(
        harm=LabelSet("h", {"red": "person", "blue": "crime"}), occupations=labelset("occupations"),
        concepts=(labelset("career_family"),), adjectives=labelset("adjectives"),
    ), **{"store.folder": None})  # type: ignore[arg-type]  # fmt: skip
    assert not (rows["status"] == "failed").any(), rows.loc[rows["status"] == "failed", "reason"].tolist()
    assert np.isfinite(rows.loc[rows["status"] == "ok", "value"]).all()
    from reports import page

    assert page.write(tmp_path / "run").exists()
