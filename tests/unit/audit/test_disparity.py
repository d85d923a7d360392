"""Group performance against fairlearn and planted gaps; the traps of group tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair

from bench.audit.measures.calibration import ece
from bench.audit.measures.disparity import (
    calibration_by_group,
    disparity,
    false_discovery,
    metric_frame,
    paired_shift,
    share,
)
from bench.audit.measures.groups import by
from bench.audit.measures.parity import decisions, parity
from bench.audit.measures.resampling import p_of_no_difference, rates
from bench.errors import BenchError
from tests.unit.audit.planted import drawn, exact, grouping_of


def test_a_planted_gap_comes_out_exactly() -> None:
    outcome, codes = exact((0.9, 0.6, 0.75), (100, 50, 40))
    found = disparity(outcome, grouping_of(codes))
    assert {g: one.value for g, one in found.by_group.items()} == pytest.approx({0: 0.9, 1: 0.6, 2: 0.75})
    assert found.overall.value == pytest.approx(150 / 190)
    assert found.worst is not None
    assert found.difference is not None
    assert found.ratio is not None
    assert (found.worst.value, found.which) == (pytest.approx(0.6), (1, 0))
    assert (found.difference.value, found.ratio.value) == (pytest.approx(0.3), pytest.approx(2 / 3))
    assert found.difference.low > 0
    assert found.p < 0.001


def test_the_four_words_are_fairlearns() -> None:
    outcome, codes = exact((0.9, 0.6), (100, 50))
    frame = metric_frame(outcome, np.eye(2, dtype=bool)[codes])
    found = disparity(outcome, grouping_of(codes))
    assert found.difference is not None
    assert found.ratio is not None
    assert (frame.difference(), frame.ratio()) == pytest.approx((found.difference.value, found.ratio.value))
    assert frame.overall == pytest.approx(found.overall.value)


def test_groups_of_one_and_absent_groups_are_suppressed_not_certain() -> None:
    """fairlearn gives a group of one the interval [1, 1], and an absent one NaN."""
    outcome, codes = np.ones(81), np.repeat([0, 1, 2], [40, 40, 1])
    found = disparity(outcome, grouping_of(codes, 4))
    assert set(found.by_group) == {0, 1}
    assert found.suppressed[2].startswith("1 pictures")
    assert found.suppressed[3].startswith("0 pictures")
    assert found.difference is not None
    assert found.difference.high > 0


def test_one_group_left_is_no_comparison() -> None:
    outcome, codes = exact((0.9, 0.6), (100, 5))
    found = disparity(outcome, grouping_of(codes))
    assert found.difference is None
    assert np.isnan(found.p)
    assert "1 group(s)" in found.reason


def test_intersections_show_what_the_margins_hide() -> None:
    """Both margins are equal (0.5); the cells are 0.9 and 0.1."""
    table = pd.DataFrame({"a": ["x", "x", "y", "y"] * 50, "b": ["u", "v", "u", "v"] * 50})
    rate = np.where((table.a == "x") == (table.b == "u"), 0.9, 0.1)
    outcome = (np.repeat(np.arange(50), 4) < rate * 50).astype(float)
    for one in ("a", "b"):
        margin = disparity(outcome, by(table, one)).difference
        assert margin is not None
        assert margin.value == pytest.approx(0)
    crossed = disparity(outcome, by(table, "a", "b"))
    assert crossed.difference is not None
    assert crossed.difference.value == pytest.approx(0.8)
    assert crossed.grouping.label(crossed.which[0]) in ("a=x & b=v", "a=y & b=u")


def test_nan_and_values_beyond_a_share_are_refused() -> None:
    for wrong in (np.nan, 1.5, -0.1):
        with pytest.raises(BenchError, match="shares from 0 to 1"):
            disparity(np.full(50, wrong), grouping_of(np.arange(50) % 2))


def test_clusters_widen_a_share() -> None:
    outcome = np.repeat(exact((0.5,), (40,))[0], 6)
    plain, grouped = share(outcome), share(outcome, np.repeat(np.arange(40), 6))
    assert grouped.high - grouped.low > 2 * (plain.high - plain.low)


def test_paired_shift_is_exact_and_narrower_than_two_samples() -> None:
    before, codes = exact((0.5, 0.5), (200, 200))
    after = before.copy()
    after[np.flatnonzero((codes == 1) & (before == 1))[:50]] = 0
    found = paired_shift(before, after, grouping_of(codes))
    assert found[1].value == pytest.approx(-0.25)
    assert found[1].high < -0.15
    assert (found[0].value, found[0].low <= 0 <= found[0].high) == (0, True)
    assert found[0].high < 0.03


def test_false_discoveries_are_held_when_nothing_is_planted() -> None:
    """Audits of 30 labels each, no label with a gap: about one in 20 finds anything (there, every finding is false)."""
    assert false_alarms(audits=60, seed=5) <= 0.12


@pytest.mark.slow
def test_false_discoveries_are_held_in_a_thousand_audits() -> None:
    assert false_alarms(audits=1_000, seed=6) <= 0.065


def false_alarms(audits: int, seed: int) -> float:
    random, wrong = np.random.default_rng(seed), 0
    codes = np.repeat([0, 1, 2], 100)
    members = np.tile(np.eye(3)[codes], 30)
    for audit in range(audits):
        outcomes = (random.random((300, 30)) < random.uniform(0.2, 0.8, 30)).astype(float)
        found = rates(np.repeat(outcomes, 3, axis=1) * members, members, strata=codes, draws=600, seed=audit)
        p = [p_of_no_difference(found.take(np.arange(3 * c, 3 * c + 3))) for c in range(30)]
        wrong += bool((false_discovery(np.array(p)) <= 0.05).any())
    return wrong / audits


def test_false_discovery_passes_over_what_was_not_tested() -> None:
    q = false_discovery(np.array([0.01, np.nan, 0.04]))
    assert q[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(q[1])
    assert (false_discovery(np.array([0.01, 0.04]), dependent=True) >= q[[0, 2]]).all()


def test_parity_agrees_with_fairlearn_one_class_against_the_rest() -> None:
    random = np.random.default_rng(3)
    labels, codes = random.integers(3, size=600), random.integers(2, size=600)
    scores = random.normal(size=(600, 3)) + np.eye(3)[labels] + 0.5 * codes[:, None] * np.array([1.0, 0, 0])
    guess = scores.argmax(axis=1)
    found = {(gap.kind, gap.label): gap.estimate for gap in parity(decisions(scores), labels, grouping_of(codes))}
    for c in range(3):
        options = {"y_true": labels == c, "y_pred": guess == c, "sensitive_features": codes}
        for kind, other in (
            ("demographic_parity", fair.demographic_parity_difference),
            ("equal_opportunity", fair.equal_opportunity_difference),
            ("equalised_odds", fair.equalized_odds_difference),
        ):
            estimate = found[kind, c]
            assert estimate is not None
            assert estimate.value == pytest.approx(other(**options)), (kind, c)


def test_binary_parity_on_three_classes_is_the_trap() -> None:
    """fairlearn takes class 1 for yes and says nothing; class 2, where the gap is, goes unseen."""
    guess, codes = np.array([1] * 50 + [0] * 50 + [1] * 50 + [2] * 50), np.repeat([0, 1], 100)
    seen = fair.demographic_parity_difference(guess, guess, sensitive_features=codes)
    ours = [g.estimate for g in parity(np.eye(3)[guess], guess, grouping_of(codes)) if g.kind == "demographic_parity"]
    assert seen == 0
    assert [one.value for one in ours if one] == pytest.approx([0.5, 0, 0.5])


def test_no_positive_in_a_group_leaves_it_out_by_name() -> None:
    labels, codes = np.array([0, 1] * 50 + [0] * 100 + [0, 1] * 50), np.repeat([0, 1, 2], 100)
    gaps = {(g.kind, g.label): g for g in parity(np.eye(2)[labels], labels, grouping_of(codes))}
    assert gaps["equal_opportunity", 1].left_out == (1,)
    assert gaps["equal_opportunity", 1].estimate is not None
    none = parity(np.eye(2)[labels[:200]], labels[:200], grouping_of(codes[:200]))
    gap = next(g for g in none if g.kind == "equal_opportunity" and g.label == 1)
    assert gap.estimate is None
    assert "1 group(s)" in gap.reason


def test_ties_are_decided_in_parts() -> None:
    assert decisions(np.array([[1.0, 1, 0], [2, 1, 0]])).tolist() == [[0.5, 0.5, 0], [1, 0, 0]]
    with pytest.raises(BenchError, match="NaN"):
        decisions(np.array([[np.nan, 1.0]]))


def test_calibration_is_compared_at_equal_n() -> None:
    """One calibrated model, groups of 2,000 and 60: at equal n their errors agree; taken as they are, they do not."""
    random = np.random.default_rng(0)
    codes = np.repeat([0, 1], [2_000, 60])
    confidence = random.uniform(0.3, 1, 2_060)
    correct = (random.random(2_060) < confidence).astype(float)
    found = calibration_by_group(confidence, correct, grouping_of(codes))
    alone = [ece(confidence[codes == g], correct[codes == g]) for g in (0, 1)]
    assert found[0].n == found[1].n == 60
    assert found[1].value == pytest.approx(alone[1])
    assert alone[1] > 2.5 * alone[0]
    assert found[0].chance > 3 * alone[0]
    assert found[1].low <= found[0].value <= found[1].high


def test_a_planted_miscalibration_of_one_group_is_seen() -> None:
    """Group 1 says 0.9 and is right half of the time: an error of 0.4, and none in group 0."""
    codes = np.repeat([0, 1], 200)
    confidence = np.full(400, 0.9)
    correct = np.where(codes == 0, np.arange(400) % 10 > 0, np.arange(400) % 2).astype(float)
    found = calibration_by_group(confidence, correct, grouping_of(codes))
    assert (found[0].value, found[1].value) == (pytest.approx(0), pytest.approx(0.4))
    assert found[0].high < 0.2 < found[1].low


@pytest.mark.slow
def test_shares_and_differences_cover_through_the_whole_audit() -> None:
    random, hits = np.random.default_rng(11), np.zeros(3)
    for seed in range(1_000):
        outcome, codes = drawn((0.75, 0.55), (120, 90), random)
        found = disparity(outcome, grouping_of(codes), draws=600, seed=seed)
        assert found.difference is not None
        pairs = ((found.by_group[0], 0.75), (found.by_group[1], 0.55), (found.difference, 0.2))
        hits += [one.low <= truth <= one.high for one, truth in pairs]
    assert ((hits >= 930) & (hits <= 970)).all(), hits
