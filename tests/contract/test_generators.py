"""Every generator keeps the contract: a card, pictures in order, the same picture for the same prompt and seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from bench.errors import BenchError
from bench.generator import Generator, GeneratorCard
from bench.generator.dalle import Dalle
from bench.generator.dalle.checkpoint import BUNDLED, CARD
from bench.generator.folder import Folder

NEEDS_WEIGHTS = pytest.mark.skipif(not (BUNDLED / CARD).is_file(), reason="no checkpoint is bundled")


def folder(path: Path) -> Folder:
    for seed, colour in enumerate(("red", "blue", "green")):
        Image.new("RGB", (8, 8), colour).save(path / f"{seed}.png")
    entries = [{"file": f"{seed}.png", "prompt": "a red circle", "seed": seed} for seed in range(3)]
    (path / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)))
    return Folder(path)


@pytest.fixture(params=["folder", pytest.param("dalle", marks=NEEDS_WEIGHTS)])
def generator(request: pytest.FixtureRequest, tmp_path: Path) -> Generator:
    return Dalle() if request.param == "dalle" else folder(tmp_path)


def test_card(generator: Generator) -> None:
    assert isinstance(generator, Generator)
    assert isinstance(generator.card, GeneratorCard)
    assert len(generator.card.weights) == 64 or generator.card.family == "folder"
    assert generator.card.identity


def test_same_prompt_and_seed_same_picture(generator: Generator) -> None:
    prompts = ["a red circle"] * 3
    first = generator.generate(prompts, [0, 1, 2])
    again = generator.generate(prompts[:1], [2])
    assert all(isinstance(one, Image.Image) and one.mode == "RGB" for one in first)
    assert first[2] is not None
    assert again[0] is not None
    assert first[2].tobytes() == again[0].tobytes()
    assert len({one.tobytes() for one in first if one is not None}) == 3
    assert generator.generate([], []) == []


def test_seeds_must_match_prompts(generator: Generator) -> None:
    with pytest.raises(BenchError, match="one seed a prompt"):
        generator.generate(["a red circle"], [1, 2])
