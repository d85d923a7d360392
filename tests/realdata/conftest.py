"""The folder with the complete public data sets; tests skip with a reason where it is absent."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = os.environ.get("BENCH_REALDATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("BENCH_REALDATA is not set to a folder with the data (python -m tests.realdata.fetch --out DIR)")
    monkeypatch.setenv("BENCH_DATA", folder)
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    return Path(folder)
