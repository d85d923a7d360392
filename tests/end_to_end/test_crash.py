"""A run that is killed at any moment and started again ends as if nothing had happened, bit for bit."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CRASHES = int(os.environ.get("BENCH_CRASHES", "50"))
WORDS = ["task=[clipart,emoji_noto,scene_count]", "limit=60", "audit=robustness", "report=none", "batch_size=16",
         "audit.corruptions=[jpeg_compression]", "audit.severities=[1,3]", "audit.sweeps=[]", "audit.pictures=40",
         "audit.prompts=false"]  # fmt: skip


def start(place: Path) -> subprocess.Popen[bytes]:
    place.mkdir(exist_ok=True)
    words = [*WORDS, f"resume={place / 'run'}", f"store.folder={place / 'store'}"]
    code = "import sys; from bench.app import main; sys.argv[0] = 'bench'; main()"
    with (place / "said").open("ab") as said:
        return subprocess.Popen([sys.executable, "-c", code, *words], stdout=said, stderr=said)


def left(run: Path) -> dict[str, bytes]:
    """All that a run says, but when and how long: file -> bytes."""
    files = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
    timed = ("provenance.json", "config.yaml")  # times and places
    found = {str(one): (run / one).read_bytes() for one in files if one.name not in timed and one.parts[0] != ".hydra"}
    facts = json.loads((run / "provenance.json").read_text())["tasks"]
    return found | {"facts of tasks": json.dumps(facts, sort_keys=True).encode()}


@pytest.mark.slow
def test_killed_at_random_points(tmp_path: Path) -> None:
    began = time.monotonic()
    whole = start(tmp_path / "whole")
    assert whole.wait() == 0, (tmp_path / "whole/said").read_text()
    lasted = time.monotonic() - began
    expected, place = left(tmp_path / "whole/run"), tmp_path / "broken"
    assert "rows.csv" in expected
    assert sum(name.startswith("audits/") for name in expected) > 3
    chance, killed = random.Random(0), 0
    while killed < CRASHES:
        process = start(place)
        try:
            status = process.wait(chance.uniform(0.05, 1) * lasted)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            continue
        assert status == 0, (place / "said").read_text()
        assert left(place / "run") == expected
        shutil.rmtree(place)
    last = start(place)
    assert last.wait() == 0, (place / "said").read_text()
    assert left(place / "run") == expected


def test_a_finished_cell_is_not_done_again(tmp_path: Path) -> None:
    import tasks
    from bench.evaluation.zero_shot import ZeroShot
    from bench.flow import Settings, run_cells
    from bench.run_folder import RunFolder
    from tests.toys import ToyEncoder

    class Counted(ToyEncoder):
        calls = 0

        def encode_images(self, images):  # type: ignore[no-untyped-def]
            Counted.calls += 1
            return super().encode_images(images)

    def run(identity: str, *, resumed: bool) -> str:
        folder = RunFolder(tmp_path, {"run": "r"}, resumed=resumed)
        folder.keep_journal(identity)
        run_cells(Counted(), tasks.select("clipart"), [ZeroShot()], folder=folder, settings=Settings(limit=20))
        return (tmp_path / "rows.csv").read_text()

    first = run("a", resumed=False)
    calls = Counted.calls
    assert calls > 0
    assert run("a", resumed=True) == first
    assert Counted.calls == calls
    run("b", resumed=True)  # another configuration
    assert Counted.calls == 2 * calls
    run("b", resumed=False)
    assert Counted.calls == 3 * calls
