"""Published lines of ImageNet's shifts: what effective robustness is held against where nobody brings own models.

`baseline_fits.csv` has logit lines through the models of ordinary training of the ImageNet testbed (Taori et al. 2020),
by that paper's own choice of models, rounded to three digits. In distribution stands the accuracy on the shift's own
classes. `mean_of_seven` is of the averages over V2, Sketch, R, A, ObjectNet, VID and YTBB, as in the CLIP paper's
figure 14. The models' own accuracies are not shipped, so intervals speak of the pictures, not of the choice of models:
with a table of models (`Reference.of`, `audit.references=FILE.csv`) they speak of both, under any transform.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from bench.audit.measures.effective import Fit
from bench.errors import unknown

SOURCE = "modestyachts/imagenet-testbed, robustness_top1s.csv (MIT)"


def names() -> list[str]:
    """Shifts that have a published line."""
    return [str(one) for one in _table()["name"]]


def published(name: str) -> Fit:
    """The published line of one shift, on logit axes.

    Raises:
        BenchError: no such shift, with the closest names.
    """
    if name not in names():
        raise unknown("published line", name, names())
    table = _table()
    row = table[table["name"] == name].to_dict("records")[0]
    number = {key: float(row[key]) for key in ("slope", "intercept", "low", "high", "r2", "residual")}
    return Fit(name, "logit", n=int(row["n"]), dropped=int(row["dropped"]), source=SOURCE, **number)


@cache
def _table() -> pd.DataFrame:
    with (files("bench.audit.measures") / "baseline_fits.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")
