"""Who is timed in `bench.speed.probe`, and on what. Each takes features and labels and gives its fits.

Synthetic features: `embeddings` are as skew as those of an encoder (the standard deviation of the i-th direction falls
like i^-0.8, about four decades of variance over 512; the bundled model's on CIFAR-10 fall by more; their mean is twice
as long as their spread, and directions are mixed); `clouds` are easy: one decade of size, no mean, axes apart.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

APART = {"embeddings": 0.137, "clouds": 0.12}
"""Of the centres, in standard deviations of each direction: 0.137 lets ten classes be told apart to about 94 %."""
TOLERANCE = 2e-5
"""Of scikit-learn: largest entry of the mean loss's gradient."""
ITERATIONS = 1000
MANY = 20_000
"""Iterations at most where it is to come as near as we do."""
TIGHTEST = 1e-10


class Data(NamedTuple):
    """float32 [row, dim] and int64 [row] below `classes`."""

    features: np.ndarray
    labels: np.ndarray
    classes: int


class Fitted(NamedTuple):
    """Weights [column, dim], intercept [column]; wall and processor seconds it took."""

    weights: np.ndarray
    intercept: np.ndarray
    wall: float
    processor: float


class Path97(NamedTuple):
    """Our fits by penalty, seconds of all together, passes over the features and how many did not converge."""

    fits: dict[float, tuple[np.ndarray, np.ndarray]]
    wall: float
    processor: float
    passes: int
    open: int


def make(kind: str, rows: int, dim: int, classes: int, *, seed: int = 0) -> Data:
    """Synthetic data, or a file .npz with `features` and `labels`, of which the first `rows` are taken."""
    if kind not in APART:
        with np.load(Path(kind)) as file:
            labels = file["labels"][:rows].astype(np.int64)
            return Data(np.ascontiguousarray(file["features"][:rows], np.float32), labels, int(labels.max()) + 1)
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    features = random.standard_normal((rows, dim), dtype=np.float32)
    features += np.float32(APART[kind]) * random.standard_normal((classes, dim), dtype=np.float32)[labels]
    if kind == "clouds":
        features *= np.logspace(0, -1, dim, dtype=np.float32)
        return Data(features, labels, classes)
    sizes = np.arange(1, dim + 1) ** -0.8
    turn, _ = np.linalg.qr(random.standard_normal((dim, dim)))
    features = features @ (sizes[:, None] * turn).astype(np.float32)
    centre = random.standard_normal(dim)
    features += (2 * np.linalg.norm(sizes) / np.linalg.norm(centre) * centre).astype(np.float32)
    features *= np.float32(np.sqrt(dim) / np.linalg.norm(features[:1000], axis=1).mean())
    return Data(features, labels, classes)


def ours(data: Data, penalties: Sequence[float]) -> Path97:
    """The whole path, from the raw features on."""
    from bench.logistic import LogisticPath

    wall, processor = time.perf_counter(), time.process_time()
    path = LogisticPath(data.features, data.labels, data.classes)
    fits = path.solve(penalties)
    took = time.perf_counter() - wall, time.process_time() - processor
    found = {fit.penalty: (fit.weights, fit.intercept) for fit in fits}
    return Path97(found, *took, path.used, sum(not fit.converged for fit in fits))


def scikit_learn(
    data: Data, penalty: float, *, solver: str, tolerance: float = TOLERANCE, iterations: int = ITERATIONS
) -> Fitted:
    """One penalty by `LogisticRegression`, on float32 as given."""
    from sklearn.linear_model import LogisticRegression

    wall, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=1 / penalty, solver=solver, tol=tolerance, max_iter=iterations)
        model.fit(data.features, data.labels)
    return Fitted(model.coef_, model.intercept_, time.perf_counter() - wall, time.process_time() - processor)


def close(data: Data, penalty: float, best: float, *, solver: str, within: float) -> tuple[Fitted, float]:
    """scikit-learn with the loosest of its tolerances that comes so near to the best objective: that fit, and which.

    Tenths of TOLERANCE are tried; the search costs it nothing. If none does, the fit is the last one: at TIGHTEST, or
    when another tenth took no longer and came no nearer, since float32 gives no more.
    """
    tolerance, last = TOLERANCE, None
    while True:
        found = scikit_learn(data, penalty, solver=solver, tolerance=tolerance, iterations=MANY)
        above = objective(found.weights, found.intercept, data, penalty) / best - 1
        if above <= within or tolerance < TIGHTEST or above == last:
            return found, tolerance
        tolerance, last = tolerance / 10, above


def clip_benchmark(data: Data, *, epochs: int = 10, batch: int = 64, rate: float = 0.1, seed: int = 0) -> Fitted:
    """The probe of clip_benchmark 1.6.2 by its settings, written anew: its own needs CUDA.

    AdamW without weight decay (its default without a validation split), learning rate 0.1 by a cosine to 0 over ten
    epochs of batches of 64, a linear layer on features of unit length. One training, where its sweep does about 20.
    """
    import torch

    wall, processor = time.perf_counter(), time.process_time()
    torch.manual_seed(seed)
    features = torch.from_numpy(data.features / np.linalg.norm(data.features, axis=1, keepdims=True))
    labels = torch.from_numpy(data.labels)
    layer = torch.nn.Linear(features.shape[1], data.classes)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=rate, weight_decay=0.0)
    steps = epochs * -(-len(labels) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(labels)), batch):
            loss = torch.nn.functional.cross_entropy(layer(features[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    weights, intercept = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
    return Fitted(weights, intercept, time.perf_counter() - wall, time.process_time() - processor)


def objective(weights: np.ndarray, intercept: np.ndarray, data: Data, penalty: float) -> float:
    """Sum of log-losses + penalty / 2 x |weights|^2 in float64, in blocks; the same code for all."""
    total = penalty / 2 * float((weights.astype(np.float64) ** 2).sum())
    for start in range(0, len(data.features), 8192):
        logits = data.features[start : start + 8192].astype(np.float64) @ weights.T.astype(np.float64) + intercept
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        rows, own = np.arange(len(logits)), data.labels[start : start + 8192]
        total += float((np.logaddexp.reduce(logits, axis=1) - logits[rows, own]).sum())
    return total


def accuracy(weights: np.ndarray, intercept: np.ndarray, data: Data) -> float:
    """Share of rows whose best class is theirs."""
    return float(((data.features @ weights.T + intercept).argmax(axis=1) == data.labels).mean())
