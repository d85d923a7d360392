"""Prompt sensitivity on planted credits."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audit.measures.prompts import by_class, sensitivity
from bench.errors import BenchError


def test_spread_gain_and_disagreement_are_exact() -> None:
    good, poor = np.repeat([1.0, 0.0], [80, 20]), np.repeat([1.0, 0.0], [60, 40])
    both = np.repeat([1.0, 0.0], [90, 10])
    found = sensitivity(np.stack([poor, good]), both, ["poor {}", "good {}"])
    assert found.templates["template"].tolist() == ["good {}", "poor {}"]
    assert found.templates["value"].tolist() == [0.8, 0.6]
    assert found.templates["gain"].to_numpy() == pytest.approx([0.1, 0.3])
    assert found.spread.value == pytest.approx(0.2)
    assert found.gain.value == pytest.approx(0.9 - 0.7)
    assert found.disagreement == pytest.approx(0.2)
    assert (found.templates["gain_low"] <= found.templates["gain"]).all()


def test_shapes_are_checked() -> None:
    with pytest.raises(BenchError, match=r"\[template, picture\]"):
        sensitivity(np.zeros((2, 3)), np.zeros(4), ["a", "b"])


def test_a_class_that_loses_is_named_and_noise_is_not() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 50)
    before = (random.random(1000) < 0.7).astype(float)
    after = np.where(random.random(1000) < 0.02, 1 - before, before)  # noise everywhere
    after[labels == 7] = np.where(random.random(50) < 0.5, 0.0, before[labels == 7])  # class 7 loses half
    table = by_class(after, before, labels, [f"c{i}" for i in range(20)])
    assert table["class"].iloc[0] == "c7"
    assert bool(table["sure"].iloc[0])
    assert table["sure"].sum() == 1
    assert table["n"].eq(50).all()
    assert (table["q"] >= table["p"]).all()


def test_small_classes_are_left_out_and_none_is_an_empty_table() -> None:
    table = by_class(np.ones(6), np.zeros(6), np.array([0, 1, 1, 1, 1, 1]), ["a", "b"])
    assert table["class"].tolist() == ["b"]
    assert by_class(np.ones(1), np.zeros(1), np.zeros(1, int), ["a"]).empty


def test_without_effect_claims_are_false_in_few_worlds() -> None:
    """Under no difference, some class is said to change in at most about 5 % of worlds."""
    labels, false = np.repeat(np.arange(30), 20), 0
    for seed in range(80):
        random = np.random.default_rng(seed)
        one, other = (random.random((2, 600)) < 0.6).astype(float)
        false += bool(by_class(one, other, labels, [str(i) for i in range(30)])["sure"].any())
    assert false / 80 <= 0.1
