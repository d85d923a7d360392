"""Run folders made by hand in the documented layout, with planted numbers: what reports are tested on."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from bench import results
from reports.intervals import wilson

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "=HYPERLINK(\"http://evil\",\"x\")",
    "[click](javascript:alert(3)) | `code` *bold* _it_",
    "\\input{/etc/passwd} $x^2$ 50% & #1 ~",
    '</style><style>*{display:none}" style="display:none',
    "{{ 7*7 }} {% raw %}",
    "\u202eright to left\x00\x1b[31m",
)  # fmt: skip


@dataclass(frozen=True)
class Toy:
    """A task to plant: `accuracy` right answers in expectation, wrong ones mostly to the next class."""

    name: str
    choices: Sequence[str] = ("cat", "dog", "bird", "fish")
    n: int = 200
    accuracy: float = 0.7
    family: str = "general"
    evaluation: str = "zero_shot"
    condition: str = "clean"
    notes: str = ""
    licence: str = "MIT"
    ids: Sequence[str] | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Broken:
    """A cell that was not computed."""

    name: str
    reason: str
    status: str = "failed"
    family: str = "general"


@dataclass
class Maker:
    """Writes one run folder."""

    path: Path
    model: str = "small"
    run: str = ""
    seed: int = 0
    pictures: int = 6
    parameters: int | None = 9_400_000
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = self.run or self.path.name

    def save(self, *tasks: Toy | Broken) -> Path:
        for position, task in enumerate(tasks):
            if isinstance(task, Broken):
                self.rows.append(self._base(task) | {"status": task.status, "reason": task.reason, "chance": 0.25})
            else:
                self._cell(task, np.random.default_rng([self.seed, position]))
        results.save(results.frame(self.rows), self.path)
        (self.path / "provenance.json").write_text(json.dumps(self._provenance()))
        return self.path

    def _base(self, task: Toy | Broken) -> dict[str, Any]:
        return {
            "run": self.run,
            "model": self.model,
            "task": task.name,
            "family": task.family,
            "split": "test",
            "evaluation": getattr(task, "evaluation", "zero_shot"),
            "condition": getattr(task, "condition", "clean"),
            "group": "all",
            "metric": "top1",
            "headline": True,
        }

    def _cell(self, task: Toy, random: np.random.Generator) -> None:
        table = predict(task, random)
        value = float(table["correct"].mean())
        low, high = (float(bound[0]) for bound in wilson(np.array([value * task.n]), np.array([task.n])))
        base = self._base(task) | {"n": task.n, "status": "ok", "protocol": "Wilson interval; 7 templates"}
        self.rows.append(base | {"value": value, "low": low, "high": high, "chance": 1 / len(task.choices)})
        if len(task.choices) > 5:
            self.rows.append(
                base
                | {
                    "metric": "top5",
                    "headline": False,
                    "value": min(1.0, high),
                    "low": low,
                    "high": 1.0,
                    "chance": 5 / len(task.choices),
                }
            )
        about = {"schema": 1, "run": self.run, "model": self.model, "task": task.name, "split": "test",
                 "evaluation": task.evaluation, "condition": task.condition, "choices": list(task.choices),
                 "fingerprint": task.fingerprint or f"data-{task.name}", "metric": "top1",
                 "chance": 1 / len(task.choices), "notes": task.notes}  # fmt: skip
        stem = (
            f"{len(self.facts)}-{task.evaluation}"
            if "/" in task.name
            else f"{task.name}--{task.evaluation}--{task.condition}"
        )
        save_parquet(table, self.path / "predictions" / f"{stem}.parquet", about)
        if "/" not in task.name:
            save_parquet(thumbnails(table, self.pictures), self.path / "samples" / f"{task.name}.parquet", about)
        self.facts[task.name] = {"family": task.family, "classes": len(task.choices), "prompts": 7 * len(task.choices),
                                 "prompt_hash": "ab" * 16, "licence": task.licence, "reference": "Someone (2024)",
                                 "notes": task.notes, "metric": "top1", "chance": 1 / len(task.choices),
                                 "test_n": task.n, "fingerprint": about["fingerprint"]}  # fmt: skip

    def _provenance(self) -> dict[str, Any]:
        return {
            "schema": 1, "run": self.run, "started": "2026-11-23T13:00:00+00:00", "seconds": 83.2, "seed": 0,
            "command": f"bench model={self.model}", "versions": {"python": "3.11.2", "torch": "2.9.0"},
            "platform": {"system": "Linux", "cores": 2}, "stages": {"load model": 1.25}, "tasks": self.facts,
            "model": {"name": self.model, "family": "clip", "weights": "0" * 64, "dim": 384, "precision": "float32",
                      "preprocess": "resize 64 shortest bicubic; crop 64", "tokenizer": "clip-bpe context 32",
                      "parameters": self.parameters, "image_size": 64, "licence": "MIT", "source": "bundled",
                      "notes": ["A small model for first runs."], "extra": {}},
        }  # fmt: skip


def predict(task: Toy, random: np.random.Generator) -> pd.DataFrame:
    """Simulated predictions; the first half of the classes is harder than the second."""
    count = len(task.choices)
    label = np.arange(task.n) % count
    ease = task.accuracy + (0.15 if count > 1 else 0) * np.where(label < count // 2, -1, 1)
    right = random.random(task.n) < np.clip(ease, 0, 1)
    wrong = np.where(random.random(task.n) < 0.7, (label + 1) % count, random.integers(0, count, task.n))
    guess = np.where(right, label, wrong)
    scores = random.normal(size=(task.n, count))
    scores[np.arange(task.n), guess] = scores.max(axis=1) + random.exponential(1.5, task.n)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    ids = list(task.ids) if task.ids else [f"{task.name}/{i:05d}.png" for i in range(task.n)]
    return pd.DataFrame({
        "id": ids, "label": label, "prediction": best[:, 0], "correct": (best[:, 0] == label).astype(float),
        "confidence": odds.max(axis=1), "top": best.tolist(),
        "top_scores": np.take_along_axis(scores, best, axis=1).tolist(),
        "top_probabilities": np.take_along_axis(odds, best, axis=1).tolist(),
    })  # fmt: skip


def thumbnails(table: pd.DataFrame, count: int) -> pd.DataFrame:
    random = [(i, "random") for i in range(min(count, len(table)))]
    wrong = table[table["correct"] == 0].sort_values("confidence", ascending=False).index[:count]
    chosen = random + [(int(i), "confident_mistake") for i in wrong]
    return pd.DataFrame({
        "id": [table["id"][i] for i, _ in chosen], "label": [table["label"][i] for i, _ in chosen],
        "jpeg": [jpeg(i) for i, _ in chosen], "why": [why for _, why in chosen],
    })  # fmt: skip


def jpeg(i: int) -> bytes:
    image = Image.new("RGB", (128, 128 - 40 * (i % 2)), "white")
    colour = tuple(int(c) for c in np.random.default_rng(i).integers(40, 230, 3))
    ImageDraw.Draw(image).ellipse((20, 10, 100, 80), fill=colour)  # type: ignore[arg-type]
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def save_parquet(table: pd.DataFrame, path: Path, about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow.replace_schema_metadata({b"bench": json.dumps(about).encode()}), path)


TWELVE = (
    Toy("flags", [f"Country {i}" for i in range(200)], 200, 0.55, "drawn"),
    Toy("fruit_coarse", ("fruit", "juice", "milk", "vegetable", "yoghurt"), 600, 0.62, "fine_grained"),
    Toy("fruit_fine", [f"fruit {i}" for i in range(14)], 900, 0.3, "fine_grained"),
    Toy(
        "fashion",
        ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
        2000,
        0.48,
        "general",
        notes="Greyscale pictures of 28 by 28 pixels.",
    ),
    Toy("quickdraw", [f"sketch {i}" for i in range(30)], 900, 0.21, "drawn"),
    Toy("emoji_noto", [f"emoji {i}" for i in range(300)], 300, 0.6, "drawn"),
    Toy("emoji_twemoji", [f"emoji {i}" for i in range(300)], 300, 0.52, "drawn"),
    Toy("openclipart", [f"thing {i}" for i in range(60)], 600, 0.4, "drawn"),
    Toy("digits", [str(i) for i in range(10)], 600, 0.33, "structured"),
    Toy("scenes_shape", ("circle", "square", "triangle", "star"), 400, 0.8, "structured"),
    Toy("scenes_count", ("one", "two", "three", "four", "five"), 400, 0.22, "structured"),
    Toy("scenes_words", [f"word {i}" for i in range(20)], 400, 0.06, "structured"),
)
