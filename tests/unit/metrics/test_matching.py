"""Caption matching and Winoground's scores against plain loops; and their coverage."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.metrics import METRICS

NAMES = ("winoground_text", "winoground_image", "winoground_group")


def examples(seed: int, n: int, *, steps: int | None = 3) -> np.ndarray:
    """[example, image, caption] on a grid of `steps` values (None: no ties)."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 2, 2)) if steps is None else random.integers(steps, size=(n, 2, 2)).astype(float)


def shuffled(table: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """As an evaluation gives it: one row a picture, in any order."""
    order = np.random.default_rng(seed).permutation(2 * len(table))
    pairs = np.repeat([f"example {i}" for i in range(len(table))], 2)
    return (
        table.reshape(-1, 2)[order],
        np.tile([0, 1], len(table))[order],
        pd.DataFrame({"pair": pairs[order]}),
    )


def plain(table: np.ndarray) -> dict[str, float]:
    """The paper's definitions, an example at a time."""
    text = [s[0][0] > s[0][1] and s[1][1] > s[1][0] for s in table]
    image = [s[0][0] > s[1][0] and s[1][1] > s[0][1] for s in table]
    both = [t and i for t, i in zip(text, image, strict=True)]
    return dict(zip(NAMES, map(np.mean, (text, image, both)), strict=True))


@pytest.mark.parametrize("steps", [None, 2, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_winoground_is_the_papers(name: str, steps: int | None) -> None:
    table = examples(1, 300, steps=steps)
    estimate = METRICS[name](*shuffled(table))
    assert estimate.value == pytest.approx(plain(table)[name])
    assert estimate.n == 300


def test_chance_of_winoground_is_the_mean_over_all_orders() -> None:
    every = np.array([np.reshape(order, (2, 2)) for order in permutations(range(4))], dtype=float)
    for name in NAMES:
        estimate = METRICS[name](*shuffled(every))
        assert estimate.value == pytest.approx(estimate.chance)


def test_a_blind_model_fails_winoground_and_guesses_at_matching() -> None:
    blind = shuffled(np.ones((50, 2, 2)))
    for name in NAMES:
        estimate = METRICS[name](*blind)
        assert estimate.value == 0
        assert "50 of 50 examples with a tie" in estimate.note
    assert METRICS["matching"](*blind).value == 0.5


def test_ties_are_counted() -> None:
    table = np.array([[[2.0, 1], [1, 2]], [[2, 2], [0, 3]], [[3, 1], [3, 4]], [[4, 1], [2, 3]]])
    assert METRICS["winoground_text"](*shuffled(table)).note.startswith("2 of 4 examples with a tie")


def test_examples_must_be_whole() -> None:
    scores, labels, attributes = shuffled(examples(2, 10))
    for wrong in ((scores[1:], labels[1:], attributes[1:]), (scores, labels * 0, attributes)):
        with pytest.raises(BenchError, match="two pictures a pair"):
            METRICS["winoground_text"](*wrong)
    with pytest.raises(BenchError, match="attribute 'pair'"):
        METRICS["winoground_text"](scores, labels, pd.DataFrame({"x": labels}))


def test_matching_shares_ties_among_captions_of_any_number() -> None:
    scores = np.array([[1.0, 1, 0], [1, 1, -np.inf], [2, 1, 0], [0, 1, 2]])
    estimate = METRICS["matching"](scores, np.zeros(4, dtype=np.int64))
    assert estimate.value == pytest.approx((0.5 + 0.5 + 1 + 0) / 4)
    assert estimate.chance == pytest.approx((1 / 3 + 1 / 2 + 1 / 3 + 1 / 3) / 4)


def test_matching_covers_when_rows_share_a_picture() -> None:
    """30 pictures with 1 to 15 rows that mostly stand or fall together: a plain interval covers in under 80 %."""
    from bench.metrics import wilson

    random, covered, naive = np.random.default_rng(4), 0, 0
    picture = np.repeat(np.arange(60), np.tile([1, 2, 3, 4, 7, 15], 10))
    attributes = pd.DataFrame({"picture": picture})
    for _ in range(800):
        hard = random.random(60) < 0.3
        right = random.random(len(picture)) < np.where(hard, 0.1, 0.9)[picture]
        estimate = METRICS["matching"](np.eye(2)[1 - right], np.zeros(len(picture), dtype=np.int64), attributes)
        truth = 0.3 * 0.1 + 0.7 * 0.9
        covered += estimate.low <= truth <= estimate.high
        low, high = wilson(estimate.value, len(picture))
        naive += low <= truth <= high
    assert 0.91 <= covered / 800 <= 0.985
    assert naive / 800 < 0.8


def test_matching_per_group_is_the_mean_of_the_groups() -> None:
    random = np.random.default_rng(6)
    scores, group = random.integers(3, size=(90, 2)).astype(float), random.choice(["on", "under", "near"], size=90)
    labels, attributes = np.zeros(90, dtype=np.int64), pd.DataFrame({"group": group})
    parts = [METRICS["matching"](scores[group == g], labels[group == g]).value for g in ("on", "under", "near")]
    estimate = METRICS["matching_per_group"](scores, labels, attributes)
    assert estimate.value == pytest.approx(np.mean(parts))
    assert (estimate.chance, estimate.note) == (0.5, "mean over 3 groups")
    with pytest.raises(BenchError, match="Task.group"):
        METRICS["matching_per_group"](scores, labels, None)


def test_winoground_covers() -> None:
    random, covered = np.random.default_rng(5), 0
    for _ in range(600):
        won = (random.random(100) < 0.3)[:, None, None]
        table = np.where(won, np.eye(2), 1 - np.eye(2))
        estimate = METRICS["winoground_group"](*shuffled(table))
        covered += estimate.low <= 0.3 <= estimate.high
    assert 0.93 <= covered / 600 <= 0.985


@pytest.mark.parametrize(("name", "truth"), [("matching", 0.66), ("matching_per_group", 0.7)])
def test_matching_covers(name: str, truth: float) -> None:
    random, covered = np.random.default_rng(7), 0
    group = np.repeat(["a", "b", "c"], [80, 40, 30])
    rate = np.repeat([0.6, 0.6, 0.9], [80, 40, 30])
    for _ in range(800):
        wrong = (random.random(150) > rate).astype(int)
        estimate = METRICS[name](np.eye(2)[wrong], np.zeros(150, dtype=np.int64), pd.DataFrame({"group": group}))
        covered += estimate.low <= truth <= estimate.high
    assert 0.93 <= covered / 800 <= 0.985
