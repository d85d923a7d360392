"""Has the model seen the test? Test pictures that are in the train split, or among another set's vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bench.audit import NotApplicableError, Session, Table
from bench.audit.measures.overlap import contamination, near_thumbnails, same_pixels, similar_vectors
from bench.duplicates import Thumbnails, pixel_digest
from bench.errors import BenchError, reading, unknown
from bench.evaluation import Predictions
from bench.evaluation.rows import Row
from bench.metrics import credit
from bench.task import Task
from bench.thumbnails import jpeg

DETECTORS = ("pixels", "thumbnail", "vectors")
LARGEST = 200_000
"""Pictures of a train split that are decoded to look for test pictures; more would take hours."""
SHOWN = 6
"""Pairs of pictures that are kept to be looked at."""


def look(
    session: Session, task: Task, detectors: tuple[str, ...], training_vectors: str = "", *, seed: int = 0
) -> Iterator[Row | Table]:
    """Overlap of the scored split with the train split (and with `training_vectors`), and what it adds to the score."""
    for one in detectors:
        if one not in DETECTORS:
            raise unknown("detector", one, DETECTORS)
    scored = next(session.predictions(task)).scored
    if not isinstance(scored, Predictions):
        raise NotApplicableError(f"Overlap is judged by right and wrong answers; {task.name!r} has a ranking.")
    found = [_in_train(session, task, detectors)] if detectors and "train" in task.splits else []
    if training_vectors:
        others = _vectors(training_vectors)
        found.append(similar_vectors(session.images(task), others).assign(where=Path(training_vectors).name))
    matches = pd.concat(found, ignore_index=True)
    flags = np.zeros(len(scored.labels), dtype=bool)
    flags[matches["position"].to_numpy()] = True
    told = contamination(credit(scored.scores, scored.labels), flags, seed=seed)
    how = f"{int(flags.sum())} of {len(flags)} pictures found by {', '.join(detectors)}"
    yield session.row(task, "overlap_share", value=told.share, n=len(flags), protocol=f"a count; {how}")
    yield session.row(task, "overlap_added", value=told.added.value, low=told.added.low, high=told.added.high,
                      n=len(flags), protocol=f"{told.added.interval} interval; all less clean; {how}")  # fmt: skip
    about = {
        "task": task.name, "share": told.share, "p": told.p, "clean": told.clean.value, "n": len(flags),
        "overlap": None if np.isnan(told.overlap.value) else told.overlap.value, "detectors": list(detectors),
    }  # fmt: skip
    yield Table(f"overlap-{task.name}", _with_pictures(session, task, matches), about)


def _in_train(session: Session, task: Task, detectors: tuple[str, ...]) -> pd.DataFrame:
    tested, trained = session.samples(task), session.samples(task, "train")
    if len(trained) > LARGEST:
        raise NotApplicableError(
            f"The train split of {task.name!r} holds {len(trained):,} pictures; at most {LARGEST:,} are searched. Give "
            "their vectors (audit.training_vectors, audit.overlap=[])."
        )
    parts = []
    if "pixels" in detectors:
        parts.append(same_pixels(*(map(pixel_digest, one.images) for one in (tested, trained))))
    if "thumbnail" in detectors:
        parts.append(near_thumbnails(*(Thumbnails.from_images(one.images) for one in (tested, trained))))
    if "vectors" in detectors:
        parts.append(similar_vectors(session.images(task), session.split_images(task, "train")))
    return pd.concat(parts, ignore_index=True).assign(where="train")


def _vectors(path: str) -> np.ndarray:
    with reading(path, "training vectors", mend="Give a .npy file, [picture, dim], of unit length."):
        found = np.load(Path(path).expanduser(), mmap_mode="r", allow_pickle=False)
        if found.ndim != 2 or not len(found) or not abs(float(np.linalg.norm(found[0])) - 1) <= 1e-2:
            raise BenchError(
                f"Training vectors {path} are not [picture, dim] of unit length; their shape is {found.shape}."
            )
        return np.asarray(found)


def _with_pictures(session: Session, task: Task, matches: pd.DataFrame) -> pd.DataFrame:
    """The first pairs with both pictures, the other one only where it is of the train split."""
    table = matches.assign(jpeg=b"", other_jpeg=b"")
    shown = table.drop_duplicates("position").head(SHOWN)
    for i, line in shown.iterrows():
        table.at[i, "jpeg"] = jpeg(session.samples(task).images[int(line["position"])])
        if line["where"] == "train":
            table.at[i, "other_jpeg"] = jpeg(session.samples(task, "train").images[int(line["other"])])
    return table
