"""Folders that cannot be read are refused in words."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from reports import page
from tests.unit.reports.made import Maker, Toy


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda run: (run / "rows.parquet").write_bytes(b"junk"), "cannot be read"),
    (lambda run: (run / "provenance.json").write_text("{"), "cannot be read as JSON"),
    (lambda run: (run / "provenance.json").write_text('{"schema": 99}'), "has schema 99; this version reads schema 1"),
    (lambda run: next((run / "predictions").iterdir()).write_bytes(b"junk"), "cannot be read as a file of predictions"),
    (lambda run: (run / "rows.parquet").unlink(), "No run found"),
])  # fmt: skip
def test_spoiled_folders_are_refused_in_words(tmp_path: Path, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    run = Maker(tmp_path / "run").save(Toy("a"))
    spoil(run)
    with pytest.raises(BenchError, match=message):
        page.write(run)
