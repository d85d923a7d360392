"""Counts over planted predictions."""

import numpy as np
import pandas as pd
import pytest

from reports import classes

CHOICES = ["cat", "dog", "bird"]


def planted() -> pd.DataFrame:
    """20 cats of which 15 are called dog, 20 dogs all right, 10 birds: 6 right, 3 dog, 1 cat."""
    label = [0] * 20 + [1] * 20 + [2] * 10
    guess = [0] * 5 + [1] * 15 + [1] * 20 + [2] * 6 + [1] * 3 + [0]
    right = np.array(label) == np.array(guess)
    return pd.DataFrame(
        {"label": label, "prediction": guess, "correct": right.astype(float), "confidence": np.linspace(0.3, 0.9, 50)}
    )


def test_by_class_is_worst_first_with_wilson_bounds_and_the_usual_mistake() -> None:
    table = classes.by_class(planted(), CHOICES)
    assert table["name"].tolist() == ["cat", "bird", "dog"]
    assert table["value"].tolist() == [0.25, 0.6, 1.0]
    assert table["instead"].tolist() == ["dog", "dog", ""]
    assert table["instead_n"].tolist() == [15, 3, 0]
    assert table["low"].iloc[0] == pytest.approx(0.1119, abs=1e-4)
    assert table["high"].iloc[0] == pytest.approx(0.4687, abs=1e-4)


def test_ties_count_as_part_of_a_hit() -> None:
    table = planted().assign(correct=0.5)
    assert classes.by_class(table, CHOICES)["value"].tolist() == [0.5, 0.5, 0.5]


def test_matrix_and_pairs_agree() -> None:
    counts = classes.matrix(planted(), CHOICES)
    np.testing.assert_array_equal(counts, [[5, 15, 0], [0, 20, 0], [1, 3, 6]])
    pairs = classes.pairs(planted(), CHOICES)
    found = list(zip(pairs["label_name"], pairs["guess_name"], pairs["count"], pairs["share"], strict=True))
    assert found == [("cat", "dog", 15, 0.75), ("bird", "dog", 3, 0.3), ("bird", "cat", 1, 0.1)]


def test_pairs_of_a_perfect_model_are_none() -> None:
    table = planted().assign(prediction=lambda t: t["label"], correct=1.0)
    assert classes.pairs(table, CHOICES).empty
    assert classes.by_class(table, CHOICES)["instead"].tolist() == ["", "", ""]
    assert classes.mistakes(table).empty
    assert classes.hints(table, CHOICES) == []


def test_mistakes_are_the_most_confident_first() -> None:
    found = classes.mistakes(planted())
    assert len(found) == 19
    assert found["confidence"].is_monotonic_decreasing
    assert (found["label"] != found["prediction"]).all()


def test_hints_name_the_class_that_loses_and_the_one_that_attracts() -> None:
    hints = classes.hints(planted(), CHOICES)
    assert hints == [
        "Of 20 pictures of “cat”, 15 were called “dog” and 5 rightly: try another name, or say in the prompt what "
        "sets them apart."
    ]
    greedy = pd.DataFrame(
        {"label": [0] * 6 + [1] * 30, "prediction": [0] * 30 + [1] * 6, "correct": 0.0, "confidence": 0.5}
    )
    assert classes.hints(greedy, CHOICES)[0].startswith(
        "“cat” is guessed 5.0 times as often as it occurs (30 against 6)"
    )


def test_balance_counts_guesses_and_occurrences() -> None:
    table = classes.balance(planted(), CHOICES).set_index("name")
    assert table["guessed"].to_dict() == {"dog": 38, "cat": 6, "bird": 6}
    assert table["n"].to_dict() == {"dog": 20, "cat": 20, "bird": 10}
