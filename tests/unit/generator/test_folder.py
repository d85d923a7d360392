"""A folder of pictures as a generator: found by prompt and seed, what is missing stays visible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from bench.errors import BenchError
from bench.generator import Generator
from bench.generator.folder import MANIFEST, Folder


def write(folder: Path, entries: list[object]) -> Folder:
    (folder / MANIFEST).write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in entries))
    return Folder(folder, name="other")


def test_pictures_are_found_by_prompt_and_seed(tmp_path: Path) -> None:
    for colour in ("red", "blue"):
        Image.new("RGB", (4, 4), colour).save(tmp_path / f"{colour}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    made = write(tmp_path, [
        {"file": "red.png", "prompt": "a"}, {"file": "blue.png", "prompt": "a", "seed": 1},
        {"file": "broken.png", "prompt": "b"}, {"file": "gone.png", "prompt": "c"},
    ])  # fmt: skip
    assert isinstance(made, Generator)
    found = made.generate(["a", "a", "b", "c", "d", "a"], [1, 0, 0, 0, 0, 2])
    assert [one and one.getpixel((0, 0)) for one in found] == [(0, 0, 255), (255, 0, 0), None, None, None, None]


def test_card_follows_the_pictures(tmp_path: Path) -> None:
    identities = set()
    for colour in ("red", "blue"):
        Image.new("RGB", (4, 4), colour).save(tmp_path / "x.png")
        identities.add(write(tmp_path, [{"file": "x.png", "prompt": "a"}]).card.identity)
    assert len(identities) == 2


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["{"], "line 1 is no JSON object"),
        ([{"prompt": "a"}], "line 1 needs file, and id or prompt"),
        ([{"file": "x", "prompt": "a", "seed": "one"}], "whole number"),
        ([{"file": "x", "prompt": "a", "seed": 0}] * 2, "line 2.*twice"),
        ([{"file": "../x", "prompt": "a"}], "outside the folder"),
    ],
)
def test_bad_manifests_are_refused(tmp_path: Path, entries: list[object], said: str) -> None:
    with pytest.raises(BenchError, match=said):
        write(tmp_path, entries).generate(["a"], [0])


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=MANIFEST):
        Folder(tmp_path).generate(["a"], [0])
