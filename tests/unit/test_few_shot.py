"""Few-shot: stratified, nested, reproducible draws; intervals over draws; from words with no label is zero-shot."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.evaluation.few_shot import Drawn, FewShot, draw, pooled
from bench.evaluation.knn import unit
from bench.evaluation.suited import cells
from bench.evaluation.zero_shot import ZeroShot
from bench.metrics import Estimate, wilson
from tests.fixtures.probes import clouds, embedded, vector_task


def world(**changes):  # type: ignore[no-untyped-def]
    parts = {"train": clouds(300, seed=1), "test": clouds(240, seed=2)}
    return embedded({**parts, **changes}, texts=np.eye(3, 6, dtype=np.float32))


def test_draws_are_stratified_nested_and_seeded() -> None:
    labels = np.repeat([0, 1, 2], [40, 30, 20])
    two, four = (draw(labels, k, seed=0, number=1) for k in (2, 4))
    assert np.bincount(labels[four]).tolist() == [4, 4, 4]
    assert set(two) < set(four)
    np.testing.assert_array_equal(four, draw(labels, 4, seed=0, number=1))
    assert set(four) != set(draw(labels, 4, seed=0, number=2))
    assert set(four) != set(draw(labels, 4, seed=1, number=1))


def test_each_k_is_a_cell() -> None:
    names = [cell.name for cell in cells(FewShot(k=(1, 4)), vector_task())]
    assert names == ["few_shot@1", "few_shot@4"]
    assert [cell.name for cell in cells(FewShot(k=(2,), start="text"), vector_task())] == ["few_shot_from_text@2"]
    assert [cell.name for cell in cells(ZeroShot(), vector_task())] == ["zero_shot"]


def test_the_row_is_the_mean_over_draws_with_a_wider_interval() -> None:
    task, found = vector_task(), FewShot(k=(4,))(vector_task(), world())
    assert isinstance(found, Drawn)
    assert len(found.draws) == 5
    alone = [dict(one.estimates(task))["top1"] for one in found.draws]
    together = dict(found.estimates(task))["top1"]
    assert together.value == pytest.approx(np.mean([one.value for one in alone]))
    assert found.table()["correct"].mean() == pytest.approx(together.value)
    assert together.high - together.low > max(one.high - one.low for one in alone)
    assert "4 per class, 5 draws of seed 0" in found.protocol
    repeated = dict(FewShot(k=(4,))(task, world()).estimates(task))["top1"]
    assert repeated == together


def test_more_labels_help() -> None:
    task = vector_task()
    values = [next(FewShot(k=(k,))(task, world()).estimates(task))[1].value for k in (1, 64)]
    assert values[0] < values[1]


def test_equal_draws_add_nothing_to_the_interval() -> None:
    one = Estimate(0.7, *wilson(0.7, 500), 500, "Wilson", 0.1)
    assert pooled([one]).low == pytest.approx(one.low, abs=2e-3)
    assert pooled([one] * 4)[:3] == pytest.approx(pooled([one])[:3])


def test_the_interval_covers_the_mean_over_draws_and_test_sets() -> None:
    """Draws are worth 0.6 +- 0.05; each is measured on 400 pictures: the true mean is inside 95 % of the time."""
    random, inside = np.random.default_rng(0), 0
    for _ in range(400):
        shares = random.binomial(400, np.clip(random.normal(0.6, 0.05, size=5), 0, 1)) / 400
        found = pooled([Estimate(v, *wilson(v, 400), 400, "Wilson") for v in shares])
        inside += found.low <= 0.6 <= found.high
    assert inside / 400 >= 0.95


@pytest.mark.parametrize("classes", [2, 3])
def test_from_words_under_a_strong_penalty_is_zero_shot(classes: int) -> None:
    task = vector_task(classes)
    parts = {"train": clouds(60, classes, seed=1), "test": clouds(60, classes, seed=2)}
    parts = {split: (unit(features), labels) for split, (features, labels) in parts.items()}
    both = embedded(parts, texts=np.eye(classes, 6, dtype=np.float32))
    words = ZeroShot()(task, both).scores.argmax(axis=1)
    held = FewShot(k=(2,), start="text", penalty=1e9)(task, both).draws[0].scores.argmax(axis=1)
    free = FewShot(k=(20,), start="text", penalty=1e-3)(task, both).draws[0].scores.argmax(axis=1)
    np.testing.assert_array_equal(held, words)
    assert (free == parts["test"][1]).mean() > (words == parts["test"][1]).mean()


def test_a_class_with_too_few_pictures_is_named() -> None:
    features, labels = clouds(90, seed=1)
    few = np.concatenate([np.flatnonzero(labels != 1), np.flatnonzero(labels == 1)[:3]])
    with pytest.raises(
        BenchError, match=r"needs 4 training pictures of every class; class 'class 1'.* has 3\. .*k of at most 3"
    ):
        FewShot(k=(4,))(vector_task(), world(train=(features[few], labels[few])))


@pytest.mark.parametrize("wrong", [{"k": ()}, {"k": (0,)}, {"k": (2, 2)}, {"draws": 0}, {"penalty": 0.0},
                                   {"start": "words"}, {"start": "text", "features": "penultimate"}])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BenchError):
        FewShot(**wrong)  # type: ignore[arg-type]


def test_the_penalty_goes_with_the_length_of_the_features() -> None:
    train, test = clouds(60, seed=1), clouds(60, seed=2)
    longer = {name: (part[0] * 7, part[1]) for name, part in (("train", train), ("test", test))}
    one, other = (FewShot(k=(4,), draws=2)(vector_task(), embedded(parts))
                  for parts in ({"train": train, "test": test}, longer))  # fmt: skip
    np.testing.assert_allclose(one.draws[1].scores, other.draws[1].scores, atol=1e-3)
    length = np.sqrt(np.square(train[0][draw(train[1], 4, seed=0, number=0)]).sum(1).mean())
    assert f"lambda {length**2 / 100:.3g}" in one.protocol
