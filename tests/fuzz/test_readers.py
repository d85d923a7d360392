"""Damaged files of every kind: a reader gives what it read, or our own clear error, and runs nothing.

`pytest tests/fuzz` tries 60 damages of each kind in `READERS`; `BENCH_FUZZ=10000 pytest tests/fuzz --dist load` tries
10,000, which takes hours; `-k "store or journal"` chooses kinds by their names. A case that fails is shown as the edits
that cause it. A worker that dies was taken down by the file: run its kind again under `ulimit -v`, so that greed for
memory becomes an error with a line.
"""

from __future__ import annotations

import json
import os
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from tests.fuzz.readers import READERS

EXAMPLES = int(os.environ.get("BENCH_FUZZ", "60"))
MARK = "was_run"
HOSTILE = pickle.dumps(type("Hostile", (), {"__reduce__": lambda self: (os.mkdir, (MARK,))})(), protocol=2)
"""Bytes that make a directory when they are unpickled."""
NUMBERS = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\x80",
    b"-1",
    b"1e999",
    b"null",
    b"nan",
    b"{}",
]

OTHERS: list[Any] = [None, True, 0, -3, 2.5, 10**400, float("nan"), "x", [], ["x"], {}]
"""Stand where a field wants something else."""
CONFIGURED = ["weights: card of a checkpoint", *(kind for kind in READERS if kind.startswith("configuration"))]

piece = st.one_of(
    st.binary(max_size=12), st.sampled_from([*NUMBERS, HOSTILE, b"../../x", b"!!python/object:os.system"])
)
edit = st.tuples(st.sampled_from(["over", "put", "cut", "end", "double"]), st.floats(0, 1), piece)
edits = st.lists(edit, min_size=1, max_size=6)


def damaged(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    """The bytes overwritten, put in, left out, cut off or doubled at places that are shares of the length."""
    for kind, share, new in changes:
        at = int(share * len(content))
        behind = at + max(len(new), 1)
        content = {"over": content[:at] + new + content[at + len(new) :], "put": content[:at] + new + content[at:],
                   "cut": content[:at] + content[behind:], "end": content[:at],
                   "double": content[:at] + content[at:behind] * 2 + content[behind:]}[kind]  # fmt: skip
    return content


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.filterwarnings("ignore")
def test_damage_is_read_or_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = READERS[kind]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    place = reader.make(tmp_path)
    whole = place.read_bytes()
    reader.read(tmp_path)  # the whole file can be read
    told: set[bool] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edits)
    def attempt(changes: list[tuple[str, float, bytes]]) -> None:
        place.write_bytes(damaged(whole, changes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                reader.read(tmp_path)
                told.add(True)
            except BenchError:
                told.add(False)
        assert not list(tmp_path.rglob(MARK)), "something in the file was run"

    attempt()
    assert told, "nothing was tried"


def variants(content: Any) -> Iterator[Any]:
    """What JSON holds, with each value in it replaced by each of `OTHERS`; the value itself last."""
    inner = list(
        content.items() if isinstance(content, dict) else enumerate(content if isinstance(content, list) else ())
    )
    for name, value in inner:
        for variant in variants(value):
            changed = content.copy()
            changed[name] = variant
            yield changed
    yield from OTHERS


@pytest.mark.parametrize("kind", CONFIGURED)
def test_a_field_of_another_kind_is_read_or_named(kind: str, tmp_path: Path) -> None:
    reader = READERS[kind]
    place = reader.make(tmp_path)
    content = json.loads(place.read_text())
    told = 0
    for variant in variants(content):
        place.write_text(json.dumps(variant))
        try:
            reader.read(tmp_path)
        except BenchError:
            told += 1
    assert told > len(content)
