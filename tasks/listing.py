"""Tasks as a table, as a page and as a contact sheet, for `bench-tasks`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.task import Samples, Task
from tasks.sources import at_hand, where

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = ("name", "family", "pictures", "classes", "metric", "chance", "at_hand", "licence")
WIDEST = 34


def facts(task: Task, *, origin: str = "") -> dict[str, Any]:
    """The facts of a task, ready for JSON."""
    chance = task.chance_level
    return {
        "name": task.name,
        "family": task.family,
        "protocol": task.protocol,
        "pictures": task.splits[task.test],
        "classes": len(task.classes),
        "templates": len(task.templates),
        "splits": dict(task.splits),
        "test": task.test,
        "metric": task.metric,
        "chance": None if chance != chance else round(chance, 6),
        "licence": task.licence,
        "reference": task.reference,
        "notes": task.notes,
        "tags": sorted(task.tags),
        "at_hand": "bundled" in task.tags or at_hand(task.load),
        "origin": origin,
        "looked_for_at": where(task.load),
    }


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of facts as text columns."""
    if not rows:
        return "No task fits."
    cells = [list(COLUMNS), *([_cell(row[column]) for column in COLUMNS] for row in rows)]
    widths = [min(WIDEST, max(len(line[i]) for line in cells)) for i in range(len(COLUMNS))]
    lines = ["  ".join(_fit(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    here = sum(bool(row["at_hand"]) for row in rows)
    return "\n".join([lines[0].replace("_", " "), *lines[1:], f"{len(rows)} tasks, the data of {here} at hand."])


def as_page(task: Task, about: dict[str, Any]) -> str:
    """A task's facts, names, templates and a few prompts as text."""
    fields = (
        "family",
        "protocol",
        "metric",
        "chance",
        "splits",
        "test",
        "licence",
        "reference",
        "tags",
        "at_hand",
        "origin",
    )
    lines = [task.name, "=" * len(task.name), *(f"{name:<10} {_cell(about[name])}" for name in fields)]
    if task.notes:
        lines += ["", *textwrap.wrap(task.notes, 100)]
    if places := where(task.load):
        lines += ["", "The data is looked for at", *(f"  {place}" for place in places)]
    if task.classes:
        every = ", ".join(" / ".join(one.names) for one in task.classes)
        lines += [
            "",
            f"{len(task.classes)} classes",
            *textwrap.wrap(textwrap.shorten(every, 2_000, placeholder=" ..."), 100),
        ]
        lines += ["", f"{len(task.templates)} templates", *(f"  {one}" for one in task.templates)]
        middle = len(task.classes) // 2
        lines += [
            "",
            "Prompts, for example",
            *(f"  {task.prompts(i)[0]}" for i in sorted({0, middle, len(task.classes) - 1})),
        ]
    return "\n".join(lines)


def contact_sheet(samples: Samples, names: Sequence[str], *, columns: int = 8, rows: int = 5, side: int = 96) -> Image:
    """Evenly spaced pictures of a split with their class names below, as one picture."""
    import numpy as np
    from PIL import Image, ImageDraw

    count = min(columns * rows, len(samples))
    sheet = Image.new("RGB", (columns * (side + 8), -(-count // columns) * (side + 22)), "white")
    draw = ImageDraw.Draw(sheet)
    for place, i in enumerate(np.linspace(0, len(samples) - 1, count, dtype=int)):
        left, upper = place % columns * (side + 8) + 4, place // columns * (side + 22) + 4
        picture = samples.images[int(i)].convert("RGBA")
        scale = side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BICUBIC)
        sheet.paste(picture, (left, upper), picture)
        draw.text((left, upper + side + 2), _label(samples, int(i), names)[: side // 6], fill="black")
    return sheet


def _label(samples: Samples, i: int, names: Sequence[str]) -> str:
    if not names:
        return str(samples.attributes["captions"].iloc[i][int(samples.labels[i])])
    if samples.labels.ndim == 2:
        return ", ".join(name for name, present in zip(names, samples.labels[i], strict=True) if present)
    return names[int(samples.labels[i])]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {'?' if count is None else f'{count:,}'}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else "?" if value is None else str(value)


def _fit(cell: str, width: int) -> str:
    return (cell if len(cell) <= width else cell[: width - 1] + "…").ljust(width)
