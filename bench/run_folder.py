"""The run folder: all that a run leaves behind, and all that a report needs (no model, no data set).

rows.csv rows.parquet                            the results table
predictions/<task>--<evaluation>--<condition>.parquet   one row a picture
audits/<audit>--<table>.parquet                  what an audit found besides rows: curves, matrices, pictures
samples/<task>.parquet                           thumbnails: some pictures at random, and the most confident mistakes
finished/                                        rows of finished cells, for a run that goes on (`bench.journal`)
config.yaml provenance.json                      what was run, with which versions, weights, prompts and data
"""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import results
from bench.errors import BenchError
from bench.evaluation import Scored
from bench.evaluation.captions import flat, texts_of
from bench.journal import Journal, forget
from bench.store import atomic
from bench.store.locks import held
from bench.task import Samples, Task, digest
from bench.thumbnails import jpeg

LOCK = ".lock"
"""A file that the process which writes a run folder holds."""
PARTS = ("predictions", "audits", "samples", "finished")
"""Folders in it that hold files of ours only."""
KEPT = 8
"""Pictures kept of each kind a task."""
PACKAGES = ("torch", "torchvision", "numpy", "pandas", "pillow", "scikit-learn", "hydra-core", "open_clip_torch",
            "transformers", "datasets", "zeroshot-bench")  # fmt: skip


@dataclass
class RunFolder:
    """Writes one run's folder. Every file is replaced atomically."""

    path: Path
    provenance: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False
    """Go on with what is there; else a journal that is there is forgotten."""
    journal: Journal | None = None

    def __post_init__(self) -> None:
        _made(self.path)
        before = self._before() if self.resumed else {}
        if self.resumed:
            _clear(self.path, "[.]tmp-*", ("", *PARTS))
        else:
            self._forget()
        self.provenance = {"schema": results.SCHEMA_VERSION, "versions": versions(), "platform": machine(),
                           "tasks": _of(dict, before.get("tasks")), "stages": _of((int, float), before.get("stages")),
                           **self.provenance}  # fmt: skip

    def _before(self) -> dict[str, Any]:
        """Provenance of the run that was stopped."""
        try:
            found = json.loads((self.path / "provenance.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _forget(self) -> None:
        """What an earlier run left here, but for its rows, which stay until there are new ones."""
        forget(self.path)
        if (self.path / "provenance.json").exists():
            _clear(self.path, "*.parquet", PARTS)

    def keep_journal(self, *parts: str) -> None:
        """Finished cells are noted under an identity of these parts and of the versions of what computes them."""
        self.journal = Journal(self.path, digest(*parts, json.dumps(self.provenance["versions"], sort_keys=True)))

    def save_rows(self, table: pd.DataFrame) -> None:
        results.save(table, self.path)
        self.save_provenance()

    def save_provenance(self) -> None:
        note(self.path, self.provenance)

    def add_time(self, stage: str, seconds: float) -> None:
        """Seconds spent in a stage, summed over calls."""
        stages = self.provenance["stages"]
        stages[stage] = round(stages.get(stage, 0.0) + seconds, 3)
        self.save_provenance()

    def save_cell(
        self,
        task: Task,
        evaluation: str,
        condition: str,
        predictions: Scored,
        samples: Samples,
        *,
        chance: float,
    ) -> None:
        """Predictions, sample pictures and the task's facts. `chance` is that of the headline row."""
        table = predictions.table()
        about = {
            "schema": results.SCHEMA_VERSION, "run": self.provenance.get("run", ""),
            "model": self.provenance.get("model", {}).get("name", ""), "task": task.name, "split": predictions.split,
            "evaluation": evaluation, "condition": condition, "choices": list(predictions.choices),
            "fingerprint": samples.fingerprint, "metric": task.metric,
            "chance": None if math.isnan(chance) else chance, "notes": task.notes, "protocol": task.protocol,
        }  # fmt: skip
        name = f"{task.name}--{evaluation}--{condition}.parquet"
        self._save(table, f"predictions/{name}", about)
        if condition == "clean":
            self._save(sample_pictures(table, samples), f"samples/{task.name}.parquet", about)
            self.provenance["tasks"][task.name] = {**task_facts(task, samples), "chance": about["chance"]}
            self.save_provenance()  # before the journal has the cell: a run that goes on does not come here again

    def save_table(self, audit: str, name: str, table: pd.DataFrame, about: dict[str, Any]) -> None:
        """A table of an audit, for its report."""
        facts = {"schema": results.SCHEMA_VERSION, "run": self.provenance.get("run", ""),
                 "model": self.provenance.get("model", {}).get("name", ""), "audit": audit, "name": name,
                 **about}  # fmt: skip
        self._save(table, f"audits/{audit}--{name}.parquet", facts)

    def _save(self, table: pd.DataFrame, name: str, about: dict[str, Any]) -> None:
        _save_parquet(table, self.path / name, about)
        if self.journal is not None:
            self.journal.left.append(name)


def _clear(folder: Path, pattern: str, parts: Iterable[str]) -> None:
    """Delete files of this pattern in these parts of the folder."""
    for part in parts:
        for file in (folder / part).glob(pattern):
            file.unlink(missing_ok=True)


def _of(kind: type | tuple[type, ...], found: Any) -> dict[str, Any]:
    """The entries of this kind of what should be a dict of them; provenance may be damaged."""
    return {key: one for key, one in found.items() if isinstance(one, kind)} if isinstance(found, dict) else {}


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"Cannot make the run folder {folder}: {error.strerror or error}.") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process writes the run folder while this lasts.

    Raises:
        BenchError: another one does.
    """
    from filelock import Timeout

    _made(folder)
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder / LOCK, wait=False))
        except Timeout as error:
            raise BenchError(
                f"{folder} is being written by another process. Wait until it has ended, end it, or give another "
                "folder (resume= or hydra.run.dir=)."
            ) from error
        yield


def note(folder: Path, provenance: Mapping[str, Any]) -> None:
    """Write the provenance of a run, which need not have got further."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(provenance, indent=1, default=str)
    atomic(folder / "provenance.json", lambda path: path.write_text(text))


def sample_pictures(table: pd.DataFrame, samples: Samples) -> pd.DataFrame:
    """Thumbnails of a few pictures at random and of the most confident mistakes."""
    random = np.random.default_rng(0).permutation(len(table))[:KEPT]
    wrong = table.index[table["correct"] == 0]
    mistakes = table.loc[wrong, "confidence"].sort_values(ascending=False, kind="stable").index[:KEPT]
    chosen = [(int(i), "random") for i in random] + [(int(i), "confident_mistake") for i in mistakes]
    return pd.DataFrame({
        "id": [table["id"][i] for i, _ in chosen],
        "label": [table["label"][i] for i, _ in chosen],
        "jpeg": [thumbnail(samples, i) for i, _ in chosen],
        "why": [why for _, why in chosen],
    })  # fmt: skip


def thumbnail(samples: Samples, index: int) -> bytes:
    """Picture `index` as a small JPEG."""
    return jpeg(samples.images[index])


def task_facts(task: Task, samples: Samples) -> dict[str, Any]:
    """What a reader must know to reproduce a cell."""
    if task.protocol == "classification":
        prompts = [text for i in range(len(task.classes)) for text in task.prompts(i)]
    else:
        prompts = list(texts_of(task, flat(samples)[0]))
    return {
        "family": task.family, "protocol": task.protocol, "classes": len(task.classes), "prompts": len(prompts),
        "templates": list(task.templates), "prompt_hash": digest(*prompts),
        "licence": task.licence, "reference": task.reference, "notes": task.notes, "metric": task.metric,
        "test_n": len(samples), "fingerprint": samples.fingerprint,
    }  # fmt: skip


def versions() -> dict[str, str]:
    """Installed versions of the packages that may change a number."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    import os

    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count(),
            "byteorder": sys.byteorder}  # fmt: skip


def _save_parquet(table: pd.DataFrame, path: Path, about: dict[str, Any]) -> None:
    """Parquet with `about` as JSON in the file's metadata under the key `bench`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), b"bench": json.dumps(about).encode()})
    atomic(path, lambda temporary: pq.write_table(arrow, temporary))
