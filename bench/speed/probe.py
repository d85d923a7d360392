"""The probe's solver against scikit-learn's `LogisticRegression` over the path of 97 penalties, in one process.

    python -m bench.speed.probe --rows 50000 --dim 512 --classes 10 --peer lbfgs newton-cg --sampled 3

Synthetic features: overlapping clouds, one a class. We solve all 97 penalties; scikit-learn takes too long, so it
solves `--sampled` of them spread evenly, in float32 as given, at the tolerance 2e-5 (on the mean loss), and its time
for the path is the trapezoid through them in log penalty: an extrapolation, said in the output. Our time holds
everything from the raw features on, but not the import of torch. `--first peer` swaps the order. Objectives are
computed alike for both, in float64. Seconds are those of the processor, so that a busy machine does not disturb them;
set OMP_NUM_THREADS=1, since threads that wait count too.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
import warnings

import numpy as np

PENALTIES = tuple(float(10 ** (i / 8)) for i in range(-48, 49))
LEVELS = (16, 8, 4, 2, 1)


def features_of(rows: int, dim: int, classes: int, *, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """float32 [row, dim] in overlapping clouds whose directions fall in size by one decade, and int64 [row]."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, dim)).astype(np.float32) * np.float32(apart)
    labels = random.integers(0, classes, rows)
    features = random.normal(size=(rows, dim)).astype(np.float32) + centres[labels]
    return features * np.logspace(0, -1, dim, dtype=np.float32), labels


def ours(features: np.ndarray, labels: np.ndarray, classes: int) -> tuple[float, dict[float, float], int, int]:
    """Processor seconds, objective of each penalty, fits that did not converge, passes over the features."""
    from bench.logistic import Fit, LogisticPath

    began = time.process_time()
    path = LogisticPath(features, labels, classes)
    fits: dict[float, Fit] = {}
    for level in LEVELS:
        wanted = [one for one in PENALTIES[::level] if one not in fits]
        fits |= {fit.penalty: fit for fit in path.solve(wanted, keep=level > 1)}
    seconds = time.process_time() - began
    values = {one: objective(fit.weights, fit.intercept, features, labels, one) for one, fit in fits.items()}
    return seconds, values, sum(not fit.converged for fit in fits.values()), path.used


def peer(
    solver: str, features: np.ndarray, labels: np.ndarray, penalties: list[float]
) -> tuple[dict[float, float], dict[float, float]]:
    """Processor seconds and objective of scikit-learn at each penalty."""
    from sklearn.linear_model import LogisticRegression

    seconds, values = {}, {}
    for one in penalties:
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = LogisticRegression(C=1 / one, solver=solver, tol=2e-5, max_iter=1000).fit(features, labels)
        seconds[one] = time.process_time() - began
        values[one] = objective(found.coef_, found.intercept_, features, labels, one)
    return seconds, values


def objective(weights: np.ndarray, intercept: np.ndarray, features: np.ndarray, labels: np.ndarray, penalty: float
              ) -> float:  # fmt: skip
    """Sum of log-losses + penalty / 2 x |weights|^2 in float64, in blocks."""
    total = penalty / 2 * float((weights.astype(np.float64) ** 2).sum())
    for start in range(0, len(features), 8192):
        block = features[start : start + 8192].astype(np.float64)
        logits = block @ weights.T.astype(np.float64) + intercept
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        rows, own = np.arange(len(block)), labels[start : start + 8192]
        total += float((np.logaddexp.reduce(logits, axis=1) - logits[rows, own]).sum())
    return total


def over_path(seconds: dict[float, float]) -> float:
    """Time of all penalties from that of some: their mean by trapezoids in log penalty, times their number."""
    at = sorted(seconds)
    if len(at) == 1:
        return len(PENALTIES) * seconds[at[0]]
    places, values = np.log(at), np.array([seconds[one] for one in at])
    mean = float(((values[1:] + values[:-1]) / 2 * np.diff(places)).sum() / (places[-1] - places[0]))
    return len(PENALTIES) * mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--apart", type=float, default=0.12)
    parser.add_argument("--peer", nargs="*", default=["newton-cg"], help="scikit-learn's solvers; none for us alone")
    parser.add_argument("--sampled", type=int, default=3, help="penalties that scikit-learn solves")
    parser.add_argument("--first", choices=("ours", "peer"), default="ours")
    given = parser.parse_args()
    features, labels = features_of(given.rows, given.dim, given.classes, apart=given.apart)
    picked = [PENALTIES[round(i)] for i in np.linspace(0, 96, given.sampled)]
    peers = {}
    if given.first == "peer":
        peers = {solver: peer(solver, features, labels, picked) for solver in given.peer}
    import bench.logistic  # noqa: F401  # its import is neither our time nor our memory

    before = _peak()
    seconds, values, open_, passes = ours(features, labels, given.classes)
    print(json.dumps({"ours": {
        "seconds": round(seconds, 2), "penalties": len(values), "not converged": open_, "passes": passes,
        "peak MiB above before": round(_peak() - before),
    }}), flush=True)  # fmt: skip
    for solver in given.peer:
        times, theirs = peers.get(solver) or peer(solver, features, labels, picked)
        whole = over_path(times)
        print(json.dumps({solver: {
            "seconds at": {f"{one:.0e}": round(times[one], 2) for one in picked},
            "seconds of the path, extrapolated": round(whole, 1), "times slower": round(whole / seconds, 1),
            "objective above ours": {f"{one:.0e}": f"{theirs[one] / values[one] - 1:.1e}" for one in picked},
        }}), flush=True)  # fmt: skip


def _peak() -> float:
    """MiB of memory at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
