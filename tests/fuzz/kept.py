"""What a run, the store or a person left for a later run: makers and readers for the fuzzer.

Where damage can be told by a seal, the readers also demand that nothing altered is ever taken for whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

ROWS = [{"task": "t", "value": 0.1 + 0.2, "low": float("nan"), "n": 7, "status": "ok", "reason": ""}]
READ = {"t": "one hash", "t test": "another"}
FRESH = [{"task": "t", "value": 0.5, "low": 0.25, "n": 7, "status": "ok", "reason": ""}]


def read_before(names: Iterable[str]) -> dict[str, str]:
    return {name: READ.get(name, "") for name in names}


def journal(folder: Path) -> Path:
    from bench.journal import Journal

    Journal(folder, "who").once("cell", read_before, lambda: ROWS, lambda: READ)
    return next((folder / "finished").iterdir())


def read_journal(folder: Path) -> Any:
    from bench.journal import Journal

    kept = (folder / "finished").iterdir()
    whole = {path: path.read_bytes() for path in kept}
    rows = Journal(folder, "who").once("cell", read_before, lambda: FRESH, lambda: READ)
    for path, content in whole.items():
        path.write_bytes(content)
    assert repr(rows) in (repr(ROWS), repr(FRESH)), "damaged rows were taken for whole"
    return rows


ARRAY = np.arange(12, dtype=np.float32).reshape(4, 3)
KEY = "ab" * 16


def stored(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from bench.store import Store

        Store(folder).put(KEY, ARRAY, {"model": "m", "kind": "projected", "task": "t"})
        return next(folder.rglob(f"{KEY}{suffix}"))

    return make


def read_store(folder: Path) -> Any:
    from bench.store import files, shelf

    found = shelf.entries(folder)
    sealed = files.read(found[0].base, {})
    assert sealed is None or not all(sealed.sound) or np.array_equal(sealed.array, ARRAY), "damage was not seen"
    return list(shelf.damaged(found))


def audited(folder: Path) -> Path:
    from bench.run_folder import RunFolder

    table = pd.DataFrame({"group": ["a", "b"], "value": [0.5, 0.25]})
    RunFolder(folder).save_table("disparity", "shown", table, {"task": "t", "n": 4})
    return next((folder / "audits").iterdir())


def read_audited(folder: Path) -> Any:
    from reports.folder import Run

    path = next((folder / "audits").iterdir())
    return Run(folder, pd.DataFrame(), {}, (), {path.stem: path}).table("disparity", "shown")


def samples(folder: Path) -> Path:
    from tests.unit.reports.made import Maker, Toy

    Maker(folder).save(Toy("flags", n=20))
    return folder / "samples" / "flags.parquet"


def read_samples(folder: Path) -> Any:
    from reports.folder import read
    from reports.pictures import Budget, gallery

    return [gallery(cell, Budget(1 << 20)) for cell in read(folder).cells]


def merge(folder: Path) -> Path:
    from reports.folder import note_merge, read
    from tests.unit.reports.made import Maker, Toy

    (folder / "merged").mkdir()
    note_merge([read(Maker(folder / "one").save(Toy("flags", n=20)))], folder / "merged")
    return folder / "merged" / "runs.json"


def read_merge(folder: Path) -> Any:
    from reports.folder import read_all

    return read_all([folder / "merged"])


def manifest(suffix: str) -> Callable[[Path], Path]:
    """A generator's pictures for the audit of bias."""

    def make(folder: Path) -> Path:
        Image.new("RGB", (4, 4)).save(folder / "a.png")
        table = pd.DataFrame({"prompt": ["a nurse", "a pilot"], "file": ["a.png", "a.png"]})
        path = folder / f"manifest{suffix}"
        if suffix == ".jsonl":
            table.to_json(path, orient="records", lines=True)
        else:
            _ = table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
        return path

    return make


def read_manifest(folder: Path) -> Any:
    from bench.audit.bias.generated import read_manifest as read

    return read(folder)


def references(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        table = pd.DataFrame({"model": ["a"], "shift": ["s"], "in_distribution": [0.5], "shifted": [0.25]})
        (folder / "audits").mkdir()
        path = folder / "audits" / f"robustness--shift-s{suffix}"
        _ = table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
        return path

    return make


def read_references(folder: Path) -> Any:
    from bench.audit.robustness.references import collect

    csv = folder / "audits" / "robustness--shift-s.csv"
    return collect([str(csv if csv.exists() else folder)])


def training_vectors(folder: Path) -> Path:
    np.save(path := folder / "v.npy", np.eye(3, 4, dtype=np.float32))
    return path


def read_training_vectors(folder: Path) -> Any:
    from bench.audit.robustness.seen import _vectors

    return _vectors(str(folder / "v.npy"))


def label_set(folder: Path) -> Path:
    (path := folder / "labels.txt").write_text("# note: drawn\nnurse\twork\npilot\twork\n")
    return path


def read_label_set(folder: Path) -> Any:
    from bench.audit.label_sets import read

    return read(folder / "labels.txt")


def ratings(folder: Path) -> Path:
    (path := folder / "r.csv").write_text("prompt,a,b,winner\nx,one,two,a\ny,one,two,tie\n")
    return path


def read_ratings(folder: Path) -> Any:
    from bench.scoring.ratings import agreement, read, win_rates

    table = read(folder / "r.csv")
    return win_rates(table), agreement(table)


def modules(folder: Path) -> Path:
    import torch

    torch.save(torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3)), path := folder / "encoder.pkl")
    return path


def vae(folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    save_file({"blocks.input.w": torch.zeros(1, 1, 1, 1)}, path := folder / "encoder.safetensors")
    return path


def read_half(folder: Path) -> Any:
    from bench.generator.dalle.convert import read_half as read

    return read(next(folder.glob("encoder.*")))


def dalle(damaged: str) -> Callable[[Path], Path]:
    """A DALL-E of a few weights, of which a file is damaged."""

    def make(folder: Path) -> Path:
        from bench.generator.dalle.checkpoint import DalleCard, save
        from bench.generator.dalle.vae import Vae, VaeShape
        from tests.unit.generator.tiny import TINY, tiny_transformer

        shape = VaeShape(width=2, blocks=1, vocab=13, start=2, groups=2)
        save(folder, DalleCard("tiny", shape, TINY, ("a", "b")), Vae(shape), tiny_transformer())
        return folder / damaged

    return make


def read_dalle(folder: Path) -> Any:
    """With a hash on the card that fits, as whoever means harm would write it."""
    import json

    from bench.generator.dalle.checkpoint import CARD, WEIGHTS, load
    from bench.store import checksum

    try:
        said = {**json.loads((folder / CARD).read_text()), "weights": checksum(folder / WEIGHTS)}
        (folder / CARD).write_text(json.dumps(said))
    except (TypeError, ValueError, RecursionError):
        pass  # the card is what is damaged
    found = load(folder)
    return found.card.vocabulary, found.card.side
