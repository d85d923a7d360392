"""What the solver is made of, each part against the same written out."""

import numpy as np
import pytest
import torch

from bench.logistic import Fit, LogisticPath, objective, precondition
from bench.logistic.basis import Design, basis_of, design_of
from bench.logistic.objective import Hessian, Problem
from bench.logistic.path import Solved
from bench.logistic.precondition import Blocks


def designed(kind: str, rows: int) -> Design:
    """Of four features: seen in a basis, rotated before, or without an intercept."""
    features = 1 + np.random.default_rng(1).normal(size=(rows, 4)).astype(np.float32)
    basis = basis_of(features, torch.device("cpu"), intercept=kind != "no intercept")
    design = design_of(features, basis, intercept=kind != "no intercept")
    assert design.basis is basis
    return Design(design.rows(slice(None))[:, :-1].contiguous()) if kind == "rotated" else design


def test_a_design_is_centred_and_rotated_features_and_ones() -> None:
    design, features = designed("raw", 300), designed("raw", 300).features.double()
    rows = design.rows(slice(None)).double()
    covariance = torch.cov(rows[:, :-1].T, correction=0)
    np.testing.assert_allclose(covariance, torch.diag(design.basis.variances), atol=1e-6)  # type: ignore[union-attr]
    np.testing.assert_allclose(torch.cdist(rows, rows), torch.cdist(features, features), atol=1e-5)
    assert (rows[:, -1] == 1).all()
    assert rows.shape == (300, design.width)
    assert torch.equal(design.rows(torch.tensor([7, 2])), design.rows(slice(None))[[7, 2]])


@pytest.mark.parametrize("nasty", ["length", "type", "order", "backwards"])
def test_features_are_copied_where_float32_would_lose_them(nasty: str) -> None:
    features = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32)
    features[:, 0] *= 1e-2
    same = features.copy()
    if nasty == "length":
        features += 20.0
    basis = basis_of(features, torch.device("cpu"))
    given = {
        "type": features.astype(np.float64),
        "order": np.asfortranarray(features),
        "backwards": features[::-1].copy()[::-1],
    }.get(nasty, features)
    copied = design_of(given, basis)
    assert copied.basis is None
    seen = design_of(same, basis_of(same, torch.device("cpu")))
    assert seen.features.data_ptr() == same.ctypes.data
    one, other = (design.rows(slice(None)).double() for design in (copied, seen))
    np.testing.assert_allclose(torch.cdist(one, one), torch.cdist(other, other), atol=1e-4)


@pytest.mark.parametrize("seen", ["raw", "rotated", "no intercept"])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_gradient_is_the_objectives(kind: str, seen: str) -> None:
    random = np.random.default_rng(0)
    design = designed(seen, 50)
    targets = torch.arange(50) % 3 if kind == "classes" else torch.from_numpy(random.random((3, 50)) < 0.4).float()
    offset = torch.from_numpy(random.normal(size=(3, 50)).astype(np.float32))
    problem = Problem(design, targets, 3, offset)
    weights = torch.from_numpy(random.normal(size=(2, 3, 5)))
    penalties = torch.tensor([0.3, 2.0], dtype=torch.float64)
    found = problem.evaluate(weights, penalties)

    free = weights.clone().requires_grad_()
    logits = torch.einsum("nd,lkd->lkn", design.rows(slice(None)).double(), free) + offset.double()
    if kind == "classes":
        losses = -torch.log_softmax(logits, 1)[:, targets, torch.arange(50)].sum(1)
    else:
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets.double().expand(2, -1, -1), reduction="none").sum((1, 2))  # fmt: skip
    total = losses + penalties / 2 * free[..., :4].square().sum((1, 2))
    total.sum().backward()
    np.testing.assert_allclose(found.objective, total.detach(), rtol=1e-7)  # the basis was applied in float32 here
    np.testing.assert_allclose(found.gradient, free.grad, rtol=1e-6, atol=2e-5)  # residuals meet features in float32


@pytest.mark.parametrize("seen", ["raw", "rotated", "no intercept"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_products_are_the_hessians(kind: str, kept: bool, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "SHARES", 1 << 20 if kept else 0)
    random = np.random.default_rng(0)
    targets = torch.arange(600) % 3 if kind == "classes" else torch.from_numpy(random.random((3, 600)) < 0.4).float()
    offset = torch.from_numpy(random.normal(size=(3, 600)).astype(np.float32))
    problem = Problem(designed(seen, 600), targets, 3, offset)
    weights, vectors = (torch.from_numpy(random.normal(size=(2, 3, 5)).astype(np.float32)) for _ in range(2))
    penalties = torch.tensor([0.3, 2.0], dtype=torch.float64)
    hessian = Hessian(problem, weights, penalties)
    found = [hessian.times(vectors, torch.arange(2)), hessian.times(vectors[1:], torch.tensor([1]))]
    step = 1e-2
    ends = [problem.evaluate(weights.double() + sign * step * vectors, penalties).gradient for sign in (1, -1)]
    wanted = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(found[0], wanted, rtol=2e-3, atol=0.05)
    np.testing.assert_allclose(found[1], found[0][1:], rtol=1e-4, atol=1e-3)


def test_blocks_are_the_inverse_of_each_class_hessian() -> None:
    """Written out: X' diag(p (1 - p)) X + penalty of each class, then steps that sum to zero."""
    random = np.random.default_rng(0)
    features = torch.from_numpy(np.hstack([random.normal(size=(60, 5)), np.ones((60, 1))]).astype(np.float32))
    targets = torch.from_numpy(random.integers(0, 3, 60))
    problem = Problem(Design(features[:, :5].contiguous()), targets, 3)
    weights, penalty = torch.from_numpy(random.normal(size=(1, 3, 6))).float(), torch.tensor([0.7], dtype=torch.float64)
    blocks = Blocks(problem)
    blocks.refresh(weights, penalty)
    x, p = features.double(), torch.softmax(features.double() @ weights[0].double().T, dim=1)
    vectors = torch.from_numpy(random.normal(size=(1, 3, 6)))
    ridge = torch.diag(torch.tensor([0.7] * 5 + [0.0], dtype=torch.float64))
    expected = torch.stack([
        torch.linalg.solve(x.T @ (x * (p[:, c] * (1 - p[:, c]))[:, None]) + ridge, vectors[0, c]) for c in range(3)
    ])  # fmt: skip
    np.testing.assert_allclose(blocks(vectors)[0], expected - expected.mean(0), rtol=2e-4, atol=1e-5)


def unpacked(blocks: Blocks) -> torch.Tensor:
    """[column, width, width], float64."""
    width = blocks.problem.design.width
    upper = torch.zeros(blocks.problem.columns, width, width, dtype=torch.float64)
    upper[:, *torch.triu_indices(width, width)] = blocks.inverse.double()
    whole = upper + upper.triu(1).mT
    return whole * blocks.scale[:, :, None] * blocks.scale[:, None]


@pytest.mark.parametrize("certain", [0, 40])
def test_blocks_of_a_sample_are_near_those_of_all_rows(certain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some rows in doubt among many that hardly count: both are seen, each by its weight."""
    random = np.random.default_rng(0)
    features = np.hstack([random.normal(size=(6000, 5)), np.ones((6000, 1))]).astype(np.float32)
    features[:, 0] += 8.0
    features[:certain, 0] = 0.0
    problem = Problem(Design(torch.from_numpy(features[:, :5].copy())), torch.zeros(6000, dtype=torch.int64), 3)
    weights = torch.zeros(1, 3, 6)
    weights[0, 0, 0] = 1.0  # all but the certain ones are of class 0 beyond doubt
    penalty, vectors = torch.tensor([1e-4], dtype=torch.float64), torch.from_numpy(random.normal(size=(1, 3, 6)))
    sampled, whole = Blocks(problem), Blocks(problem)
    for blocks, rows in ((sampled, 500), (whole, 6000)):
        monkeypatch.setattr(precondition, "LEAST", rows)
        blocks.refresh(weights, penalty)
    ratio = torch.linalg.eigvals(torch.linalg.solve(unpacked(whole), unpacked(sampled))).real
    assert ratio.min() > 0.6
    assert ratio.max() < 1.6
    assert not torch.equal(sampled(vectors), whole(vectors))  # it was a sample


@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_directions_that_are_alike_are_positive(seed: int) -> None:
    """Products in float32 leave such blocks less than nothing, until enough is added to their diagonal."""
    features = np.random.default_rng(seed).normal(size=(6000, 5)).astype(np.float32)
    features[:, 0] = 8.0  # as the intercept
    blocks = Blocks(Problem(Design(torch.from_numpy(features)), torch.zeros(6000, dtype=torch.int64), 3))
    blocks.refresh(torch.zeros(1, 3, 6), torch.tensor([1e-4], dtype=torch.float64))
    assert torch.linalg.eigvalsh(unpacked(blocks)).min() > 0


def test_blocks_are_finite_where_nothing_is_in_doubt() -> None:
    """The intercept has no curvature then, and no penalty either."""
    features = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    blocks = Blocks(Problem(Design(torch.from_numpy(features)), torch.from_numpy((features[:, 0] > 0).astype(int)), 2))
    weights = torch.zeros(1, 2, 6)
    weights[0, 1, 0] = 1e6
    blocks.refresh(weights, torch.tensor([1e-6], dtype=torch.float64))
    assert blocks(torch.ones(1, 2, 6, dtype=torch.float64)).isfinite().all()


@pytest.mark.parametrize("at", [10**-4.5, 10**-2.5, 10**-7.0])
@pytest.mark.parametrize("kind", ["separate", "quadratic"])
def test_starts_follow_the_law_of_the_loss(kind: str, at: float) -> None:
    """Where classes separate, weights stay and curvature falls with the penalty; of a quadratic loss, it stays."""
    random = np.random.default_rng(0)
    path = LogisticPath(random.normal(size=(90, 4)).astype(np.float32), np.arange(90) % 3, 3)
    pulled = torch.from_numpy(random.normal(size=(3, 5)))

    def solved(penalty: float) -> Solved:
        curvature = torch.full((3,), 0.2 if kind == "quadratic" else penalty / 90, dtype=torch.float64)
        diagonal = path._diagonal(curvature[None], torch.tensor([penalty]))[0]
        weights = pulled if kind == "separate" else pulled / diagonal
        raw = (part.numpy() for part in path.basis.weights(weights))
        return Solved(Fit(penalty, *raw, 0.0, 0.0, 0.0, True), curvature, torch.tensor(0.5))

    path._solved = {float(10**-i): solved(float(10**-i)) for i in range(2, 7)}
    wanted = solved(at).fit
    np.testing.assert_allclose(
        path._start(at).weights, path.basis.solution(wanted.weights, wanted.intercept), rtol=1e-6
    )
