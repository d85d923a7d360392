"""The fast path gives the plain one's predictions on complete public data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

import tasks
from tests.end_to_end.test_plain_path import FEW, agree, fast

__all__ = ["fast"]  # the fixture

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_on_complete_public_data(name: str, fast, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    agree(fast, tasks.select(name)[0], max(FEW, 300), tmp_path)
