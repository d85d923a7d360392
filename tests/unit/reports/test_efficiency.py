"""One model under several evaluations: encoded once, compared picture by picture, its worth in labels drawn."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench import results
from bench.evaluation.data_efficiency import DataEfficiency
from bench.evaluation.few_shot import FewShot
from bench.evaluation.knn import NearestNeighbours
from bench.evaluation.linear_probe import LinearProbe
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from bench.store import Store
from reports import efficiency, folder, page
from reports.compare import compare
from tests.fixtures.probes import LayeredToy
from tests.unit.test_linear_probe import trainable


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LayeredToy]:
    place, encoder = tmp_path_factory.mktemp("run"), LayeredToy()
    evaluations = [ZeroShot(), LinearProbe(), NearestNeighbours(k=3), FewShot(k=(1, 2)), FewShot(k=(2,), start="text"),
                   DataEfficiency(k=(1, 2))]  # fmt: skip
    made = RunFolder(place, provenance={"model": encoder.card.as_dict()})
    run_cells(encoder, [trainable()], evaluations, store=Store(place / "store"), folder=made,
              settings=Settings(debug=True))  # fmt: skip
    return place, encoder


def test_no_picture_is_encoded_twice(run: tuple[Path, LayeredToy]) -> None:
    assert run[1].images_seen == 24  # 12 of train, 12 of test


def test_the_evaluations_of_one_model_are_compared_by_picture(run: tuple[Path, LayeredToy]) -> None:
    found = compare([(str(run[0]), folder.read_all([run[0]]))])
    names = {name.rsplit(" · ", 1)[-1] for name in found.systems}
    assert names == {"zero_shot", "linear_probe", "knn", "few_shot@1", "few_shot@2", "few_shot_from_text@2",
                     "data_efficiency"}  # fmt: skip
    assert (found.tasks["status"] == "ok").all()
    assert found.tasks["p"].between(0, 1).all()


def test_the_page_draws_what_zero_shot_is_worth(run: tuple[Path, LayeredToy]) -> None:
    text = page.write(run[0]).read_text(encoding="utf-8")
    assert "What zero-shot is worth in labels" in text
    assert (run[0] / "figures" / "data-efficiency.svg").exists()
    assert len(pd.read_csv(run[0] / "figures" / "data-efficiency.csv")) == 1


def rows(*tasks: tuple[str, float, float, float, tuple[float, float]]) -> pd.DataFrame:
    """(task, value, low, high, gaps at 1 and 16) as rows."""
    made = []
    for task, value, low, high, gaps in tasks:
        base = {"run": "r", "model": "m", "task": task, "evaluation": "data_efficiency", "condition": "clean",
                "status": "ok", "headline": False, "group": "all"}  # fmt: skip
        made.append(base | {"metric": efficiency.METRIC, "value": value, "low": low, "high": high})
        made += [base | {"metric": f"gap@{k}", "value": gap} for k, gap in zip((1, 16), gaps, strict=True)]
    return results.frame(made)


def test_open_ends_are_told_and_drawn() -> None:
    nan = math.nan
    made = rows(("inside", 4.0, 2.0, 8.0, (-0.1, 0.1)), ("hard", 16.0, 12.0, nan, (-0.3, -0.1)),
                ("easy", 1.0, nan, 1.5, (0.1, 0.3)), ("wide", 9.0, 3.0, nan, (-0.1, 0.05)))  # fmt: skip
    table = efficiency.needed(made)
    assert table["task"].tolist() == ["easy", "inside", "wide", "hard"]
    assert table["end"].tolist() == ["fewer", "", "", "more"]
    told = [efficiency.amount(row) for row in table.to_dict("records")]
    assert told == ["fewer than 1", "4.0", "9.0", "more than 16"]
    drawing = efficiency.efficiency(table)
    assert "more than 16" in drawing.svg
    assert "fewer than 1" in drawing.svg
    np.testing.assert_array_equal(drawing.numbers["value"], table["value"])


def test_without_such_rows_there_is_nothing_to_draw() -> None:
    assert not len(efficiency.needed(rows()))
