"""The teacher's arithmetic on three ImageNet names and two words."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.training.teacher import AFFINITY, FLATTEN, Teacher, probabilities


def toy(prior: list[float]) -> Teacher:
    similarity = 1 + AFFINITY * np.log(np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]], np.float32))
    logits = (np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]) / FLATTEN).astype(np.float16)
    return Teacher(["a", "b"], similarity, logits, np.array(prior, np.float32))


def test_probabilities_are_a_flattened_softmax() -> None:
    found = probabilities(np.array([[0.0, np.log(16) / FLATTEN]], np.float16))
    assert found == pytest.approx(np.array([[1 / 17, 16 / 17]]), rel=1e-2)


def test_targets_by_hand() -> None:
    found = toy([0.5, 0.5, 0.0]).targets(np.array([0]), np.array([0, 1]), sharpen=1)
    # word a: .8 * .9 + .1 * .1 + .1 * .5 = .78; word b: .22; both words have the prior .5
    assert found == pytest.approx(np.array([[0.78, 0.22]]), abs=2e-3)


def test_a_word_that_fits_the_whole_pool_counts_less() -> None:
    found = toy([1.0, 0.0, 0.0]).targets(np.array([0]), np.array([0, 1]), sharpen=1)
    lift = np.array([0.78 / 0.9, 0.22 / 0.1])
    assert found[0] == pytest.approx(lift / lift.sum(), abs=2e-3)
    assert found.argmax() == 1


def test_sharpening_raises_to_a_power() -> None:
    found = toy([0.5, 0.5, 0.0]).targets(np.array([0]), np.array([1, 0]), sharpen=2)
    assert found[0, 1] == pytest.approx(0.78**2 / (0.78**2 + 0.22**2), abs=2e-3)


def test_a_missing_teacher_is_named(tmp_path) -> None:
    with pytest.raises(BenchError, match="photographs"):
        Teacher.open(tmp_path, "photographs")
