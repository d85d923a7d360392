"""Tables of the audit of composition: scores by category, tier and slot; objects; wordings; lost pictures; sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.audit.composition.view import View
from bench.drawing import STATUSES
from bench.scoring import Scorer, reliability
from bench.scoring import wordings as equivalent
from bench.scoring.clip import wins
from bench.scoring.estimates import mean, records
from bench.scoring.judged import Judged
from bench.thumbnails import jpeg


def card(scorers: Sequence[Scorer], view: View) -> pd.DataFrame:
    references, material = view.known
    lines = [line for one in scorers for line in reliability.of_slots(one, references, material)]
    if references:
        lines += reliability.of_foils("foils", references, material.vectors(), view.session.texts)
    return reliability.card(lines)


def scores(judged: Judged) -> pd.DataFrame:
    """Columns of `reliability.KEY`, tier and the estimate: all-correct and each kind of slot, by category and tier."""
    parts = [judged.pictures.assign(kind="all"), judged.slots]
    return pd.concat([_grouped(part) for part in parts], ignore_index=True)


def _grouped(table: pd.DataFrame) -> pd.DataFrame:
    keys = [*reliability.KEY, "tier"]
    both = pd.concat([table.assign(tier="all"), table], ignore_index=True)
    lines = [
        dict(zip(keys, key, strict=True)) | mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
        for key, own in both.groupby(keys, sort=False)
    ]
    table = pd.DataFrame(lines, columns=pd.Index([*keys, "value", "low", "high", "n", "meanings"]))
    return table[table["n"] > 0]


def foils(view: View) -> pd.DataFrame:
    """Win rates and margins of prompts against their foils, by the model of the run; lost pictures win nothing."""
    material = view.material
    won: dict[tuple[int, int], tuple[float, float]] = {
        (view.there[one.picture], one.foil): (one.credit, one.margin)
        for one in wins(material.prompts, view.vectors, view.session.texts)
    }
    lines = []
    for line, row in enumerate(records(view.asked)):
        prompt = view.prompts[row["prompt_index"]]
        for number, foil in enumerate(prompt.foils):
            if row["status"] == "ok" and (line, number) not in won:
                continue  # left out by the run's limit
            credit, margin = won.get((line, number), (0.0, np.nan))
            base = {
                "scorer": "foils",
                "category": prompt.category,
                "world": prompt.scene is not None,
                "tier": prompt.tier,
                "meaning": prompt.group,
                "credit": credit,
                "margin": margin,
            }
            lines += [{**base, "kind": "foil"}, {**base, "kind": f"foil: {foil.kind}"}]
    table = pd.DataFrame(lines)
    keys = [*reliability.KEY, "tier"]
    margins = pd.concat([table.assign(tier="all"), table]).groupby(keys)["margin"].mean().reset_index()
    return _grouped(table).merge(margins, on=keys, how="left")


def believed(judged: Judged, scores: pd.DataFrame) -> Judged:
    """What was said where the scorer is reliable, for all that is drawn from it."""
    good = scores[scores["measurable"] & (scores["tier"] == "all")][reliability.KEY]
    whole = good[good["kind"] == "all"].drop(columns="kind")
    return Judged(
        judged.pictures.merge(whole, on=["scorer", "category", "world"]), judged.slots.merge(good, on=reliability.KEY)
    )


def by_objects(pictures: pd.DataFrame) -> pd.DataFrame:
    keys = ["scorer", "category", "world", "objects"]
    return pd.DataFrame(
        dict(zip(keys, key, strict=True)) | mean(own["credit"].to_numpy(float), own["meaning"].to_numpy())
        for key, own in pictures.groupby(keys)
    )


def wordings(pictures: pd.DataFrame) -> pd.DataFrame:
    parts = [
        equivalent.consistency(own).assign(scorer=own["scorer"].iloc[0], world=own["world"].iloc[0])
        for _, own in pictures.groupby(["scorer", "world"], sort=False)
    ]
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["scorer", "world", "category", "what"])
    )


def lost(view: View) -> pd.DataFrame:
    """Columns category, world and one a status: how many pictures; reason: the first of each category."""
    asked = view.asked.assign(
        category=[view.prompts[i].category for i in view.asked["prompt_index"]],
        world=[view.prompts[i].scene is not None for i in view.asked["prompt_index"]],
    )
    lines = []
    for (category, world), own in asked.groupby(["category", "world"], sort=False):
        counts = {status: int((own["status"] == status).sum()) for status in STATUSES}
        reason = next((text for text in own["reason"] if text), "")
        lines.append({"category": category, "world": world, **counts, "reason": reason})
    return pd.DataFrame(lines)


def sheet(view: View, sound: Judged, most: int) -> pd.DataFrame:
    """Pictures for the contact sheets: the seed article's examples, and others of each category, one a meaning."""
    rows = [{**row, "line": line} for line, row in enumerate(records(view.asked)) if row["sample"] == 0]
    place = {line: position for position, line in enumerate(view.there)}
    verdicts: dict[str, list[str]] = {}
    for one in records(sound.pictures.dropna(subset=["credit"])):
        verdicts.setdefault(one["id"], []).append(f"{one['scorer']} {one['credit']:.2g}")
    lines: list[dict[str, Any]] = []
    seen: set[str] = set()
    count = dict.fromkeys([prompt.category for prompt in view.prompts], 0)
    for row in sorted(rows, key=lambda row: not view.prompts[row["prompt_index"]].example):
        prompt = view.prompts[row["prompt_index"]]
        extra = not prompt.example
        if extra and (prompt.group in seen or count[prompt.category] >= most):
            continue
        seen.add(prompt.group)
        count[prompt.category] += extra
        shown = jpeg(view.samples.images[place[row["line"]]]) if row["line"] in place else b""
        lines.append(
            {
                "category": prompt.category,
                "example": prompt.example,
                "prompt": prompt.text,
                "tier": prompt.tier,
                "status": row["status"],
                "reason": row["reason"],
                "verdicts": ", ".join(verdicts.get(row["id"], [])),
                "jpeg": shown,
            }
        )
    return pd.DataFrame(lines)
