"""Published reference models of ImageNet's shifts: what effective robustness is measured against.

`baseline_models.csv`: top-1 of the 85 models of ordinary training of the ImageNet testbed (Taori et al. 2020; its
`robustness_top1s.csv`, MIT), by that paper's own choice (type STANDARD, without those trained on subsets or at other
batch sizes). `baseline_fits.csv`: the lines through them, so that a result can be checked by hand; a test fits them
again. In distribution stands the accuracy on the shift's own classes (`val-on-imagenet-a-classes` and so on).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from bench.audit.effective import Fit, Reference
from bench.errors import unknown

SOURCE = "modestyachts/imagenet-testbed, robustness_top1s.csv (MIT)"

AXES: dict[str, tuple[tuple[str, str], ...]] = {
    "imagenet_v2": (("val", "imagenetv2-matched-frequency"),),
    "imagenet_v2_format_val": (("val", "imagenetv2-matched-frequency-format-val"),),
    "imagenet_sketch": (("val", "imagenet-sketch"),),
    "imagenet_r": (("val-on-imagenet-r-classes", "imagenet-r"),),
    "imagenet_a": (("val-on-imagenet-a-classes", "imagenet-a"),),
    "objectnet": (("val-on-objectnet-classes", "objectnet-1.0-beta"),),
    "vid_robust": (("val-on-vid-robust-classes", "imagenet-vid-robust_pm0"),),
    "ytbb_robust": (("val-on-ytbb-robust-classes", "ytbb-robust_pm0"),),
}
"""Shift -> pairs of columns (in distribution, shifted) that are averaged."""
AXES["mean_of_seven"] = tuple(
    AXES[name][0] for name in (
        "imagenet_v2", "imagenet_sketch", "imagenet_r", "imagenet_a", "objectnet", "vid_robust", "ytbb_robust"
    )
)  # fmt: skip


def reference(name: str) -> Reference:
    """The reference models of one shift. Models at 0 or 1 are dropped where the transform is infinite.

    Raises:
        BenchError: no such shift, with the closest names.
    """
    if name not in AXES:
        raise unknown("published reference", name, AXES)
    models = _read("baseline_models.csv")
    table = pd.DataFrame({
        "model": models["model"],
        "in_distribution": models[[own for own, _ in AXES[name]]].mean(axis=1, skipna=False) / 100,
        "shifted": models[[other for _, other in AXES[name]]].mean(axis=1, skipna=False) / 100,
    }).dropna()  # fmt: skip
    accuracy, shifted = (table[one].to_numpy(dtype=float) for one in ("in_distribution", "shifted"))
    return Reference(name, tuple(table["model"]), accuracy, shifted, source=SOURCE, on_boundary="drop")


def published_fit(name: str, transform: str = "logit") -> Fit:
    """The line as it is shipped, without its models."""
    table = _read("baseline_fits.csv")
    chosen = table[(table["name"] == name) & (table["transform"] == transform)]
    if chosen.empty:
        raise unknown("published fit", f"{name} ({transform})", table["name"] + " (" + table["transform"] + ")")
    row = {str(key): value for key, value in chosen.iloc[0].items()}
    return Fit(**{**row, "n": int(row["n"]), "dropped": int(row["dropped"]), "source": SOURCE})


@cache
def _read(name: str) -> pd.DataFrame:
    with (files("bench.audit") / name).open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")
