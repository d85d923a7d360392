"""The twelve traps that published harnesses fell into, each planted in a copy of a task: `bench-tasks check` names it.

A copy is a plugin file, checked by the command as a user would check it. What gives a trap away is the task's text, its
data, or a run on it, as each case says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import tasks
from tasks.cli import main
from tests.fixtures import grouped, layouts


class Trap(NamedTuple):
    """A plugin's text that defines TRAP, the name of the check that finds it, and what else lies on the disk."""

    plugin: str
    check: str
    words: Callable[[Path], list[str]] = lambda folder: []


def predictions(folder: Path, labels: np.ndarray, said: np.ndarray, card: dict[str, str] | None = None) -> list[str]:
    """A run folder with predictions and the card of its model."""
    path = folder / "run" / "predictions" / "trap--zero_shot--clean.parquet"
    path.parent.mkdir(parents=True)
    pd.DataFrame({"label": labels, "prediction": said}).to_parquet(path)
    (folder / "run" / "provenance.json").write_text(json.dumps({"model": card or {}}))
    return ["--predictions", str(path)]


def right_for_the_other_list(folder: Path) -> list[str]:
    """A model that is right in 60 % of 711 pictures, by the list that fits the labels: ours is reversed."""
    random = np.random.default_rng(0)
    shown = random.integers(4, size=711)
    return predictions(folder, shown, 3 - np.where(random.random(711) < 0.6, shown, random.integers(4, size=711)))


def run_of(**card: str) -> Callable[[Path], list[str]]:
    return lambda folder: predictions(folder, np.arange(200) % 10, np.arange(200) % 10, card)


def one_class_more(folder: Path) -> list[str]:
    layouts.folders(folder / "data", ["accordion", "ant", "chair"], path="caltech101/101_ObjectCategories")
    return ["--data"]


def hardly_a_picture_in_a_region(folder: Path) -> list[str]:
    grouped.fmow(folder / "data", ["airport", "zoo", "port"])
    return ["--data"]


POSITION = "from tasks.positions import by_position\n"
TRAPS = {
    "1 KITTI: the list of another copy": Trap(
        "from tasks.structured import KITTI as T\nfrom tasks.positions import by_position\n"
        "TRAP = T.renamed('trap', classes=by_position(T, int, backwards=True))",
        "class order",
        right_for_the_other_list,
    ),
    "2 CLEVR: numbers sorted as text": Trap(
        f"from tasks.structured import CLEVR_COUNTS as T\n{POSITION}"
        "TRAP = T.renamed('trap', classes=by_position(T, int))",
        "misplaced name",
    ),
    "3 VOC: diningtable and pottedplant": Trap(
        f"from tasks.scenes import VOC2007 as T\n{POSITION}"
        "TRAP = T.renamed('trap', classes=by_position(T))",
        "misplaced name",
    ),
    "4 CLEVR distance: an empty name": Trap(
        "from bench.task import ClassName\nfrom tasks.structured import CLEVR_DISTANCE as T\n"
        "TRAP = T.renamed('trap', classes=(*T.classes[:3], ClassName('3', ('',)), *T.classes[4:]))",
        "empty name",
    ),
    "5 ImageNet: one name twice": Trap(
        "from tasks.general import IMAGENET as T\nTRAP = T.renamed('trap')", "double name"
    ),
    "6 Pets: another order": Trap(
        f"from tasks.general import PETS as T\n{POSITION}"
        "TRAP = T.renamed('trap', classes=by_position(T, str.lower))",
        "misplaced name",
    ),
    "6 EuroSAT: another order": Trap(
        f"from tasks.general import EUROSAT as T\n{POSITION}"
        "TRAP = T.renamed('trap', classes=by_position(T))",
        "misplaced name",
    ),
    "7 Caltech: 102 names for 101 classes": Trap(
        "from tasks.text import named\nfrom tasks.scenes import CALTECH101_ALL as T\n"
        "TRAP = T.renamed('trap', classes=named(['accordion', 'ant', 'chair', 'background']), splits={'all': None})",
        "classes in all",
        one_class_more,
    ),
    "8 FMoW: a region with hardly a picture": Trap(
        "from tasks.people import FMOW\nTRAP = FMOW.renamed('trap', splits={'test': None})",
        "groups in test",
        hardly_a_picture_in_a_region,
    ),
    "9 dSprites: prompts without meaning": Trap(
        "from tasks.structured import DSPRITES_SHAPE as T\nfrom tasks.text import named\n"
        "TRAP = T.renamed('trap', classes=named(map(str, range(16))))",
        "meaning",
    ),
    "10 OpenAI's weights with GELU": Trap(
        "from tasks.general import CIFAR10\nTRAP = CIFAR10.renamed('trap')",
        "activation",
        run_of(name="openai/ViT-B-32", family="clip", variant="gelu; heads 12, 8", tokenizer="clip-bpe context 77"),
    ),
    "11 SigLIP without padding": Trap(
        "from tasks.general import CIFAR10\nTRAP = CIFAR10.renamed('trap')",
        "padding",
        run_of(name="google/siglip-base-patch16-224", family="transformers", tokenizer="SiglipTokenizer at most 64"),
    ),
    "12 Recall by a dense table": Trap(
        "from tasks.captions import FLICKR30K as T\nTRAP = T.renamed('trap', splits={'test': 100_000})", "dense recall"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_every_trap_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    trap, plugin = TRAPS[name], tmp_path / "plugin.py"
    plugin.write_text(trap.plugin + "\n")
    words = trap.words(tmp_path)
    status = main(["check", "trap", "--path", str(plugin), *words])
    lines = capsys.readouterr().out.splitlines()
    (found,) = [line for line in lines if f" trap: {trap.check}: " in line]
    assert status == (1 if any(line.startswith("error") for line in lines) else 0), found


@pytest.mark.parametrize(
    "card",
    [
        {"name": "openai/ViT-B-32", "family": "clip", "variant": "quickgelu; heads 12, 8", "tokenizer": "clip-bpe"},
        {"name": "laion/CLIP-ViT-B-32", "family": "clip", "variant": "gelu; heads 12, 8", "tokenizer": "clip-bpe"},
        {"name": "google/siglip2-base", "family": "transformers", "tokenizer": "Gemma lower-case padded to 64"},
        {"name": "open_clip/ViT-B-16-SigLIP/webli", "family": "open_clip", "tokenizer": "HFTokenizer context 64"},
        {},
    ],
    ids=lambda card: card.get("name", "no card"),
)
def test_models_that_are_read_right_are_left_alone(card: dict[str, str]) -> None:
    from tasks.checking import check_model

    assert check_model(card) == []


def test_the_lists_by_position_say_what_is_wrong_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The same mistakes offered by name for parity are notes: they are what these tasks are for."""
    names = ["pets_by_position", "eurosat_by_position", "voc2007_by_position", "clevr_counts_by_position"]
    assert main(["check", *names, "clevr_distance_datacomp"]) == 0
    out = capsys.readouterr().out
    assert out.count("misplaced name: as published:") == 4
    assert "empty name: as published:" in out


@pytest.mark.parametrize(
    ("name", "right"), [("pets", 4), ("eurosat", 0), ("voc2007", 12), ("clevr_counts", 0), ("kitti", 0)]
)
def test_how_many_names_the_lists_by_position_get_right(name: str, right: int) -> None:
    joined = {one.key: one.names for one in tasks.select(name)[0].classes}
    other = "kitti_reversed" if name == "kitti" else f"{name}_by_position"
    listed = tasks.select(other)[0]
    assert sum(joined[one.key] == one.names for one in listed.classes) == right
    assert sorted(one.names for one in listed.classes) == sorted(joined.values()), "the same names, in other places"


def test_distinct_names_of_imagenet() -> None:
    published, distinct = (tasks.select(name)[0].class_names for name in ("imagenet", "imagenet_distinct"))
    assert (len(set(published)), len(set(distinct))) == (998, 1_000)
    assert sum(a != b for a, b in zip(published, distinct, strict=True)) == 2
