"""k nearest neighbours against the same thing written as a loop."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.evaluation import knn
from bench.evaluation.knn import NearestNeighbours, unit, votes
from tests.fixtures.probes import clouds, embedded, vector_task


@pytest.mark.parametrize("cells", [1, 1 << 24])
def test_votes_are_those_of_a_loop(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(knn, "CELLS", cells)
    random = np.random.default_rng(0)
    queries, gallery = unit(random.normal(size=(7, 5))), unit(random.normal(size=(40, 5)))
    labels = random.integers(0, 3, 40)
    found = votes(queries, gallery, labels, 3, k=6, temperature=0.07)
    several = votes(queries, gallery, labels[:, None] == np.arange(3), 3, k=6, temperature=0.07)
    np.testing.assert_allclose(several, found, rtol=1e-12)
    for query, shares in zip(queries, found, strict=True):
        cosine = sorted(((float(query @ one), int(label)) for one, label in zip(gallery, labels, strict=True)))[-6:]
        expected = np.zeros(3)
        for value, label in cosine:
            expected[label] += np.exp(value / 0.07)
        np.testing.assert_allclose(shares, expected / expected.sum(), rtol=1e-6)


def test_one_neighbour_of_the_training_set_itself_is_right() -> None:
    part = clouds(90, seed=1)
    found = NearestNeighbours(k=1)(vector_task(), embedded({"train": part, "test": part}))
    assert found.scores.argmax(axis=1).tolist() == part[1].tolist()
    assert "k 1 of 90" in found.protocol
    assert np.isfinite(found.scores).all()


def test_lengths_do_not_matter_and_k_may_be_large() -> None:
    train, test = clouds(60, seed=1), clouds(30, seed=2)
    task, many = vector_task(), NearestNeighbours(k=1000)
    plain = many(task, embedded({"train": train, "test": test}))
    longer = many(task, embedded({"train": (train[0] * 5, train[1]), "test": (test[0] * 0.1, test[1])}))
    np.testing.assert_allclose(plain.scores, longer.scores, atol=1e-3)
    assert "k 60 of 60" in plain.protocol


def test_several_labels_are_shares_of_their_own() -> None:
    features, labels = clouds(90, seed=1, spread=0.1)
    truth = np.stack([labels == 0, labels != 1, labels == 2], axis=1)
    task = vector_task(metric="map")
    found = NearestNeighbours(k=5)(task, embedded({"train": (features, truth), "test": (features, truth)}))
    confidence = 1 / (1 + np.exp(-found.scores[labels == 2]))  # what the table of predictions says
    np.testing.assert_allclose(confidence, [[0, 1, 1]] * 30, atol=1e-6)
    assert dict(found.estimates(task))["map"].value == pytest.approx(1)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"temperature": 0.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BenchError, match="knn needs"):
        NearestNeighbours(**wrong)  # type: ignore[arg-type]
