"""The solver: scikit-learn's optimum in float64 to a tight tolerance, on easy and nasty problems."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bench.errors import BenchError
from bench.logistic import LogisticPath, objective
from bench.logistic.precondition import Blocks

PENALTIES = [float(10.0**i) for i in range(-6, 7, 2)]


def clouds(count: int, dim: int, classes: int, *, apart: float, decay: float = 0.0, seed: int = 0):  # type: ignore[no-untyped-def]
    """Overlapping or separate clouds; with `decay`, the directions' sizes fall by that many decades."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    features = apart * random.normal(size=(classes, dim))[labels] + random.normal(size=(count, dim))
    turn, _ = np.linalg.qr(random.normal(size=(dim, dim)))
    return (features * np.logspace(0, -decay, dim) @ turn + 3.0).astype(np.float32), labels


def value(fit_weights, intercept, features, labels, penalty):  # type: ignore[no-untyped-def]
    """The objective written plainly."""
    logits = features.astype(np.float64) @ fit_weights.T + intercept
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    against = logits - logits[np.arange(len(labels)), labels][:, None]
    against[np.arange(len(labels)), labels] = -np.inf
    others = np.logaddexp.reduce(against, axis=1)
    return np.logaddexp(0, others).sum() + penalty / 2 * (fit_weights**2).sum()


def predicted(logits: np.ndarray) -> np.ndarray:
    return logits.argmax(axis=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)


def newton(weights, intercept, features, labels, penalty, *, most=1000):  # type: ignore[no-untyped-def]
    """Newton's method written plainly, from scikit-learn's answer on: it stops early where classes separate."""
    x = np.concatenate([features.astype(np.float64), np.ones((len(features), 1))], axis=1)
    at = np.concatenate([weights, intercept[:, None]], axis=1)
    if at.size > most:
        return weights, intercept
    ridge = np.tile(np.append(np.full(x.shape[1] - 1, penalty), 0.0), len(at))
    best = value(weights, intercept, features, labels, penalty)
    for _ in range(50):
        logits = x @ at.T if len(at) > 1 else np.concatenate([np.zeros((len(x), 1)), x @ at.T], axis=1)
        p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        error = p - np.eye(p.shape[1])[labels]
        error[np.arange(len(x)), labels] = -np.where(np.eye(p.shape[1])[labels] == 1, 0, p).sum(axis=1)
        p, error = p[:, -len(at) :], error[:, -len(at) :]
        gradient = (error.T @ x).ravel() + ridge * at.ravel()
        inner = np.einsum("nj,jk->njk", p, np.eye(len(at))) - np.einsum("nj,nk->njk", p, p)
        hessian = np.einsum("njk,nd,ne->jdke", inner, x, x, optimize=True).reshape(at.size, at.size) + np.diag(ridge)
        step = np.linalg.lstsq(hessian, -gradient, rcond=1e-15)[0].reshape(at.shape)
        trial = at + step
        lower = value(trial[:, :-1], trial[:, -1], features, labels, penalty)
        if not lower < best:
            break
        at, best = trial, lower
    return at[:, :-1], at[:, -1]


def check_against_sklearn(features, labels, classes, penalties, unseen, *, solver="newton-cholesky", tight=1e-10):  # type: ignore[no-untyped-def]
    fits = LogisticPath(features, labels, classes).solve(penalties)
    for fit in fits:
        peer = LogisticRegression(C=1 / fit.penalty, solver=solver, tol=tight, max_iter=1000)
        peer.fit(features.astype(np.float64), labels)
        ours = value(fit.weights, fit.intercept, features, labels, fit.penalty)
        theirs = value(
            *newton(peer.coef_, peer.intercept_, features, labels, fit.penalty), features, labels, fit.penalty
        )
        assert fit.converged
        assert ours == pytest.approx(theirs, rel=1e-6), fit.penalty
        assert fit.objective == pytest.approx(ours, rel=1e-6)
        agree = (predicted(fit.logits(unseen)) == peer.predict(unseen.astype(np.float64))).mean()
        assert agree >= 0.999, (fit.penalty, agree)


PROBLEMS = {
    "overlapping": {"count": 1000, "dim": 24, "classes": 5, "apart": 0.3},
    "two classes": {"count": 600, "dim": 24, "classes": 2, "apart": 0.2},
    "100 classes": {"count": 1500, "dim": 6, "classes": 100, "apart": 1.0},
    "many classes": {"count": 1000, "dim": 10, "classes": 25, "apart": 0.8},
    "ill-conditioned": {"count": 800, "dim": 16, "classes": 4, "apart": 0.4, "decay": 3.0},
    "separable": {"count": 200, "dim": 16, "classes": 4, "apart": 3.0},
    "fewer rows than columns": {"count": 30, "dim": 60, "classes": 3, "apart": 0.5},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # their line search ends at rounding
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "100 classes" else name for name in PROBLEMS]
)
def test_the_optimum_is_scikit_learns(name: str) -> None:
    facts = PROBLEMS[name]
    features, labels = clouds(**facts)  # type: ignore[arg-type]
    unseen, _ = clouds(**facts | {"count": 2000, "seed": 0})  # type: ignore[arg-type]
    check_against_sklearn(features, labels, facts["classes"], PENALTIES, unseen)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["fashion_mnist", "digits"])
def test_the_optimum_is_scikit_learns_on_real_features(name: str) -> None:
    import bench
    import tasks
    from bench.model.clip.encoder import ClipEncoder

    encoder = bench.load_model("bundled", device="cpu")
    assert isinstance(encoder, ClipEncoder)
    samples = tasks.select(name)[0].samples().draw(500)
    features = encoder.penultimate(samples.images)
    penalties = [1e-2, 1.0, 1e2, 1e4]
    check_against_sklearn(features[:250], samples.labels[:250], 10, penalties, features[250:], solver="newton-cg",
                          tight=1e-9)  # fmt: skip


def test_several_labels_are_one_problem_each() -> None:
    features, first = clouds(300, 8, 2, apart=0.4)
    labels = np.stack([first == 1, features[:, 0] > 3.2, np.arange(300) % 7 == 0], axis=1)
    for fit in LogisticPath(features, labels, 3).solve([1e-2, 1.0, 100.0]):
        for column in range(3):
            peer = LogisticRegression(C=1 / fit.penalty, solver="newton-cholesky", tol=1e-12, max_iter=1000)
            peer.fit(features.astype(np.float64), labels[:, column])
            np.testing.assert_allclose(fit.weights[column], peer.coef_[0], rtol=0.02, atol=2e-3)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clouds(900, 10, 3, apart=0.5)
    whole = LogisticPath(features, labels, 3).solve([1.0])[0]
    monkeypatch.setattr(objective, "ROWS", 256)
    parts = LogisticPath(features, labels, 3).solve([1.0])[0]
    assert parts.objective == pytest.approx(whole.objective, rel=1e-6)


def test_a_path_in_levels_ends_where_a_single_fit_does() -> None:
    features, labels = clouds(400, 12, 3, apart=0.5)
    path = LogisticPath(features, labels, 3)
    path.solve([1e-4, 1e-2, 1.0, 1e2])
    before = path.used
    warm = path.solve([1e-3, 0.1, 10.0])
    passes = path.used - before
    lone = [LogisticPath(features, labels, 3).solve([one.penalty])[0] for one in warm]
    assert [one.penalty for one in warm] == [1e-3, 0.1, 10.0]
    for a, b in zip(warm, lone, strict=True):
        assert a.objective == pytest.approx(b.objective, rel=1e-6)
    cold = LogisticPath(features, labels, 3)
    cold.solve([1e-3, 0.1, 10.0])
    assert passes < cold.used


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_what_lockstep_leaves_is_solved_alone(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lockstep is cut after two passes, so that blocks do the work: the same optimum, and every fit says it is one."""
    classes = 3 if kind == "softmax" else 2
    features, labels = clouds(150, 12, classes, apart=0.8, decay=2.0)
    monkeypatch.setattr("bench.logistic.path.EASY", 2)
    used: list[float] = []
    refresh = Blocks.refresh
    monkeypatch.setattr(Blocks, "refresh", lambda *args: (used.append(float(args[2])), refresh(*args))[1])
    fits = LogisticPath(features, labels, classes).solve(PENALTIES)
    assert len(set(used)) >= 5
    assert all(fit.converged for fit in fits)
    for fit in fits:
        peer = LogisticRegression(C=1 / fit.penalty, tol=1e-10, max_iter=1000, solver="newton-cholesky")
        peer.fit(features.astype(np.float64), labels)
        best = value(*newton(peer.coef_, peer.intercept_, features, labels, fit.penalty), features, labels, fit.penalty)
        assert value(fit.weights, fit.intercept, features, labels, fit.penalty) <= best * (1 + 1e-6)


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("classes", [2, 6])
def test_features_as_they_are_end_where_a_rotated_copy_does(
    classes: int, blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly as rough as features may be before they are copied, and separate: what float32 has most trouble with."""
    if blocks:
        monkeypatch.setattr("bench.logistic.path.EASY", 3)
    features, labels = clouds(200, 12, classes, apart=0.9, decay=1.5)
    features += np.float32(4.0)
    paths = [LogisticPath(features, labels, classes)]
    monkeypatch.setattr("bench.logistic.basis.ROUGH", 0.0)
    paths.append(LogisticPath(features, labels, classes))
    assert [path.problem.design.basis is None for path in paths] == [False, True]
    for plain, copied in zip(*(path.solve(PENALTIES) for path in paths), strict=True):
        assert plain.converged
        assert copied.converged
        assert plain.objective == pytest.approx(copied.objective, rel=1e-6)


@pytest.mark.parametrize("blocks", [False, True])
def test_the_whole_path_of_separate_classes_is_solved(blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a class, as a few-shot draw has: weak penalties leave float32 no curvature, least of the intercept."""
    features, labels = clouds(60, 64, 2, apart=0.0)[0], np.arange(60) % 30
    if blocks:
        monkeypatch.setattr("bench.logistic.path.EASY", 1)
    fits = LogisticPath(features, labels, 30).solve([float(10 ** (i / 8)) for i in range(-48, 49)])
    assert all(fit.converged and np.isfinite(fit.weights).all() for fit in fits)
    for fit in fits[::12]:
        alone = value(fit.weights, fit.intercept, features, labels, fit.penalty)
        assert alone == pytest.approx(fit.objective, rel=1e-6)
        peer = LogisticRegression(C=1 / fit.penalty, tol=1e-10, max_iter=5000).fit(features.astype(np.float64), labels)
        assert alone <= value(peer.coef_, peer.intercept_, features, labels, fit.penalty) * (1 + 1e-6)


def test_a_fit_that_did_not_end_says_so() -> None:
    features, labels = clouds(200, 16, 4, apart=3.0)
    fit = LogisticPath(features, labels, 4, passes=2).solve([1e-6])[0]
    assert not fit.converged
    assert fit.gap > 1e-7 * fit.objective


def test_an_offset_is_kept_where_the_penalty_is_strong() -> None:
    features, labels = clouds(90, 5, 3, apart=0.5)
    offset = 4 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(90, 3))
    fit = LogisticPath(features, labels, 3, offset=offset).solve([1e9])[0]
    assert np.abs(fit.weights).max() < 1e-5


def test_an_offset_that_leaves_no_doubt_is_kept() -> None:
    """Shares of e^-100 are not computed with: a floor instead of them, which has no slope, was run away from."""
    features = np.maximum(np.eye(3)[[0, 2, 0, 1, 1, 2]], 3.92e-6)
    fit = LogisticPath(features, features.argmax(1), 3, offset=100 * features, intercept=False).solve([1.0])[0]
    assert fit.converged
    assert np.abs(fit.weights).max() < 1e-5


def test_constant_features_and_memory_maps(tmp_path) -> None:  # type: ignore[no-untyped-def]
    features, labels = clouds(120, 6, 3, apart=0.5)
    features[:, 2] = 5.0
    np.save(tmp_path / "x.npy", features)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    fit = LogisticPath(mapped, labels, 3).solve([1.0])[0]
    assert fit.converged
    assert np.abs(fit.weights[:, 2]).max() < 1e-6
    shares = np.bincount(labels) / 120
    blind = LogisticPath(np.ones((120, 6), np.float32), labels, 3).solve([1.0])[0]
    assert blind.objective == pytest.approx(-(shares * np.log(shares)).sum() * 120, rel=1e-6)


def test_one_class_cannot_be_learnt() -> None:
    with pytest.raises(BenchError, match="at least two classes"):
        LogisticPath(np.ones((5, 2), np.float32), np.zeros(5, np.int64), 3)


@pytest.mark.gpu
def test_a_gpu_finds_the_same_optimum() -> None:
    features, labels = clouds(4000, 64, 12, apart=0.3, decay=2.0)
    plain = LogisticPath(features, labels, 12).solve(PENALTIES)
    found = LogisticPath(features, labels, 12, device="cuda").solve(PENALTIES)
    for one, other in zip(found, plain, strict=True):
        assert one.converged
        assert one.objective == pytest.approx(other.objective, rel=1e-6)
        assert (predicted(one.logits(features)) == predicted(other.logits(features))).mean() > 0.999
