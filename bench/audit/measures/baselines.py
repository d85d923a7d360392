"""Published lines of ImageNet's shifts and the models behind them, which stand in where nobody brings own models.

`baseline_fits.csv` has logit lines through the models of ordinary training of the ImageNet testbed (Taori et al. 2020),
by that paper's own choice of models, rounded to three digits. In distribution stands the accuracy on the shift's own
classes. `mean_of_seven` is of the averages over V2, Sketch, R, A, ObjectNet, VID and YTBB, as in the CLIP paper's
figure 14. With a line alone, intervals speak of the pictures, not of the choice of models.

`testbed_models.csv` has the accuracies of those 85 models, from which a test refits every line to the digit: lines
under any transform, whose intervals speak of both. The audit uses these. The transform matters: on ImageNet-A Noisy
Student L2 lies 16.7 points above the logit line and 36.3 above the probit line.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from bench.audit.measures.effective import Fit
from bench.errors import unknown

SOURCE = "modestyachts/imagenet-testbed, robustness_top1s.csv (MIT)"
AXES = {"imagenet_v2": "val", "imagenet_v2_format_val": "val", "imagenet_sketch": "val", "imagenet_r": "val_on_r",
        "imagenet_a": "val_on_a", "objectnet": "val_on_objectnet", "vid_robust": "val_on_vid",
        "ytbb_robust": "val_on_ytbb"}  # fmt: skip
"""Column of the accuracy in distribution of each shift of the testbed's models."""
SEVEN = ("imagenet_v2", "imagenet_sketch", "imagenet_r", "imagenet_a", "objectnet", "vid_robust", "ytbb_robust")
"""What `mean_of_seven` averages; of the two with videos, frames alone and the worst of near ones count half each."""


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
def models() -> pd.DataFrame:
    """The testbed's models: `model`, `shift`, `in_distribution`, `shifted`, a line a model and shift; shares."""
    with (files("bench.audit.measures") / "testbed_models.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, comment="#").set_index("model") / 100
    pairs = {shift: table[[own, shift]].set_axis(["in_distribution", "shifted"], axis=1) for shift, own in AXES.items()}
    halved = table[list(SEVEN)].assign(**{one: table[[one, f"{one}_pm10"]].mean(axis=1) for one in SEVEN[-2:]})
    means = [part.mean(axis=1, skipna=False) for part in (table[[AXES[one] for one in SEVEN]], halved)]
    pairs["mean_of_seven"] = pd.concat(means, axis=1, keys=["in_distribution", "shifted"])
    known = [one.dropna().reset_index().assign(shift=shift) for shift, one in pairs.items()]
    return pd.concat(known, ignore_index=True)[["model", "shift", "in_distribution", "shifted"]]


@cache
def _table() -> pd.DataFrame:
    with (files("bench.audit.measures") / "baseline_fits.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")
