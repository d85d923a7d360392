"""Readings as tables: one line a picture and scorer, one line a slot. A picture that is not there has nothing right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.generator.prompts import GONE, Prompt
from bench.scoring import Material, Reading, Scorer
from bench.scoring.estimates import records

PICTURE = ["scorer", "id", "prompt", "meaning", "category", "world", "tier", "objects", "sample", "status", "credit"]
SLOT = ["scorer", "id", "meaning", "category", "world", "tier", "slot", "kind", "asked", "credit", "read"]


@dataclass(frozen=True)
class Judged:
    """What all scorers said of every picture that was asked for.

    `pictures` has columns `PICTURE`: `credit` is all-correct, NaN where the scorer does not read every slot. `slots`
    has columns `SLOT`: `read` is {value: share}.
    """

    pictures: pd.DataFrame
    slots: pd.DataFrame


def judge(
    scorers: Sequence[Scorer], prompts: Sequence[Prompt], asked: pd.DataFrame, there: Sequence[int], material: Material
) -> Judged:
    """Read every picture by every scorer.

    Args:
        asked: `Drawn.asked()`: a line a picture, `prompt_index` into `prompts`.
        there: lines of `asked` whose pictures are in `material`, in its order.
    """
    pictures: list[dict[str, Any]] = []
    slots: list[dict[str, Any]] = []
    for scorer in scorers:
        readings = dict(zip(there, scorer.read(material), strict=True))
        for line, row in enumerate(records(asked)):
            if row["status"] == "ok" and line not in readings:
                continue  # left out by the run's limit
            prompt = prompts[row["prompt_index"]]
            reading = readings.get(line) or _nothing(scorer, prompt)
            base = _about(scorer, prompt, row["id"])
            pictures.append(
                {
                    **base,
                    "prompt": prompt.id,
                    "objects": prompt.objects,
                    "sample": row["sample"],
                    "status": row["status"],
                    "credit": reading.all_right(prompt),
                }
            )
            slots += [{**base, **one} for one in _slots(prompt, reading)]
    return Judged(pd.DataFrame(pictures, columns=pd.Index(PICTURE)), pd.DataFrame(slots, columns=pd.Index(SLOT)))


def _about(scorer: Scorer, prompt: Prompt, name: str) -> dict[str, Any]:
    return {
        "scorer": scorer.name,
        "id": name,
        "meaning": prompt.group,
        "category": prompt.category,
        "world": prompt.scene is not None,
        "tier": prompt.tier,
    }


def _nothing(scorer: Scorer, prompt: Prompt) -> Reading:
    """The reading of a picture that is not there."""
    return Reading({slot.name: {GONE: 1.0} for slot in prompt.slots if scorer.reads(prompt, slot)}, 0.0)


def _slots(prompt: Prompt, reading: Reading) -> Iterable[dict[str, Any]]:
    for slot in prompt.slots:
        if slot.name in reading.slots:
            yield {
                "slot": slot.name,
                "kind": slot.kind,
                "asked": slot.value,
                "credit": reading.credit(slot),
                "read": dict(reading.slots[slot.name]),
            }
