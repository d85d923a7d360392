"""Arithmetic of a sweep's cost."""

from __future__ import annotations

import pytest

from bench.speed.cost import DECODED, START, TOWER, Size, dealt, seconds, sizes


def test_a_small_model_waits_for_the_decoder_and_a_large_one_for_its_tower() -> None:
    assert seconds("ViT-B-32", Size(14_500, 0)) == pytest.approx(START + 14_500 / DECODED)
    assert seconds("ViT-H-14", Size(1000, 0)) == pytest.approx(START + 1000 / (TOWER * 4.4 / 167.0))


def test_jobs_are_dealt_the_longest_first() -> None:
    assert dealt([3, 3, 2, 2, 2], 2) == 7
    assert dealt([5, 1], 64) == 5
    assert dealt([1, 2, 3], 1) == 6


def test_the_tasks_are_published_ones_with_counts() -> None:
    found = sizes(45)
    assert len(found) == 45
    assert Size(10_000, 180) in found  # CIFAR-10
    assert all(one.pictures > 0 and one.prompts > 1 for one in found)
