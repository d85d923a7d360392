"""Bias of a generator: its pictures for neutral prompts, read by this model, corrected by this model's own errors.

Any text-to-image generator will do: the folder holds pictures and a manifest (`manifest.csv`, `.jsonl` or `.parquet`)
with a column `prompt` and a column `file`. The task under audit is the attribute: `task=fairface_gender` asks for
perceived gender, and its labelled pictures give the classifier's confusion.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.audit import Table
from bench.audit.group_performance import frame, templates_table
from bench.audit.look import Look, spread_rows
from bench.audit.measures.parity import decisions
from bench.audit.measures.perceived import Composition, composition, confusion_counts, distance
from bench.errors import BenchError, reading
from bench.evaluation.rows import Row
from bench.metrics import Estimate
from bench.picture_files import opened
from bench.task import Pictures, Records, Task, digest
from bench.unpacking import read_parquet

if TYPE_CHECKING:
    import pandas as pd

PART = "generated"
MANIFESTS = ("manifest.csv", "manifest.jsonl", "manifest.parquet")


def generated(look: Look, folder: str, reference: Mapping[str, float]) -> Iterator[Row | Table]:
    """Rows `perceived[class]` and `distance` by prompt (group) and over all; table `generated`."""
    names = look.task.class_names
    manifest = read_manifest(Path(folder).expanduser())
    wanted = shares_of(reference, names)
    vectors = look.session.images(_task(look.task, manifest))
    classifier = look.classifier(names, look.task.templates).T  # one and the same for both kinds of pictures
    confusion = confusion_counts(look.predictions.labels, decisions(look.images @ classifier))
    decided = decisions(vectors @ classifier)
    lines: list[dict[str, Any]] = []
    for group, own in _by_prompt(manifest, look.how.minimum):
        found = composition(decided[own].sum(axis=0), confusion, draws=look.how.draws, seed=look.how.seed)
        apart = distance(found, wanted, seed=look.how.seed)
        look.enter(PART, "distance", group, apart.p, apart.estimate.value)
        yield look.row("distance", apart.estimate, group=group, chance=apart.null)
        for c, name in enumerate(names):
            yield look.row(f"perceived[{name}]", _share(found, c), group=group)
            lines.append({
                "group": group, "class": name, "perceived": found.perceived[c], "corrected": found.corrected[c],
                "low": found.low[c], "high": found.high[c], "reference": wanted[c], "n": found.n,
                "distance": apart.estimate.value, "distance_low": apart.estimate.low,
                "distance_high": apart.estimate.high, "null": apart.null, "p": apart.p,
            })  # fmt: skip
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    yield look.table(PART, frame(lines), folder=folder, confusion=rates.tolist(), classes=list(names),
                     pictures=len(manifest), labelled=int(confusion.sum()))  # fmt: skip
    values = {template: _under(look, vectors, wanted, template) for template in look.task.templates}
    yield from spread_rows(look, values)
    yield templates_table(look, PART, values)


def read_manifest(folder: Path) -> pd.DataFrame:
    """Columns `prompt` and `file` (an absolute path).

    Raises:
        BenchError: no folder, no manifest, a column or a picture that is missing.
    """
    import pandas as pd
    import pyarrow as pa

    path = next((folder / name for name in MANIFESTS if (folder / name).is_file()), None)
    if path is None:
        raise BenchError(
            f"No manifest in {folder}. Put one of {', '.join(MANIFESTS)} there, with a column `prompt` and a column "
            "`file` (the picture, relative to the folder)."
        )
    with reading(path, "a manifest", mend="Write it again.", also=(pa.ArrowException,)):
        table = (read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True)
                 if path.suffix == ".jsonl" else pd.read_csv(path, dtype=str, keep_default_na=False))  # fmt: skip
    missing = [name for name in ("prompt", "file") if name not in table]
    if missing:
        raise BenchError(f"{path} has no column {' and no '.join(missing)}; it has {', '.join(map(str, table))}.")
    files = [folder / str(name) for name in table["file"]]
    absent = [file for file in files if not os.path.isfile(file)]
    if absent or not files:
        raise BenchError(f"{path}: {len(absent)} of {len(files)} pictures are not there" + (
            f", first {absent[0]}." if absent else "."))  # fmt: skip
    return table[["prompt"]].astype(str).assign(file=[str(file) for file in files])


def shares_of(reference: Mapping[str, float], names: tuple[str, ...]) -> np.ndarray:
    """The reference as shares [class]; all alike if it is empty."""
    if not reference:
        return np.full(len(names), 1 / len(names))
    strange = [name for name in reference if name not in names]
    shares = np.array([float(reference.get(name, 0)) for name in names])
    if strange or not np.isclose(shares.sum(), 1, atol=1e-3):
        problem = f"names {', '.join(strange)}" if strange else f"sums to {shares.sum():.3g}, not to 1"
        raise BenchError(f"audit.reference {problem}. It is a share for each of: {', '.join(names)}.")
    return np.asarray(shares / shares.sum())


def _task(task: Task, manifest: pd.DataFrame) -> Task:
    """The pictures as a task with any label, so that their vectors are made and kept as all others are."""
    files = [Path(file) for file in manifest["file"]]
    fingerprint = digest(*(file.read_bytes() for file in files))

    def load(split: str) -> Records:
        keys = [task.classes[0].key] * len(files)
        return Records(Pictures(len(files), lambda i: opened(files[i])), keys, [f.name for f in files], fingerprint)

    return task.renamed(f"{task.name}_generated", load=load, splits={task.test: len(files)}, cluster=(), group="")


def _by_prompt(manifest: pd.DataFrame, minimum: int) -> Iterator[tuple[str, np.ndarray]]:
    yield "all prompts", np.ones(len(manifest), dtype=bool)
    for prompt in dict.fromkeys(manifest["prompt"]):
        own = (manifest["prompt"] == prompt).to_numpy()
        if own.sum() >= minimum and not own.all():
            yield f"prompt={prompt}", own


def _share(found: Composition, c: int) -> Estimate:
    return Estimate(float(found.corrected[c]), float(found.low[c]), float(found.high[c]), found.n,
                    "bootstrap of pictures and confusion", note=f"uncorrected {found.perceived[c]:.3f}")  # fmt: skip


def _under(look: Look, vectors: np.ndarray, wanted: np.ndarray, template: str) -> dict[tuple[str, str], float]:
    classifier = look.classifier(look.task.class_names, [template])
    confusion = confusion_counts(look.predictions.labels, decisions(look.images @ classifier.T))
    found = composition(decisions(vectors @ classifier.T).sum(axis=0), confusion, draws=2)
    return {("distance", "all prompts"): float(0.5 * np.abs(found.corrected - wanted).sum())}
