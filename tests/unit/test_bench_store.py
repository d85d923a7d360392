"""`bench-store`: what it shows, finds damaged and deletes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.store import Store, shelf
from bench.store.command import main


@pytest.fixture
def place(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    for number, model in enumerate(("old", "new", "new")):
        key = f"{number}" * 32
        store.put(key, np.full((100, 10), number, np.float32), {"model": model, "kind": "projected", "task": "t"})
        seal = next(tmp_path.rglob(f"{key}.json"))
        facts = json.loads(seal.read_text())
        seal.write_text(json.dumps({**facts, "written": facts["written"] - 86400 * (40 - 20 * number)}))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict:  # type: ignore[type-arg]
    capsys.readouterr()
    main([*words, "--format", "json"])
    return json.loads(capsys.readouterr().out)


def test_it_shows_what_lies_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, "--folder", str(place))
    assert found["entries"] == 3
    assert [(one["model"], one["entries"]) for one in found["of"]] == [("new", 2), ("old", 1)]
    assert found["bytes"] == sum(path.stat().st_size for path in (place / "v2").rglob("*") if path.is_file())
    assert main(["--folder", str(place)]) == 0
    assert "old" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "left"),
    [(["--older-than", "30d"], "12"), (["--model", "new"], "0"), (["--model", "new", "--older-than", "1w"], "02"),
     (["--all"], ""), (["--to-size", "9K"], "12"), (["--to-size", "1G"], "012"), (["--broken"], "012")],
)  # fmt: skip
def test_it_deletes_what_was_asked_for(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], left: str
) -> None:
    def there() -> str:
        return "".join(str(number) for number in range(3) if f"{number}" * 32 in Store(place))

    would = said(capsys, "prune", "--folder", str(place), "--dry-run", *words)
    assert there() == "012"
    done = said(capsys, "prune", "--folder", str(place), *words)
    assert there() == left
    assert (would["would delete"], would["bytes"]) == (done["deleted"], done["bytes"])


def test_damage_and_remains_are_found_and_swept_up(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = next(place.rglob(f"{'1' * 32}.npy"))
    os.truncate(data, data.stat().st_size - 4)
    remains = [data.parent / ".tmp-half.npy", data.parent / f"11{'a' * 30}.npy"]
    for path in remains:
        path.write_bytes(b"no seal")
    assert main(["verify", "--folder", str(place)]) == 1
    assert len(said(capsys, "verify", "--folder", str(place))["damaged"]) == 1  # the fresh ones may be in the making
    for path in remains:
        os.utime(path, (0, time.time() - 2 * shelf.HOUR))
    assert len(said(capsys, "verify", "--folder", str(place))["damaged"]) == 3
    assert said(capsys, "prune", "--folder", str(place), "--broken")["deleted"] == 3
    assert main(["verify", "--folder", str(place)]) == 0
    assert sorted(path.name for path in data.parent.iterdir()) == []


def draw(place: Path) -> list[Path]:
    """Three drawn pictures: of 50 days ago, of now, and one that is being written."""
    found = [place / "pictures" / "ab" / name for name in (f"ab{'1' * 30}.png", f"ab{'2' * 30}.png", ".tmp-half.png")]
    found[0].parent.mkdir(parents=True)
    for path in found:
        path.write_bytes(b"0123456789")
    os.utime(found[0], (0, time.time() - 50 * 86400))
    return found


@pytest.mark.parametrize(
    ("words", "left"),
    [(["--all"], "3"), (["--older-than", "30d"], "23"), (["--to-size", "{five_less}"], "23"), (["--to-size", "0"], "3"),
     (["--model", "new"], "123"), (["--broken"], "123")],
)  # fmt: skip
def test_drawn_pictures_go_too(place: Path, capsys: pytest.CaptureFixture[str], words: list[str], left: str) -> None:
    pictures = draw(place)
    before = said(capsys, "--folder", str(place))
    assert (before["drawn pictures"], before["bytes of pictures"]) == (3, 30)
    five_less = before["bytes"] + 30 - 5
    done = said(capsys, "prune", "--folder", str(place), *(word.format(five_less=five_less) for word in words))
    assert "".join(str(i) for i, path in enumerate(pictures, start=1) if path.exists()) == left
    after = said(capsys, "--folder", str(place))
    assert done["deleted"] == before["entries"] - after["entries"] + 3 - len(left)
    assert done["bytes"] == before["bytes"] - after["bytes"] + 10 * (3 - len(left))


@pytest.mark.parametrize("words", [["--all"], ["--broken"], ["--to-size", "0"], ["--older-than", "1m"]])
def test_what_a_process_is_writing_stays_for_an_hour(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    data = next(place.rglob(f"{'1' * 32}.npy"))
    written = [data.parent / ".tmp-half.npy", data.parent / f"11{'a' * 30}.npy", draw(place)[2]]
    for path in written[:2]:
        path.write_bytes(b"no seal")
    for age, there in ((shelf.HOUR - 60, True), (shelf.HOUR + 60, False)):
        for path in written:
            os.utime(path, (0, time.time() - age))
        said(capsys, "prune", "--folder", str(place), *words)
        assert [path.exists() for path in written] == [there] * 3


def test_an_old_format_is_shown_and_goes_with_the_broken(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    former = place / "v1" / "ab"
    former.mkdir(parents=True)
    for name in (f"ab{'c' * 30}.npy", f"ab{'c' * 30}.json"):
        (former / name).write_bytes(b"0123456789")
    lines = said(capsys, "--folder", str(place))["of"]
    assert [(one["entries"], one["bytes"]) for one in lines if one["kind"] == shelf.FORMER] == [(2, 20)]
    assert main(["verify", "--folder", str(place)]) == 0
    assert said(capsys, "prune", "--folder", str(place), "--broken")["bytes"] == 20
    assert list(former.iterdir()) == []
    assert said(capsys, "--folder", str(place))["entries"] == 3


def test_nothing_is_deleted_without_a_word(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", "--folder", str(place)]) == 2
    assert "--older-than 30d" in capsys.readouterr().err
    assert main(["--folder", str(place / "none")]) == 0


@pytest.mark.parametrize(("text", "value"), [("20GB", 20 * 2**30), ("1.5M", 3 * 2**19), ("7", 7), ("2KiB", 2048)])
def test_sizes(text: str, value: int) -> None:
    assert shelf.size(text) == value


@pytest.mark.parametrize("text", ["many", "-3G", "3 days", ""])
def test_what_is_no_size_or_time_is_refused(text: str) -> None:
    with pytest.raises(BenchError, match="is no size"):
        shelf.size(text)
    with pytest.raises(BenchError, match="is no span"):
        shelf.seconds(text)


@pytest.mark.parametrize("words", [["--broken"], ["--all"], ["--older-than", "1m"], ["--to-size", "0"]])
def test_what_is_not_the_stores_own_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """A store may lie in a folder of data, some of which are called like its parts."""
    names = ("voc2007/1.jpg", "val/a.npy", "v1/notes.json", "v2/train.json", "v2/ab/x.npy", "pictures/cat.png",
             "v1/0/0001.png", "v1/a/a.json", "v2/1/10.npy", "pictures/0/00012.png", "pictures/ca/ca.png",
             f"v1/ab/ab{'0' * 30}.png", f"v2/cd/ab{'0' * 30}.npy", f"pictures/ab/ab{'0' * 30}.json")  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
        os.utime(tmp_path / name, (0, 0))
    assert said(capsys, "prune", "--folder", str(tmp_path), *words)["deleted"] == 0
    assert all((tmp_path / name).exists() for name in names)


def test_entries_that_another_process_deletes_meanwhile(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shelf.entries(place)
    monkeypatch.setattr(shelf, "_state", lambda path: None)
    assert found
    assert shelf.entries(place) == []
