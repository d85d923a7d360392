"""Shares of pictures against scikit-learn and brute force; every interval is simulated to cover."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from bench.errors import BenchError
from bench.metrics import METRICS, PROTOCOLS, applicable, credit, mean_per_class, top1, top5, wilson


def plain_problem(seed: int = 0, n: int = 400, choices: int = 8) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(choices, size=n)
    return random.normal(size=(n, choices)) + 1.2 * np.eye(choices)[labels], labels


def test_agree_with_scikit_learn_where_nothing_is_tied() -> None:
    scores, labels = plain_problem()
    guess = scores.argmax(axis=1)
    assert top1(scores, labels).value == pytest.approx(sk.accuracy_score(labels, guess))
    assert top5(scores, labels).value == pytest.approx(sk.top_k_accuracy_score(labels, scores, k=5))
    assert mean_per_class(scores, labels).value == pytest.approx(sk.balanced_accuracy_score(labels, guess))


def test_a_model_that_scores_everything_alike_gets_exactly_chance() -> None:
    labels = np.repeat(np.arange(8), 5)
    same = np.ones((40, 8))
    assert top1(same, labels).value == pytest.approx(1 / 8)
    assert top5(same, labels).value == pytest.approx(5 / 8)
    assert mean_per_class(same, labels).value == pytest.approx(1 / 8)


def test_ties_earn_the_mean_over_all_orders() -> None:
    """Against brute force: jitter breaks each tie at random; the mean hit rate is the expected credit."""
    random = np.random.default_rng(1)
    scores = random.integers(3, size=(30, 6)).astype(float)
    labels = random.integers(6, size=30)
    for k in (1, 2, 5):
        hits = np.zeros(30)
        for _ in range(4000):
            order = np.argsort(-(scores + random.uniform(0, 0.5, size=scores.shape)), axis=1)[:, :k]
            hits += (order == labels[:, None]).any(axis=1)
        assert np.abs(credit(scores, labels, k=k) - hits / 4000).max() < 0.04


def test_several_labels_count_the_best_placed() -> None:
    scores = np.array([[3.0, 2, 1], [3, 2, 1]])
    labels = np.array([[False, True, True], [True, False, True]])
    assert credit(scores, labels).tolist() == [0, 1]


def test_several_labels_tied_share_the_places() -> None:
    """Against brute force over orders: right if any label is among the k first."""
    random = np.random.default_rng(3)
    scores = random.integers(2, size=(25, 6)).astype(float)
    labels = random.random((25, 6)) < 0.4
    labels[:, 0] |= ~labels.any(axis=1)
    for k in (1, 2, 4):
        hits = np.zeros(25)
        for _ in range(4000):
            order = np.argsort(-(scores + random.uniform(0, 0.5, size=scores.shape)), axis=1)[:, :k]
            hits += np.take_along_axis(labels, order, axis=1).any(axis=1)
        assert np.abs(credit(scores, labels, k=k) - hits / 4000).max() < 0.04


def test_a_picture_without_any_label_earns_nothing() -> None:
    assert credit(np.ones((1, 3)), np.zeros((1, 3), dtype=bool)).tolist() == [0]


def test_wilson_agrees_with_scipy() -> None:
    for hits, n in ((0, 10), (3, 10), (10, 10), (420, 1000)):
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("metric", "rates"), [
    ("top1", [0.3] * 10), ("top1", [0.9] * 10),
    ("mean_per_class", [0.3] * 10), ("mean_per_class", list(np.linspace(0.1, 0.98, 10))),
])  # fmt: skip
def test_the_interval_covers_the_truth(metric: str, rates: list[float]) -> None:
    """2,000 data sets with planted class accuracies; 95 % intervals must cover in 93.5 to 98 % (classes unequal)."""
    random = np.random.default_rng(2)
    sizes = np.array([20, 20, 30, 30, 40, 40, 50, 50, 60, 60])
    labels = np.repeat(np.arange(10), sizes)
    truth = np.mean(rates) if metric == "mean_per_class" else np.average(rates, weights=sizes)
    covered = 0
    for _ in range(2000):
        right = random.random(len(labels)) < np.asarray(rates)[labels]
        guess = np.where(right, labels, (labels + 1) % 10)
        estimate = METRICS[metric](np.eye(10)[guess], labels)
        covered += estimate.low <= truth <= estimate.high
    assert 0.935 <= covered / 2000 <= 0.98


def test_nan_scores_are_refused() -> None:
    with pytest.raises(BenchError, match="NaN"):
        top1(np.array([[np.nan, 1.0]]), np.array([0]))


def test_mean_of_top1_and_top5() -> None:
    scores, labels = plain_problem(choices=12)
    expected = (sk.top_k_accuracy_score(labels, scores, k=1) + sk.top_k_accuracy_score(labels, scores, k=5)) / 2
    estimate = METRICS["mean_top1_top5"](scores, labels)
    assert estimate.value == pytest.approx(expected)
    assert estimate.chance == pytest.approx((1 / 12 + 5 / 12) / 2)


def test_mean_of_top1_and_top5_covers() -> None:
    random, covered = np.random.default_rng(4), 0
    labels = np.zeros(60, dtype=np.int64)
    for _ in range(1000):
        place = random.choice([0, 3, 8], p=[0.5, 0.3, 0.2], size=60)  # best, among the five, behind them
        scores = np.where(np.arange(10) == 0, -place[:, None] - 0.5, -np.arange(10.0))
        estimate = METRICS["mean_top1_top5"](scores, labels)
        covered += estimate.low <= 0.65 <= estimate.high
    assert 0.93 <= covered / 1000 <= 0.985


def test_worst_group_is_the_lowest_rate_of_any_group() -> None:
    scores, labels = plain_problem(n=900)
    group = np.random.default_rng(5).choice(["north", "south", "east"], size=900)
    attributes = pd.DataFrame({"group": group, "other": 1})
    guess = scores.argmax(axis=1)
    rates = {name: sk.accuracy_score(labels[group == name], guess[group == name]) for name in np.unique(group)}
    estimate = METRICS["worst_group"](scores, labels, attributes)
    worst = min(rates, key=rates.__getitem__)
    assert estimate.value == pytest.approx(rates[worst])
    assert (estimate.n, estimate.note) == ((group == worst).sum(), f"worst of 3 groups: {worst}")
    five = METRICS["worst_group_top5"](scores, labels, attributes)
    assert five.value == pytest.approx(
        min(sk.top_k_accuracy_score(labels[group == g], scores[group == g], k=5, labels=range(8)) for g in rates)
    )


def test_worst_group_leaves_out_pictures_without_a_group() -> None:
    scores, labels = np.eye(4), np.array([0, 1, 0, 0])  # the last two are wrong
    some = pd.DataFrame({"group": ["a", "b", None, ""]})
    assert METRICS["worst_group"](scores, labels, some).value == 1
    for nothing in (pd.DataFrame({"group": [None] * 4}), pd.DataFrame({"x": [0] * 4}), None):
        with pytest.raises(BenchError, match="group"):
            METRICS["worst_group"](scores, labels, nothing)


@pytest.mark.parametrize("rates", [[0.7] * 6, [0.2, 0.9, 0.9], [0.6, 0.62, 0.64, 0.95]], ids=str)
def test_worst_group_covers_the_true_minimum(rates: list[float]) -> None:
    """The naive interval of the group found covers in 84 % for six equal groups; ours must hold 95 %."""
    random, n = np.random.default_rng(6), 80
    labels = np.zeros(n * len(rates), dtype=np.int64)
    attributes = pd.DataFrame({"group": np.repeat(np.arange(len(rates)).astype(str), n)})
    covered = naive = 0
    for _ in range(600):
        wrong = random.random(len(labels)) > np.repeat(rates, n)
        estimate = METRICS["worst_group"](np.eye(2)[wrong.astype(int)], labels, attributes)
        covered += estimate.low <= min(rates) <= estimate.high
        low, high = wilson(estimate.value, n)
        naive += low <= min(rates) <= high
    assert covered / 600 >= 0.94
    assert len(set(rates)) > 1 or naive / 600 < 0.9


def test_worst_group_counts_clusters() -> None:
    """Every picture ten times: the same interval as of each once, if the ten are said to be one."""
    random = np.random.default_rng(0)
    labels, scores = random.integers(3, size=300), random.normal(size=(300, 3))
    scores += 2 * np.eye(3)[labels]
    group = np.array(["x", "y"])[random.integers(2, size=300)]
    once = METRICS["worst_group"](scores, labels, pd.DataFrame({"group": group}))
    tenfold = pd.DataFrame({"group": np.repeat(group, 10), "cluster": np.repeat(np.arange(300), 10)})
    often = METRICS["worst_group"](np.repeat(scores, 10, axis=0), np.repeat(labels, 10), tenfold)
    assert often.value == once.value
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=2e-3)


def test_the_headline_comes_first_and_top5_needs_more_than_five() -> None:
    assert applicable("mean_per_class", 10) == ["mean_per_class", "top1", "top5"]
    assert applicable("top1", 5) == ["top1", "mean_per_class"]
    assert applicable("map_11_point", 20, several=True) == ["map_11_point", "top1", "top5"]
    assert applicable("worst_group", 2, grouped=True) == ["worst_group", "top1", "mean_per_class"]
    assert applicable("matching", 2, protocol="matching") == ["matching"]
    names = ["winoground_group", "matching", "winoground_text", "winoground_image"]
    assert applicable("winoground_group", 2, protocol="matching", paired=True) == names
    assert applicable("mean_recall@1", 99, protocol="retrieval") == list(PROTOCOLS["retrieval"])


def test_unknown_and_misplaced_headlines() -> None:
    with pytest.raises(BenchError, match="Did you mean 'top1'"):
        applicable("top_1", 10)
    with pytest.raises(BenchError, match="not one of retrieval.*image_to_text_recall@1"):
        applicable("top1", 10, protocol="retrieval")
