"""The probe's solver against its peers, side by side in one process, in both orders.

    python -m bench.speed.probe                                     50,000 x 512 x 10
    python -m bench.speed.probe --rows 20000 --classes 100          20,000 x 512 x 100
    python -m bench.speed.probe --data clouds --sampled 5           easier data; features.npz: your own
    python -m bench.speed.probe --within 1e-6                       peers must come as near to the optimum
    python -m bench.speed.probe --peers clip_benchmark              time and accuracy on rows held out

We solve all 97 penalties. scikit-learn would take hours, so it solves `--sampled` of them, evenly spread from the
strongest to the weakest, or those named by `--at`; the others are taken to last as long as a line through them in log
penalty says, and as the nearest beyond their ends: **an extrapolation**, said in the output (`--sampled 97` measures it
all). scikit-learn's tolerance is 2e-5 at all penalties, where it ends up to half above the optimum; `--within` gives it
the loosest tolerance that is near enough, of each penalty its own, and counts that fit alone. Weak penalties take it
longest, so leaving out the weakest favours it, and so do its 1,000 iterations, which end some fits early. Times are
from the raw features on, without imports. Each round swaps the order. On a busy machine read the processor's seconds,
with `--threads 1`.
Objectives are computed alike for all, in float64. Memory is that of a process of its own for each contender: at its
peak, and above what it had once the data were there and the library was imported. Each holds the 97 answers of a path;
scikit-learn, which solves one penalty here, holds as many arrays as it would.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.speed import contenders
from bench.speed.contenders import Data, Fitted, Path97

PENALTIES = tuple(float(10 ** (i / 8)) for i in range(-48, 49))
SOLVERS = ("lbfgs", "newton-cg")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="embeddings", help="embeddings, clouds or a file .npz")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--peers", nargs="*", default=list(SOLVERS), choices=[*SOLVERS, "clip_benchmark"])
    parser.add_argument("--sampled", type=int, default=5, help="penalties that scikit-learn solves")
    parser.add_argument("--at", type=float, nargs="*", help="the penalties themselves, instead")
    parser.add_argument("--within", type=float, help="of the optimum, as a share of it, that peers must come")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--first", choices=("ours", "peers"), default="ours", help="who begins the first round")
    parser.add_argument("--threads", type=int, default=2, help="of each contender")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    torch.set_num_threads(given.threads)
    with threadpool_limits(given.threads):
        if given.alone:
            say(alone(given))
        elif given.memory:
            for name in ("ours", *given.peers):
                say({name: apart(given, name)})
        elif "clip_benchmark" in given.peers:
            say(against_clip_benchmark(contenders.make(given.data, given.rows, given.dim, given.classes)))
        else:
            compare(given)


def compare(given: argparse.Namespace) -> None:
    """Rounds of all contenders, then the ratios with their spread."""
    data = contenders.make(given.data, given.rows, given.dim, given.classes)
    spread = np.linspace(96, 0, given.sampled) if given.at is None else 48 + 8 * np.log10(given.at)
    picked = [PENALTIES[round(i)] for i in spread]
    runs: dict[str, list[Any]] = {name: [] for name in ("ours", *given.peers)}
    tolerances: dict[str, dict[float, float]] = {}

    def optimum() -> dict[float, float]:
        fits = runs["ours"][0].fits
        return {one: contenders.objective(fits[one][0], fits[one][1], data, one) for one in picked}

    for number in range(given.rounds):
        order = list(runs) if (number % 2 == 0) == (given.first == "ours") else list(runs)[::-1]
        for name in order:
            if name == "ours" or given.within is None:
                runs[name].append(run(name, data, picked))
            else:
                runs[name].append(near(name, data, optimum(), given.within, tolerances.setdefault(name, {})))
            say({"round": number + 1, name: told(runs[name][-1])})
    values = optimum()
    for name in given.peers:
        say({name: ratios(runs["ours"], runs[name], picked, data, values)})


def run(name: str, data: Data, picked: list[float]) -> Any:
    if name == "ours":
        return contenders.ours(data, PENALTIES)
    return {one: contenders.scikit_learn(data, one, solver=name) for one in picked}


def near(
    name: str, data: Data, best: dict[float, float], within: float, tolerances: dict[float, float]
) -> dict[float, Fitted]:
    """A peer's fits that come near enough to the best objectives; the tolerances that took are learnt on the way."""
    fits: dict[float, Fitted] = {}
    for one, value in best.items():
        if one in tolerances:
            fits[one] = contenders.scikit_learn(data, one, solver=name, tolerance=tolerances[one],
                                                iterations=contenders.MANY)  # fmt: skip
        else:
            fits[one], tolerances[one] = contenders.close(data, one, value, solver=name, within=within)
    say({"tolerances": {f"{one:.0e}": f"{value:.0e}" for one, value in tolerances.items()}})
    return fits


def told(found: Any) -> dict[str, Any]:
    if isinstance(found, Path97):
        return {"penalties": len(found.fits), "wall s": round(found.wall, 2), "processor s": round(found.processor, 2),
                "passes": found.passes, "not converged": found.open}  # fmt: skip
    return {"wall s at": {f"{one:.0e}": round(fit.wall, 2) for one, fit in found.items()}}


def ratios(
    ours: list[Path97], peer: list[dict[float, Fitted]], picked: list[float], data: Data, values: dict[float, float]
) -> dict[str, Any]:
    """How many times slower the peer is over the path, of each round, by both clocks; and whose objective is lower."""
    answer: dict[str, Any] = {"extrapolated from penalties": len(picked)} if len(picked) < len(PENALTIES) else {}
    clocks: dict[str, Callable[[Any], float]] = {"wall": lambda one: one.wall, "processor": lambda one: one.processor}
    for clock, seconds in clocks.items():
        whole = [over_path({one: seconds(fit) for one, fit in fits.items()}) for fits in peer]
        times = [theirs / seconds(mine) for theirs, mine in zip(whole, ours, strict=True)]
        answer[f"{clock} s of the path"] = [round(one, 1) for one in whole]
        answer[f"times slower, {clock}"] = {"median": round(float(np.median(times)), 1),
                                            "from": round(min(times), 1), "to": round(max(times), 1)}  # fmt: skip
    above = {one: contenders.objective(fit.weights, fit.intercept, data, one) / values[one] - 1
             for one, fit in peer[-1].items()}  # fmt: skip
    return answer | {"objective above ours": {f"{one:.0e}": f"{value:.1e}" for one, value in above.items()}}


def over_path(seconds: dict[float, float]) -> float:
    """Seconds of all penalties from those of some, by a line in log penalty; as the nearest beyond the ends."""
    at = sorted(seconds)
    return float(np.interp(np.log(PENALTIES), np.log(at), [seconds[one] for one in at]).sum())


def against_clip_benchmark(data: Data) -> dict[str, Any]:
    """Time and accuracy on a fifth held out: our search over all penalties against one training of theirs."""
    held = len(data.labels) // 5
    seen = Data(data.features[held:], data.labels[held:], data.classes)
    unseen = Data(data.features[:held], data.labels[:held], data.classes)
    mine = contenders.ours(seen, PENALTIES)
    theirs = contenders.clip_benchmark(seen)
    scaled = unseen._replace(features=unseen.features / np.linalg.norm(unseen.features, axis=1, keepdims=True))
    by_penalty = {one: round(contenders.accuracy(*fit, unseen), 4) for one, fit in mine.fits.items()}
    trained = {"wall s of one training": round(theirs.wall, 1), "processor s": round(theirs.processor, 1),
               "accuracy": round(contenders.accuracy(theirs.weights, theirs.intercept, scaled), 4)}  # fmt: skip
    at = {"accuracy at lambda": {f"{one:.0e}": by_penalty[one] for one in PENALTIES[::8]}}
    return {"ours": told(mine) | at, "clip_benchmark's settings": trained}


def alone(given: argparse.Namespace) -> dict[str, float]:
    """Peak memory in MiB of this process, and above imports and data."""
    data = contenders.make(given.data, given.rows, given.dim, given.classes)
    small = Data(data.features[:200], np.arange(200) % data.classes, data.classes)
    found = run(given.alone, small, [1.0])  # imports what it imports
    before = _resident()
    _reset_peak()
    path = [] if given.alone == "ours" else [np.ones_like(found[1.0].weights) for _ in PENALTIES[1:]]
    run(given.alone, data, [1.0])
    most = peak()
    del path
    return {"peak MiB": round(most), "above data and imports MiB": round(most - before)}


def apart(given: argparse.Namespace, name: str) -> dict[str, float]:
    same = [
        word for key in ("data", "threads", "rows", "dim", "classes") for word in (f"--{key}", str(getattr(given, key)))
    ]
    words = [sys.executable, "-m", "bench.speed.probe", "--alone", name, *same]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _resident() -> float:
    return _status("VmRSS")


def peak() -> float:
    """MiB of this process at most so far."""
    return _status("VmHWM")


def _reset_peak() -> None:
    """Linux forgets the peak so far when asked to."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def _status(name: str) -> float:
    """MiB; where there is no /proc, the peak of the process stands for both."""
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith(name))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
