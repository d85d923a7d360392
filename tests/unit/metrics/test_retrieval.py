"""Recall at k against a dense computation written out, with many ties; its blocks, its memory and its coverage."""

import tracemalloc

import numpy as np
import pytest

from bench.errors import BenchError
from bench.metrics import METRICS, PROTOCOLS, rank
from bench.metrics.credit import Places
from bench.metrics.retrieval import Ranking

RECALLS = [name for name in PROTOCOLS["retrieval"] if name != "mean_recall@1"]


def problem(seed: int, images: int = 30, *, signs: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of signs, so that cosines are multiples of 2 / signs and ties abound; 1 to 6 captions a picture."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(images), random.integers(1, 7, size=images))
    pictures = random.choice([-1.0, 1.0], size=(images, signs))
    texts = np.where(random.random((len(owner), signs)) < 0.3, -1, 1) * pictures[owner]
    return pictures / np.sqrt(signs), texts / np.sqrt(signs), owner


def brute(images: np.ndarray, texts: np.ndarray, owner: np.ndarray, *, rounds: int = 1500) -> dict[str, float]:
    """Ties broken at random, again and again, on the dense matrix."""
    random = np.random.default_rng(0)
    scores = np.round(images @ texts.T, 6)
    relevant = owner == np.arange(len(images))[:, None]
    found = dict.fromkeys(RECALLS, 0.0)
    for _ in range(rounds):
        jittered = scores + random.uniform(0, 1e-6, size=scores.shape)
        for name, table, right in (("image_to_text", jittered, relevant), ("text_to_image", jittered.T, relevant.T)):
            order = np.argsort(-table, axis=1)
            for k in (1, 5, 10):
                hit = np.take_along_axis(right, order[:, :k], axis=1).any(axis=1).mean()
                found[f"{name}_recall@{k}"] += hit / rounds
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_recall_is_the_mean_over_all_orders_of_ties(seed: int) -> None:
    data = problem(seed)
    expected, ranking = brute(*data), rank(*data)
    found = {name: METRICS[name](ranking).value for name in RECALLS}
    assert found == pytest.approx(expected, abs=0.01)
    both = (found["image_to_text_recall@1"] + found["text_to_image_recall@1"]) / 2
    assert METRICS["mean_recall@1"](ranking).value == pytest.approx(both)


def test_without_ties_it_is_exact() -> None:
    random = np.random.default_rng(2)
    owner = np.repeat(np.arange(50), 5)
    images = random.normal(size=(50, 8))
    texts = images[owner] + 1.2 * random.normal(size=(250, 8))
    images, texts = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (images, texts))
    ranking, scores = rank(images, texts, owner), images @ texts.T
    for k in (1, 5, 10):
        best = np.argsort(-scores, axis=1)[:, :k]
        assert METRICS[f"image_to_text_recall@{k}"](ranking).value == np.mean(
            [i in owner[b] for i, b in enumerate(best)]
        )
        best = np.argsort(-scores.T, axis=1)[:, :k]
        assert METRICS[f"text_to_image_recall@{k}"](ranking).value == np.mean(
            [owner[j] in b for j, b in enumerate(best)]
        )
    first = [1 + (scores[i] > scores[i, owner == i].max()).sum() for i in range(50)]
    assert ranking.texts.rank().tolist() == first


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 24])
def test_blocks_change_nothing(block: int) -> None:
    data = problem(3)
    whole, parts = rank(*data), rank(*data, block=block)
    for one, other in ((whole.texts, parts.texts), (whole.images, parts.images)):
        for a, b in zip(one, other, strict=True):
            assert a.tolist() == b.tolist()


def test_memory_stays_bounded() -> None:
    """2,000 x 10,000 scores are 80 MB of float32, and their hits at ten places 200 MB; blocks of 1 MB suffice."""
    random = np.random.default_rng(4)
    images = random.normal(size=(2000, 4)).astype(np.float32)
    texts = random.normal(size=(10_000, 4)).astype(np.float32)
    tracemalloc.start()
    rank(images, texts, np.repeat(np.arange(2000), 5), block=1 << 18)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


def test_a_blind_model_gets_exactly_chance() -> None:
    images, texts, owner = problem(5)
    same = np.full((1, 7), 1 / np.sqrt(7), dtype=np.float32)
    ranking = rank(np.repeat(same, len(images), axis=0), np.repeat(same, len(texts), axis=0), owner)
    for name, metric in PROTOCOLS["retrieval"].items():
        estimate = metric(ranking)
        assert estimate.value == pytest.approx(estimate.chance), name
        assert 0 < estimate.chance < 1


def test_perfect_is_one_with_a_width() -> None:
    owner = np.repeat(np.arange(20), 5)
    ranking = rank(np.eye(20), np.eye(20)[owner], owner)
    for metric in PROTOCOLS["retrieval"].values():
        estimate = metric(ranking)
        assert estimate.value == estimate.high == 1
        assert 0.7 < estimate.low < 0.95


@pytest.mark.parametrize("name", ["image_to_text_recall@1", "text_to_image_recall@1", "mean_recall@1"])
def test_recall_covers(name: str) -> None:
    """Pictures are hard or easy, and their captions with them; the number of captions goes with hardness."""
    random, covered = np.random.default_rng(6), 0
    share, rates = np.array([0.4, 0.6]), np.array([[0.2, 0.3], [0.9, 0.7]])  # hard, easy: (its texts, its captions)
    sizes = np.array([6, 3])
    truths = share @ rates[:, 0], (share * sizes) @ rates[:, 1] / (share @ sizes)
    truth = {"image_to_text_recall@1": truths[0], "text_to_image_recall@1": truths[1], "mean_recall@1": np.mean(truths)}
    for _ in range(800):
        kind = (random.random(120) < share[1]).astype(int)
        owner = np.repeat(np.arange(120), sizes[kind])
        above = [random.random(len(x)) > r for x, r in ((kind, rates[kind, 0]), (owner, rates[kind[owner], 1]))]
        places = [Places(a.astype(int), np.ones(len(a), int), np.ones(len(a), int)) for a in above]
        estimate = METRICS[name](Ranking(places[0], places[1], owner))
        covered += estimate.low <= truth[name] <= estimate.high
    assert 0.93 <= covered / 800 <= 0.985


def test_damaged_vectors_are_refused() -> None:
    images, texts, owner = problem(7)
    texts[3, 0] = np.nan
    with pytest.raises(BenchError, match="NaN"):
        rank(images, texts, owner)
