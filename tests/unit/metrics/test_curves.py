"""ROC AUC, average precision and macro F1 against scikit-learn or written out, with ties; and their coverage."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from bench.errors import BenchError
from bench.metrics import METRICS


def binary(seed: int, n: int = 200, *, share: float = 0.4, steps: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Scores on a grid of `steps`, so that many are tied."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < share).astype(np.int64)
    margin = np.round(random.normal(size=n) * steps / 3 + labels)
    return np.stack([np.zeros(n), margin], axis=1), labels


@pytest.mark.parametrize("seed", range(5))
def test_roc_auc_with_ties_is_scikit_learns(seed: int) -> None:
    scores, labels = binary(seed)
    estimate = METRICS["roc_auc"](scores, labels)
    assert estimate.value == pytest.approx(sk.roc_auc_score(labels, scores[:, 1]))
    assert estimate.low < estimate.value < estimate.high


def test_delong_variance_written_out() -> None:
    from bench.metrics.estimate import widened

    scores, labels = binary(9, n=60)
    x, y = scores[labels == 1, 1], scores[labels == 0, 1]
    kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    variance = np.var(kernel.mean(axis=1), ddof=1) / len(x) + np.var(kernel.mean(axis=0), ddof=1) / len(y)
    estimate = METRICS["roc_auc"](scores, labels)
    assert (estimate.low, estimate.high) == pytest.approx(widened(kernel.mean(), variance, min(len(x), len(y))))


@pytest.mark.parametrize(("shift", "sizes"), [(0.0, (40, 60)), (1.0, (40, 60)), (2.0, (30, 30)), (1.0, (15, 200))])
def test_roc_auc_covers(shift: float, sizes: tuple[int, int]) -> None:
    truth, random, covered = stats.norm.cdf(shift / np.sqrt(2)), np.random.default_rng(1), 0
    labels = np.repeat([1, 0], sizes)
    for _ in range(1000):
        margin = random.normal(size=len(labels)) + shift * labels
        estimate = METRICS["roc_auc"](np.stack([-margin / 2, margin / 2], axis=1), labels)
        covered += estimate.low <= truth <= estimate.high
    assert 0.93 <= covered / 1000 <= 0.985


def test_roc_auc_at_the_ends() -> None:
    labels = np.repeat([0, 1], 10)
    perfect = METRICS["roc_auc"](np.eye(2)[labels], labels)
    assert perfect.value == perfect.high == 1
    assert 0.6 < perfect.low < 0.9
    assert METRICS["roc_auc"](np.ones((20, 2)), labels).value == 0.5
    with pytest.raises(BenchError, match="two classes"):
        METRICS["roc_auc"](np.ones((20, 3)), labels)
    with pytest.raises(BenchError, match="both classes"):
        METRICS["roc_auc"](np.ones((20, 2)), np.zeros(20, dtype=np.int64))


def several(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Only 15 different rows of scores: every picture is tied with some others in every class."""
    random = np.random.default_rng(seed)
    kind = random.integers(15, size=n)
    scores = random.normal(size=(15, 5))
    return scores[kind], random.random((n, 5)) < 0.6 / (1 + np.exp(-2 * scores[kind]))


def probabilities(scores: np.ndarray) -> np.ndarray:
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_scikit_learns(seed: int) -> None:
    scores, labels = several(seed)
    expected = sk.average_precision_score(labels, probabilities(scores), average="macro")
    assert METRICS["map"](scores, labels).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_eleven_points_written_out(seed: int) -> None:
    scores, labels = several(seed)
    chances, areas = probabilities(scores), []
    for c in range(labels.shape[1]):
        curve = []
        for threshold in np.unique(chances[:, c]):
            kept = chances[:, c] >= threshold
            right = (kept & labels[:, c]).sum()
            curve.append((right / labels[:, c].sum(), right / kept.sum()))
        best = [max((p for r, p in curve if r >= level - 1e-9), default=0.0) for level in np.arange(11) / 10]
        areas.append(sum(best) / 11)
    assert METRICS["map_11_point"](scores, labels).value == pytest.approx(np.mean(areas), abs=1e-9)


@pytest.mark.parametrize("metric", ["map", "map_11_point"])
def test_average_precision_at_the_ends(metric: str) -> None:
    labels = np.eye(4, dtype=bool)[np.arange(40) % 4]
    perfect = METRICS[metric](labels * 5.0, labels)
    assert (perfect.value, perfect.high) == (1, 1)
    assert perfect.low < 0.95
    blind = METRICS[metric](np.ones((40, 4)), labels)
    assert blind.value == pytest.approx(blind.chance) == pytest.approx(1 / 4)
    assert METRICS[metric](labels * 5.0, np.arange(40) % 4).value == 1  # one label a picture may come as a number
    unseen = np.concatenate([labels, np.zeros((40, 1), dtype=bool)], axis=1)
    assert METRICS[metric](unseen * 5.0, unseen).value == 1  # a class without pictures is left out


def test_pictures_are_ranked_by_probability_not_by_logit() -> None:
    """A picture whose logits are all high must not rank above one that is sure of the class."""
    scores, labels = np.array([[9.0, 12.0], [5.0, 1.0]]), np.array([[False, True], [True, False]])
    assert METRICS["map"](scores, labels).value == 1


@pytest.mark.parametrize("metric", ["map", "map_11_point"])
def test_average_precision_covers(metric: str) -> None:
    """Population value: one class in 0.35 of pictures, its margin normal around 1.5, of the others around 0."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = random.random(n) < 0.35
        margin = random.normal(size=n) + 1.5 * labels
        return np.stack([margin, np.zeros(n)], axis=1), np.stack([labels, np.zeros(n, dtype=bool)], axis=1)

    found = [METRICS[metric](*draw(np.random.default_rng(seed), 150)) for seed in range(300)]
    threshold = np.linspace(-5, 7, 20_001)
    recall, false = stats.norm.sf(threshold - 1.5), stats.norm.sf(threshold)
    precision = 0.35 * recall / (0.35 * recall + 0.65 * false)
    at = np.interp(np.linspace(0, 1, 11) if "11" in metric else np.linspace(0, 1, 2001), recall[::-1], precision[::-1])
    truth = at.mean()
    assert 0.92 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(6, size=150)  # of 8 classes, two never occur but may be guessed
    scores = random.normal(size=(150, 8)) + np.eye(8)[labels]
    expected = sk.f1_score(labels, scores.argmax(axis=1), labels=np.unique(labels), average="macro", zero_division=0)
    assert METRICS["macro_f1"](scores, labels).value == pytest.approx(expected)


def test_macro_f1_shares_ties() -> None:
    labels = np.array([0, 0, 1, 1])
    scores = np.array([[1.0, 0], [1, 1], [0, 1], [1, 1]])  # two of four undecided
    assert METRICS["macro_f1"](scores, labels).value == pytest.approx(0.75)
    blind = METRICS["macro_f1"](np.ones((4, 2)), labels)
    assert blind.value == blind.chance == pytest.approx(0.5)


@pytest.mark.parametrize("sizes", [(50,) * 6, (100, 60, 40, 20, 12, 8)])
def test_macro_f1_covers(sizes: tuple[int, ...]) -> None:
    random, classes = np.random.default_rng(3), len(sizes)

    def draw(labels: np.ndarray) -> np.ndarray:
        return random.normal(size=(len(labels), classes)) + 1.8 * np.eye(classes)[labels]

    many, few = (np.repeat(np.arange(classes), np.array(sizes) * times) for times in (400, 1))
    truth = METRICS["macro_f1"](draw(many), many).value
    found = [METRICS["macro_f1"](draw(few), few) for _ in range(600)]
    assert 0.92 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99


def test_macro_f1_counts_places_where_pictures_depend() -> None:
    """60 places with 8 pictures of one animal that share most of their noise: 60 draws, not 480."""
    random, classes = np.random.default_rng(5), 4

    def draw(places: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        labels = np.repeat(np.arange(places) % classes, 8)
        noise = (
            np.repeat(random.normal(size=(places, classes)), 8, axis=0) + random.normal(size=(8 * places, classes)) / 4
        )
        return noise + 1.5 * np.eye(classes)[labels], labels, pd.DataFrame({"cluster": np.repeat(np.arange(places), 8)})

    truth = METRICS["macro_f1"](*draw(20_000)[:2]).value
    drawn = [draw(60) for _ in range(300)]
    aware = [METRICS["macro_f1"](*one) for one in drawn]
    blind = [METRICS["macro_f1"](*one[:2]) for one in drawn]
    assert np.mean([one.low <= truth <= one.high for one in aware]) >= 0.92
    assert np.mean([one.low <= truth <= one.high for one in blind]) < 0.75
    assert [one.value for one in aware] == [one.value for one in blind]


@pytest.mark.parametrize("metric", ["map", "map_11_point", "roc_auc", "macro_f1", "worst_group"])
def test_nan_is_refused_everywhere(metric: str) -> None:
    import pandas as pd

    scores = np.array([[np.nan, 1.0], [0.0, 1.0]])
    with pytest.raises(BenchError, match="NaN"):
        METRICS[metric](scores, np.array([0, 1]), pd.DataFrame({"group": ["a", "b"]}))
