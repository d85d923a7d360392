"""Where a fit goes wrong quietly: rare classes, rows that contradict each other, classes without a row, bad input."""

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.logistic import LogisticPath, path
from bench.logistic.objective import Problem
from bench.logistic.precondition import Whole
from tests.unit.test_logistic import clouds, value
from tests.unit.test_logistic_optimum import polished
from tests.unit.test_logistic_parts import designed

WEAK = [float(10.0**i) for i in range(-6, 1)]


def rare(count: int, classes: int, *, seed: int):  # type: ignore[no-untyped-def]
    """Far clouds, whose labels are of others, a few classes often and most of them once or twice."""
    features, _ = clouds(count, 24, classes, apart=3.0, seed=seed)
    labels = np.minimum(np.random.default_rng(seed).pareto(1.0, count).astype(int), classes - 1)
    labels[:classes] = np.arange(classes)
    return features, labels


def doubled(count: int, classes: int, *, seed: int):  # type: ignore[no-untyped-def]
    """Rows that occur about four times, each time of another class: no weights separate them."""
    features, labels = clouds(count, 24, classes, apart=3.0, seed=seed)
    return features[np.random.default_rng(seed).integers(0, count // 4, count)], labels


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", [rare, doubled])
def test_nothing_is_lower_where_classes_are_rare_or_contradict(kind, seed: int) -> None:  # type: ignore[no-untyped-def]
    features, labels = kind(150, 12, seed=seed)
    for fit in LogisticPath(features, labels, 12).solve(WEAK):
        weights, intercept = polished(fit, features, labels, fit.penalty, most=400)
        best = value(weights, intercept, features, labels, fit.penalty)
        ours = value(fit.weights, fit.intercept, features, labels, fit.penalty)
        assert fit.converged, fit.penalty
        assert ours - best <= 1e-6 * best, (fit.penalty, ours / best - 1)


@pytest.mark.parametrize("solver", ["blocks", "whole"])
def test_blocks_and_the_whole_hessian_end_alike(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clouds(300, 12, 6, apart=0.8)
    usual = LogisticPath(features, labels, 6).solve(WEAK)
    monkeypatch.setattr(path, "EASY", 2)
    monkeypatch.setattr(path, "HARD", 2 if solver == "whole" else 10**6)
    for one, other in zip(LogisticPath(features, labels, 6).solve(WEAK), usual, strict=True):
        assert one.converged
        assert one.objective == pytest.approx(other.objective, rel=2e-7)


@pytest.mark.parametrize("seen", ["raw", "rotated"])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_the_whole_hessian_solves_newtons_equation(kind: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the second derivatives that differentiation finds; in blocks of 7 rows."""
    monkeypatch.setattr("bench.logistic.precondition.ROWS_WHOLE", 7)
    random = np.random.default_rng(0)
    targets = torch.arange(60) % 3 if kind == "classes" else torch.from_numpy(random.random((3, 60)) < 0.4).float()
    offset = torch.from_numpy(random.normal(size=(3, 60)).astype(np.float32))
    problem = Problem(designed(seen, 60), targets, 3, offset)
    x = problem.design.rows(slice(None)).double()

    def loss(flat):  # type: ignore[no-untyped-def]
        weights = flat.view(3, 5)
        logits = weights @ x.T + offset.double()
        if kind == "classes":
            total = -torch.log_softmax(logits, 0)[targets, torch.arange(60)].sum()
        else:
            total = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.double(), reduction="sum")
        return total + 0.3 / 2 * weights[:, :4].square().sum()

    weights = torch.from_numpy(random.normal(size=(1, 3, 5)))
    hessian = torch.autograd.functional.hessian(loss, weights.flatten())  # type: ignore[no-untyped-call]
    vector = problem.centred(torch.from_numpy(random.normal(size=(1, 3, 5))))
    whole = Whole(problem)
    whole.refresh(weights, torch.tensor([0.3], dtype=torch.float64))
    torch.testing.assert_close(hessian @ whole(vector).flatten(), vector.flatten(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("classes", [3, 12])
def test_a_class_without_a_row_changes_nothing(classes: int) -> None:
    features, labels = clouds(200, 8, 2, apart=0.5)
    places = np.array([0, classes - 1])
    penalties = [float(10.0**i) for i in range(-4, 7, 2)]
    alone = LogisticPath(features, labels, 2).solve(penalties)
    among = LogisticPath(features, places[labels], classes).solve(penalties)
    for one, fit in zip(alone, among, strict=True):
        assert fit.converged
        logits = fit.logits(features)
        assert set(logits.argmax(axis=1)) <= set(places)
        assert np.exp(np.delete(logits, places, axis=1).max() - logits.max(axis=1).min()) < 1e-40
        # A softmax over two classes has half the weights for each, so that half the penalty is worth the same.
        halves = LogisticPath(features, labels, 2).solve([fit.penalty / 2])[0]
        np.testing.assert_allclose(logits[:, -1] - logits[:, 0], halves.logits(features)[:, 0], rtol=2e-2, atol=2e-3)
        assert one.converged


def test_a_label_that_all_rows_have_or_none_changes_nothing() -> None:
    features, labels = clouds(200, 8, 2, apart=0.5)
    truth = np.stack([labels == 0, np.ones(200, bool), labels == 1, np.zeros(200, bool)], axis=1)
    fit = LogisticPath(features, truth, 4).solve([1.0])[0]
    both = LogisticPath(features, truth[:, [0, 2]], 2).solve([1.0])[0]
    np.testing.assert_array_equal(fit.weights[[0, 2]], both.weights)
    assert not fit.weights[[1, 3]].any()
    assert np.sign(fit.logits(features)[:, [1, 3]]).tolist() == [[1, -1]] * 200


def test_bad_input_is_refused() -> None:
    features, labels = clouds(50, 4, 3, apart=0.5)
    for wrong in (labels - 1, labels + 1):
        with pytest.raises(BenchError, match="numbers of classes, 0 to 2"):
            LogisticPath(features, wrong, 3)
    with pytest.raises(BenchError, match="at least two classes"):
        LogisticPath(features, np.ones((50, 2), bool), 2)
    for hole in (np.nan, np.inf):
        spoilt = features.copy()
        spoilt[7, 2] = hole
        for count in (50, 3):
            with pytest.raises(BenchError, match="NaN or infinity"):
                LogisticPath(spoilt[7 : 7 + count], np.arange(len(spoilt[7 : 7 + count])) % 3, 3)
