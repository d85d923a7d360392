"""Effective and relative robustness (Taori et al. 2020, NeurIPS, sections 2 and 4; CLIP paper, section 3.3).

More accurate models are more accurate under shift as well. **Effective robustness** asks for what goes beyond: accuracy
under shift, less the accuracy that models of ordinary training with the same accuracy in distribution have. That
expectation is a straight line, fitted by least squares to transformed accuracies of reference models. **Relative
robustness** is the plain difference under shift to the model that an intervention started from.

The answer depends on the transform, on the models of the fit and on the axis, so a `Fit` carries them all. The axis in
distribution must be the accuracy on the *same classes* (see `shift`). Where a model lies outside the accuracies of the
fit, the line is extrapolated and says so. The logit of 0 and of 1 is infinite: reference models there are refused, or
dropped on request and counted (a ResNet-50 scores 0 on ImageNet-A, whose pictures were chosen for that). A scored model
may stand there: the expectation at 1 is the line's limit.

Shares, not points: an accuracy is 0.761, an effective robustness 0.28.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.audit.measures.bootstrap import DRAWS, accuracy_draws, interval
from bench.errors import BenchError, unknown
from bench.metrics import Estimate

GAP_CLOSED = "(accuracy under shift - expected) / (accuracy in distribution - expected)"
"""Share of the robustness gap closed: 0 on the line of the reference models, 1 if the shift costs nothing."""

FEWEST = 5
"""Reference models from which on they are resampled; with fewer, the interval speaks of the pictures only."""


class Transform(NamedTuple):
    """Accuracies -> axis on which the line is straight, and back."""

    forward: Callable[[np.ndarray], np.ndarray]
    backward: Callable[[np.ndarray], np.ndarray]


def transform(name: str) -> Transform:
    """`logit` (the default everywhere), `probit` or `linear`."""
    from scipy.special import expit, logit, ndtr, ndtri

    known = {"logit": Transform(logit, expit), "probit": Transform(ndtri, ndtr), "linear": Transform(_same, _same)}
    if name not in known:
        raise unknown("transform", name, known)
    return known[name]


def _same(values: np.ndarray) -> np.ndarray:
    return values


@dataclass(frozen=True)
class Fit:
    """A line of expected accuracy under shift, with all that it depends on."""

    name: str
    transform: str
    slope: float
    intercept: float
    n: int
    """Reference models behind it."""
    low: float
    high: float
    """Least and greatest accuracy in distribution among them; NaN where it is not known."""
    r2: float
    """On the transformed axis."""
    residual: float
    """Standard deviation of accuracy about the line, with n - 2 degrees of freedom (a share, 0.01 is one point)."""
    dropped: int = 0
    """Models left out because their transform is infinite."""
    source: str = ""

    def expected(self, in_distribution: float | np.ndarray) -> np.ndarray:
        """Accuracy under shift of ordinary models with this accuracy in distribution."""
        change = transform(self.transform)
        with np.errstate(divide="ignore"):
            return np.asarray(
                change.backward(self.intercept + self.slope * change.forward(np.asarray(in_distribution)))
            )

    def effective(self, in_distribution: float, shifted: float) -> float:
        """Effective robustness of one model."""
        return float(shifted - self.expected(in_distribution))

    def gap_closed(self, in_distribution: float, shifted: float) -> float:
        """`GAP_CLOSED`; NaN where ordinary models lose nothing, so that there is no gap."""
        return float(_gap_closed(np.asarray(in_distribution), np.asarray(shifted), self.expected(in_distribution)))

    def extrapolates(self, in_distribution: float) -> bool:
        """Is this outside the accuracies of the reference models? False where these are not known (NaN)."""
        return in_distribution < self.low or in_distribution > self.high


@dataclass(frozen=True)
class Reference:
    """Models of ordinary training: their names and accuracies [model] in distribution and under shift."""

    name: str
    models: tuple[str, ...]
    in_distribution: np.ndarray
    shifted: np.ndarray
    source: str = ""
    on_boundary: str = "refuse"
    """Models at accuracy 0 or 1, whose logit is infinite: `refuse` them with an error, or `drop` and count them."""

    @classmethod
    def of(
        cls, table: pd.DataFrame, *, name: str = "own reference models", source: str = "", on_boundary: str = "refuse"
    ) -> Reference:
        """From a table with the columns `model`, `in_distribution`, `shifted` (shares); lines with a gap are left out.

        Raises:
            BenchError: a column missing, a doubled model, or accuracies that are not shares.
        """
        columns = ["model", "in_distribution", "shifted"]
        missing = [one for one in columns if one not in table]
        if missing:
            raise BenchError(f"Reference models need the columns {', '.join(columns)}; missing: {', '.join(missing)}.")
        table = table.dropna(subset=columns)
        twice = table["model"][table["model"].duplicated()]
        if len(twice):
            raise BenchError(f"Reference models {name!r}: {twice.iloc[0]!r} occurs twice.")
        accuracy, shifted = (table[one].to_numpy(dtype=np.float64) for one in columns[1:])
        if any(len(values) and (values.min() < 0 or values.max() > 1) for values in (accuracy, shifted)):
            raise BenchError(f"Reference models {name!r}: accuracies are shares between 0 and 1, not percent.")
        return cls(name, tuple(map(str, table["model"])), accuracy, shifted, source=source, on_boundary=on_boundary)

    def without(self, model: str) -> Reference:
        """The others: a model that helps to draw the line pulls the line towards itself."""
        keep = np.array([one != model for one in self.models], dtype=bool)
        names = tuple(one for one in self.models if one != model)
        return Reference(
            self.name, names, self.in_distribution[keep], self.shifted[keep], self.source, self.on_boundary
        )

    def fit(self, transform_name: str = "logit") -> Fit:
        """The line through these models.

        Raises:
            BenchError: a model with an infinite transform (unless `on_boundary` is "drop"), or fewer than two
                different accuracies.
        """
        x, y, keep = self._axes(transform_name)
        accuracy, shifted = self.in_distribution[keep], self.shifted[keep]
        slope, intercept = (float(one[0]) for one in _lines(x[None], y[None]))
        if not np.isfinite(slope):
            raise BenchError(
                f"Reference models {self.name!r}: a line needs at least two models of different accuracy; "
                f"there are {len(x)} ({', '.join(self.models[:5]) or 'none'})."
            )
        change = transform(transform_name)
        residuals = shifted - change.backward(intercept + slope * x)
        spread = float(((y - y.mean()) ** 2).sum())
        unexplained = float(((y - intercept - slope * x) ** 2).sum())
        return Fit(
            self.name, transform_name, slope, intercept, len(x), float(accuracy.min()), float(accuracy.max()),
            1 - unexplained / spread if spread > 0 else float("nan"),
            float(residuals.std(ddof=2)) if len(x) > 2 else 0.0, int((~keep).sum()), self.source,
        )  # fmt: skip

    def line_draws(self, transform_name: str, *, draws: int = DRAWS, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and intercepts [draw] of lines through models drawn anew with replacement."""
        x, y, _ = self._axes(transform_name)
        chosen = np.random.default_rng(seed).integers(len(x), size=(draws, len(x)))
        return _lines(x[chosen], y[chosen])

    def _axes(self, transform_name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        forward = transform(transform_name).forward
        with np.errstate(divide="ignore"):
            x, y = forward(self.in_distribution), forward(self.shifted)
        keep = np.isfinite(x) & np.isfinite(y)
        if not keep.all() and self.on_boundary != "drop":
            where = int(np.flatnonzero(~keep)[0])
            raise BenchError(
                f"Reference models {self.name!r}: {self.models[where]!r} has accuracy "
                f"{self.in_distribution[where]:g} in distribution and {self.shifted[where]:g} under shift, and the "
                f"{transform_name} of 0 or 1 is infinite. "
                "Leave it out (on_boundary='drop'), or use transform='linear'."
            )
        return x[keep], y[keep], keep


class Effective(NamedTuple):
    """Effective robustness of one model with its interval, and the parts that it is made of."""

    in_distribution: float
    shifted: float
    expected: Estimate
    effective: Estimate
    gap_closed: Estimate
    fit: Fit
    extrapolated: bool


def effective_robustness(
    reference: Reference | Fit, in_distribution: np.ndarray, shifted: np.ndarray, *, transform_name: str = "logit",
    same_pictures: bool = False, clusters: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    draws: int = DRAWS, seed: int = 0,
) -> Effective:  # fmt: skip
    """Effective robustness and share of the gap closed, with 95 % intervals.

    The intervals hold both what the pictures leave open (drawn anew in each set; together if `same_pictures`, as
    under corruption) and what the reference models leave open (drawn anew, from `FEWEST` of them on).

    Args:
        reference: models, whose line is fitted on the named transform; or a line with its own transform, which is held.
        in_distribution: credits [picture], e.g. of `bench.metrics.credit`, on the shared classes.
        shifted: credits [picture] under shift.
        clusters: what pictures depend on each other, for each of the two; None where they are independent.
    """
    fit = reference if isinstance(reference, Fit) else reference.fit(transform_name)
    value, under = float(np.mean(in_distribution)), float(np.mean(shifted))
    if same_pictures:
        both = accuracy_draws(np.column_stack([in_distribution, shifted]), clusters=clusters[0], draws=draws, seed=seed)
    else:
        both = np.column_stack([
            accuracy_draws(credit, clusters=own, draws=draws, seed=seed + place)
            for place, (credit, own) in enumerate(zip((in_distribution, shifted), clusters, strict=True))
        ])  # fmt: skip
    change = transform(fit.transform)
    slopes, intercepts = np.full(draws, fit.slope), np.full(draws, fit.intercept)
    how = f"bootstrap over pictures ({fit.n} models held)"
    if isinstance(reference, Reference) and fit.n >= FEWEST:
        how = f"bootstrap over pictures and {fit.n} models"
        slopes, intercepts = reference.line_draws(transform_name, draws=draws, seed=seed + 2)
    lines = change.backward(intercepts + slopes * change.forward(both[:, 0]))

    def estimate(point: float, drawn: np.ndarray) -> Estimate:
        return Estimate(point, *interval(drawn, point), len(shifted), how)

    return Effective(
        value, under,
        estimate(float(fit.expected(value)), lines),
        estimate(fit.effective(value, under), both[:, 1] - lines),
        estimate(fit.gap_closed(value, under), _gap_closed(both[:, 0], both[:, 1], lines)),
        fit, fit.extrapolates(value),
    )  # fmt: skip


def relative_robustness(shifted: float, baseline: float) -> float:
    """Accuracy under shift, less that of the model the intervention started from."""
    return shifted - baseline


def _lines(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of y on x, row by row [draw, model]; NaN where all x are equal."""
    centred = x - x.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    flat = spread <= 1e-12 * np.maximum((x**2).sum(axis=1), 1e-300)
    slopes = (centred * y).sum(axis=1) / np.where(flat, np.nan, spread)
    return slopes, y.mean(axis=1) - slopes * x.mean(axis=1)


def _gap_closed(accuracy: np.ndarray, shifted: np.ndarray, expected: np.ndarray) -> np.ndarray:
    gap = accuracy - expected
    return np.asarray((shifted - expected) / np.where(gap > 0, gap, np.nan))
