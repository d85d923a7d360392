"""The live line: rate and time left of what is made now, silence in logs, and what the last line says."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench import results
from bench.embeddings import Needs, embed
from bench.errors import BenchError
from bench.evaluation.rows import describe, failure
from bench.model.load import load_model
from bench.progress import Line
from bench.store import SHARD, ShareDoneError, Store
from tests.toys import ToyEncoder, save_small_clip, toy_task

CLEAR = "\r\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr("bench.progress.time.perf_counter", own)
    return own


def drawn(monkeypatch: pytest.MonkeyPatch, clock: Clock, *calls: tuple[float, str, int, int]) -> list[str]:
    """What stands on a terminal after each change of the line. A call: seconds after the first, stage, done, total."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    line, began = Line(), clock.now
    for after, *call in calls:
        clock.now = began + after
        line.progress(*call)  # type: ignore[arg-type]
    return [" ".join(one.split()) for one in screen.getvalue().split(CLEAR)[1:]]


def test_rate_and_time_left_are_of_what_was_done_since_the_stage_began(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    seen = drawn(monkeypatch, clock, (0, "a", 0, 1000), (2, "a", 100, 1000), (4, "a", 400, 1000))
    assert seen == ["a 0/1000", "a 100/1000 50/s 18.0 s left", "a 400/1000 100/s 6.0 s left"]
    seen = drawn(monkeypatch, clock, (0, "a", 900, 6100), (10, "a", 1000, 6100))
    assert seen == ["a 900/6100", "a 1000/6100 10/s 8:30 min left"]


def test_a_stage_begins_with_its_name_or_from_nothing(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    calls = [(0, "a", 0, 50), (5, "a", 50, 50), (9, "b", 0, 20), (10, "b", 10, 20), (50, "b", 0, 10), (51, "b", 5, 10)]
    seen = drawn(monkeypatch, clock, *calls)
    assert seen[-4:] == ["b 0/20", "b 10/20 10/s 1.0 s left", "b 0/10", "b 5/10 5/s 1.0 s left"]


def test_the_line_is_not_drawn_more_often_than_one_can_read(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    seen = drawn(monkeypatch, clock, *((i / 100, "a", i, 100) for i in range(101)))
    assert len(seen) == 6
    assert seen[-1].startswith("a 100/100 ")


def test_a_finished_cell_takes_the_place_of_the_live_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    line = Line()
    line.stage("report")
    line.cell([ok()])
    assert line.live
    assert screen.getvalue() == f"{CLEAR}  report ...{CLEAR}"
    said = " ".join(capsys.readouterr().out.split())
    assert said == "toys zero_shot top1 0.500 [0.400, 0.600] n=9 chance 0.333"


def ok(**facts: Any) -> dict[str, Any]:
    found = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "chance": 1 / 3, "status": "ok", "reason": ""}
    return {**describe("m", toy_task(), "zero_shot", "r"), **found, **facts}


def waiting(store: Path) -> dict[str, Any]:
    """The row of a cell of which this process has but a share."""
    keys = ["red"] * (SHARD + 1)
    with pytest.raises(ShareDoneError) as caught:
        run(toy_task(keys=keys), Store(store, share=(0, 2)))
    return failure(describe("m", toy_task("large"), "zero_shot", "r"), caught.value, status="skipped")


def test_in_a_log_there_is_one_line_a_cell_and_one_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line()
    line.progress("toys: pictures", 5, 10)
    line.stage("report")
    failed = failure(describe("m", toy_task("bad"), "zero_shot", "r"), BenchError("No disk."))
    other = failure(describe("m", toy_task("none"), "audit", "r"), BenchError("No groups."), status="skipped")
    rows = [ok(), failed, waiting(tmp_path), other]
    for row in rows[:3]:
        line.cell([row])
    line.end(results.frame(rows), 75, None, "report 60 %")
    said = capsys.readouterr()
    assert said.err == ""
    assert "\x1b" not in said.out
    _, second, third, last = (" ".join(one.split()) for one in said.out.splitlines())
    assert second == "bad zero_shot FAILED: No disk."
    assert third.startswith("large zero_shot WAITING: Share 0 of 2")
    assert last == "4 cells in 1:15 min, 1 FAILED, 1 waiting for other shares, 1 skipped: report 60 %."


def test_shares_that_wait_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Line().end(results.frame([waiting(tmp_path)]), 1, None, "")
    assert capsys.readouterr().out == "1 cell in 1.0 s, 1 waiting for other shares.\n"


def run(task: Any, store: Store, encoder: Any = None, texts: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
    """The calls of progress while a task is embedded."""
    seen: list[tuple[str, int, int]] = []
    embed(task, Needs(("test",), texts), encoder or ToyEncoder(), samples=task.samples, store=store,
          progress=lambda *call: seen.append(call))  # fmt: skip
    return seen


def test_pictures_are_counted_as_they_are_made(tmp_path: Path) -> None:
    task, stage = toy_task(keys=["red"] * 100), "toys: pictures"
    for store in (Store(), Store(tmp_path)):
        assert run(task, store) == [(stage, 0, 100), (stage, 64, 100), (stage, 100, 100)]
    assert run(task, Store(tmp_path)) == []


def test_what_was_in_the_store_is_not_counted_as_made(tmp_path: Path) -> None:
    class Killed(ToyEncoder):
        def encode_images(self, images):  # type: ignore[no-untyped-def]
            if self.images_seen == SHARD:
                raise KeyboardInterrupt
            return super().encode_images(images)

    task, stage = toy_task(keys=["red"] * (2 * SHARD + 5)), "toys: pictures"
    with pytest.raises(KeyboardInterrupt):
        run(task, Store(tmp_path), Killed())
    seen = run(task, Store(tmp_path))
    assert seen[:2] == [(stage, 0, SHARD + 5), (stage, 64, SHARD + 5)]
    assert seen[-1] == (stage, SHARD + 5, SHARD + 5)


def test_a_share_counts_its_own_pictures(tmp_path: Path) -> None:
    task, seen = toy_task(keys=["red"] * (2 * SHARD + 5)), []  # type: ignore[var-annotated]
    with pytest.raises(ShareDoneError):
        embed(task, Needs(("test",)), ToyEncoder(), samples=task.samples, store=Store(tmp_path, share=(0, 2)),
              progress=lambda *call: seen.append(call[1:]))  # fmt: skip
    assert (seen[0], seen[-1]) == ((0, SHARD + 5), (SHARD + 5, SHARD + 5))


def test_prompts_are_counted_batch_by_batch(tmp_path: Path) -> None:
    path = save_small_clip(tmp_path / "small.safetensors")
    encoder = load_model(str(path), device="cpu", batch_size=5)
    texts = tuple(f"{number} of them" for number in range(50))
    seen = [call[1:] for call in run(toy_task(keys=["red"]), Store(), encoder, texts) if call[0] == "prompts"]
    done = [count for count, of in seen if of == 50]
    assert (len(done), done[0], done[-1]) == (len(seen), 0, 50)
    assert len(done) > 3
    assert all(first < second for first, second in pairwise(done))
