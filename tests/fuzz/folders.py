"""Folders that a run, a sweep or a generator left: makers and readers for the fuzzer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image


def manifest(folder: Path) -> Path:
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    lines = [{"file": "a.png", "prompt": "a red cube", "sample": 0}, {"file": "a.png", "prompt": "a dog", "sample": 1}]
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def read_manifest(folder: Path) -> Any:
    from bench.generator.folder import Folder

    return Folder(folder).files


def run(damaged: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from tests.unit.reports.made import Maker, Toy

        Maker(folder).save(Toy("flags", ["a", "b", "c"], 30, 0.5, "drawn"))
        return sorted(folder.glob(damaged))[0]

    return make


def read_run(folder: Path) -> Any:
    from reports.folder import merged_rows, read

    found = read(folder)
    return merged_rows([found]), [(cell.predictions, cell.choices) for cell in found.cells]


def overrides(folder: Path) -> Path:
    from bench import results
    from bench.evaluation.rows import describe
    from bench.run_folder import RunFolder
    from tasks import select

    facts = {"chance": 0.1, "group": "all", "metric": "top1", "headline": True, "value": 0.5, "n": 9, "status": "ok"}
    place = RunFolder(folder / "0", {"run": "r", "seconds": 1.0})
    place.save_rows(results.frame([{**describe("m", select("clipart")[0], "zero_shot", "r"), **facts}]))
    path = folder / "0" / ".hydra" / "overrides.yaml"
    path.parent.mkdir()
    path.write_text("- task=clipart\n- 'limit=5'\n- resume=x\n")
    return path


def read_overrides(folder: Path) -> Any:
    from omegaconf import OmegaConf

    from bench.cluster.jobs import Job

    sweep = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}})
    return Job(0, ("task=clipart", "limit=5"), SimpleNamespace(), sweep).finished()  # type: ignore[arg-type]
