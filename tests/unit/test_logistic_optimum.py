"""The optimum over the whole range of penalties, on five problems, against independent optimisers in float64.

Each of our answers is polished by scipy's L-BFGS in float64 on features rotated and scaled by the test itself: the
problem is convex, so what it cannot lower is the optimum. Where scikit-learn gets there from nothing, it must agree.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from bench.logistic import LogisticPath
from tests.unit.test_logistic import clouds, predicted, value

DECADES = [float(10.0**i) for i in range(-6, 7)]


def polished(fit, features, labels, penalty, *, most: int):  # type: ignore[no-untyped-def]
    """Weights and intercept by L-BFGS in float64 from ours on, on an orthonormal basis with equal curvatures."""
    x = features.astype(np.float64)
    centre = x.mean(axis=0)
    _, sizes, rows = np.linalg.svd(x - centre, full_matrices=False)
    rows = rows[sizes > 1e-10 * sizes[0]]
    turned = (x - centre) @ rows.T
    columns, dim = len(fit.weights), len(rows)
    logits = x @ fit.weights.T + fit.intercept
    shares = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    scale = 1 / np.sqrt(np.maximum((shares * (1 - shares)).sum(0), 1e-12)[:, None] * turned.var(axis=0) + penalty)
    own = np.eye(columns)[labels]

    def cost(flat):  # type: ignore[no-untyped-def]
        weights, bias = flat[: columns * dim].reshape(columns, dim) * scale, flat[columns * dim :]
        z = turned @ weights.T + bias
        own_z = z[np.arange(len(z)), labels][:, None]
        against = np.where(own == 1, -np.inf, z - own_z)
        others = np.logaddexp.reduce(against, axis=1)
        error = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
        error = np.where(own == 1, 0, error)
        error = error - own * error.sum(axis=1, keepdims=True)
        slope = (error.T @ turned + penalty * weights) * scale
        total = np.logaddexp(0, others).sum() + penalty / 2 * (weights**2).sum()
        return total, np.concatenate([slope.ravel(), error.sum(axis=0)])

    begin = np.concatenate([((fit.weights @ rows.T) / scale).ravel(), fit.intercept + fit.weights @ centre])
    found = minimize(cost, begin, jac=True, method="L-BFGS-B",
                     options={"maxiter": most, "gtol": 1e-14, "ftol": 1e-16, "maxcor": 30})  # fmt: skip
    weights = (found.x[: columns * dim].reshape(columns, dim) * scale) @ rows
    return weights, found.x[columns * dim :] - weights @ centre


def check(features, labels, classes, unseen, penalties, *, most=300):  # type: ignore[no-untyped-def]
    for fit in LogisticPath(features, labels, classes).solve(penalties):
        weights, intercept = polished(fit, features, labels, fit.penalty, most=most)
        best = value(weights, intercept, features, labels, fit.penalty)
        ours = value(fit.weights, fit.intercept, features, labels, fit.penalty)
        assert fit.converged, fit.penalty
        assert ours - best <= 1e-6 * best, (fit.penalty, ours / best - 1)
        agree = predicted(fit.logits(unseen)) == predicted(unseen @ weights.T + intercept)
        assert agree.mean() >= 0.999, (fit.penalty, agree.mean())


def made(name: str, count: int):  # type: ignore[no-untyped-def]
    """Features and labels to fit, and features to predict, with the number of classes."""
    facts = {
        "100 classes": {"dim": 48, "classes": 100, "apart": 0.6},
        "ill-conditioned": {"dim": 32, "classes": 5, "apart": 0.3, "decay": 3.0},
        "separable": {"dim": 48, "classes": 5, "apart": 1.5},
    }[name]
    features, labels = clouds(count=count + 2000, **facts)  # type: ignore[arg-type]
    return features[:count], labels[:count], facts["classes"], features[count:]


@pytest.mark.parametrize("name", ["100 classes", "ill-conditioned", "separable"])
def test_nothing_is_lower(name: str) -> None:
    features, labels, classes, unseen = made(name, 500)
    check(features, labels, classes, unseen, DECADES[::4], most=100)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["100 classes", "ill-conditioned", "separable"])
def test_nothing_is_lower_over_the_whole_range(name: str) -> None:
    features, labels, classes, unseen = made(name, 3000)
    check(features, labels, classes, unseen, DECADES, most=500)


def check_from_nothing(features, labels, classes, unseen):  # type: ignore[no-untyped-def]
    """Against scikit-learn's Newton with Cholesky factors, from nothing, in float64, on the rows' own directions.

    Under weak penalties its line search ends at rounding, above the optimum; elsewhere both must be as low.
    """
    x = features.astype(np.float64)
    centre = x.mean(axis=0)
    _, sizes, rows = np.linalg.svd(x - centre, full_matrices=False)
    rows = rows[sizes > 1e-10 * sizes[0]]
    alike = 0
    for fit in LogisticPath(features, labels, classes).solve(DECADES):
        peer = LogisticRegression(C=1 / fit.penalty, solver="newton-cholesky", tol=1e-9, max_iter=200)
        peer.fit((x - centre) @ rows.T, labels)
        weights = peer.coef_ @ rows
        theirs = value(weights, peer.intercept_ - weights @ centre, features, labels, fit.penalty)
        ours = value(fit.weights, fit.intercept, features, labels, fit.penalty)
        assert fit.converged, fit.penalty
        assert ours <= theirs * (1 + 1e-6), (fit.penalty, ours / theirs - 1)
        if theirs <= ours * (1 + 1e-6):
            alike += 1
            agree = predicted(fit.logits(unseen)) == peer.predict((unseen - centre) @ rows.T)
            assert agree.mean() >= 0.999, (fit.penalty, agree.mean())
    assert alike >= 9, alike


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_scikit_learn_agrees_over_the_whole_range_on_real_features() -> None:
    features, labels = fashion_mnist()
    check_from_nothing(features[:200], labels[:200], 10, features[1000:])


@pytest.mark.slow
def test_nothing_is_lower_on_real_features() -> None:
    """Fashion-MNIST; CIFAR-10, which is no part of the package, is in tests/realdata."""
    features, labels = fashion_mnist()
    check(features[:1000], labels[:1000], 10, features[1000:], DECADES, most=500)


def fashion_mnist():  # type: ignore[no-untyped-def]
    """Features of the bundled model before the projection, and labels."""
    import bench
    import tasks
    from bench.model.clip.encoder import ClipEncoder

    encoder = bench.load_model("bundled", device="cpu")
    assert isinstance(encoder, ClipEncoder)
    samples = tasks.select("fashion_mnist")[0].samples()
    return encoder.penultimate(samples.images), samples.labels


def test_scikit_learn_from_nothing_agrees() -> None:
    features, labels = clouds(800, 24, 5, apart=0.3)
    for fit in LogisticPath(features, labels, 5).solve([1e-2, 1.0, 1e2, 1e4]):
        peer = LogisticRegression(C=1 / fit.penalty, tol=1e-9, max_iter=5000).fit(features.astype(float), labels)
        theirs = value(peer.coef_, peer.intercept_, features, labels, fit.penalty)
        assert fit.objective == pytest.approx(theirs, rel=1e-6)
