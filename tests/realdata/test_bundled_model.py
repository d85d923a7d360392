"""The bundled checkpoint on the complete test set of CIFAR-10, which no training used."""

import json
from pathlib import Path

import pytest

import bench
from bench.model.clip.checkpoint import BUNDLED, CARD

pytestmark = pytest.mark.realdata


def test_cifar10_as_the_card_says(folder: Path, tmp_path: Path) -> None:
    table = bench.run(model="bundled", task="cifar10", **{"store.folder": str(tmp_path)})
    row = table[table["headline"]].iloc[0]
    figure = json.loads((BUNDLED / CARD).read_text())["figures"]["cifar10"]
    assert row["n"] == 10_000
    assert row["value"] == pytest.approx(figure["value"], abs=0.002)
    assert row["low"] > 0.40
