"""Every audit under conf/audit composes, is made with the settings it states, and runs in the toy world."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import conf
from bench.assemble import make
from bench.audit import Audit
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.overrides import composed, prepare
from bench.run_folder import RunFolder
from bench.task import Pictures, Records, Task
from reports import folder, page
from tests.toys import COLOURS, ToyEncoder, toy_card, toy_task

EVERY = [name for name in conf.groups()["audit"] if name != "none"]
MAY_NOT_APPLY: dict[str, str] = {"composition": "has no generator"}
"""Audit -> part of the reason that toys are none of its business."""

CHEAP = {"robustness": ["audit.pictures=8"], "bias": ["audit.draws=200"], "disparity": ["audit.draws=200"]}
"""Settings that save time and change nothing else."""


def toys(groups: tuple[str, str] = ("left", "right")) -> Task:
    """240 flat pictures of three colours, with two attributes; every tenth is labelled wrong."""
    from PIL import Image

    shown = [tuple(COLOURS)[i % 3] for i in range(240)]
    keys = [tuple(COLOURS)[(i + (i % 10 == 0)) % 3] for i in range(240)]
    attributes = pd.DataFrame({"side": list(groups) * 120, "size": (["s"] * 2 + ["l"] * 2) * 60})
    pictures = Pictures(240, lambda i: Image.new("RGB", (8, 8), COLOURS[shown[i]]))
    records = Records(pictures, keys, [str(i) for i in range(240)], "toys with groups", attributes)
    return toy_task("toys", load=lambda split: records, splits={"test": 240})


def cheap(name: str) -> Audit:
    """The audit with the settings of its YAML, or nearly."""
    audit: Audit = make(composed(prepare([f"audit={name}", *CHEAP.get(name, [])])).audit, "audit")
    return audit


@pytest.mark.parametrize("name", EVERY)
def test_runs_in_the_toy_world(name: str, tmp_path: Path) -> None:
    audit = cheap(name)
    assert audit.name == name
    place = RunFolder(tmp_path, provenance={"run": "r", "model": toy_card().as_dict()})
    rows = run_cells(ToyEncoder(), [toys()], [ZeroShot()], audits=[audit], folder=place, settings=Settings(run="r"))
    bad = rows[(rows["status"] != "ok") & (rows["group"] == "all")]
    stated = bad["reason"].str.contains(MAY_NOT_APPLY.get(name, "\0"), regex=False)
    assert (bad["status"] == "skipped").all(), bad["reason"].tolist()
    assert stated.all(), bad["reason"].tolist()
    assert folder.read(tmp_path).audits == ([] if stated.any() else [name])
    assert page.write(tmp_path).exists()


@pytest.mark.parametrize("name", EVERY)
def test_a_task_on_the_command_line_wins(name: str) -> None:
    assert composed(prepare([f"audit={name}", "task=cifar10"])).task.names == ["cifar10"]
