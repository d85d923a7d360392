"""Exhibits: how an audit shows what it found. Plain values; `assets/exhibits.html` decides how they look.

An exhibit is a section of the page: sentences that a person without the field's jargon can read, figures with their
numbers, tables whose cells know how they sort and how dark they are, pictures. The same values become Markdown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reports import escape, svg, words
from reports.documents import pipe
from reports.figures import STEPS, Drawing
from reports.pictures import Budget


@dataclass(frozen=True)
class Figure:
    """A cell of a table: text, its 95 % interval in words, the number it sorts by, its shade (0 light to 1 dark)."""

    text: str
    interval: str = ""
    sort: float | str = ""
    shade: float | None = None
    note: str = ""
    """Shown when pointed at: why a cell is suppressed, what a word means."""

    @property
    def step(self) -> int | None:
        return None if self.shade is None else int(min(max(self.shade, 0.0), 0.9999) * len(STEPS))


def share(value: float, low: float = float("nan"), high: float = float("nan"), **more: Any) -> Figure:
    """A share as per cent with its interval; an en dash where there is none."""
    return Figure(words.percent(value), words.interval(low, high), sort="" if value != value else value, **more)


def suppressed(note: str = "too few pictures") -> Figure:
    """A cell that must not be shown, and why."""
    return Figure("–", note=note)


@dataclass(frozen=True)
class Listing:
    """A table: names of its columns, and lines of texts or figures. Columns that hold a `Figure` are set right."""

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str | Figure]]
    note: str = ""

    @property
    def right(self) -> list[int]:
        return [i for i in range(len(self.head)) if any(isinstance(line[i], Figure) for line in self.lines)]

    def cells(self) -> list[list[Figure]]:
        return [[one if isinstance(one, Figure) else Figure(str(one)) for one in line] for line in self.lines]


@dataclass(frozen=True)
class Picture:
    """A thumbnail (JPEG) and the words below it."""

    jpeg: bytes
    caption: str
    detail: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures in one row after the other; `title` says what they show."""

    title: str
    pictures: Sequence[Picture]
    note: str = ""


@dataclass(frozen=True)
class Exhibit:
    """A section: `parts` are shown in order (a figure, a table, a gallery)."""

    title: str
    findings: Sequence[str]
    """What was found, in sentences that claim no more than the intervals allow."""
    parts: Sequence[Drawing | Listing | Gallery] = ()
    notice: str = ""
    """Shown in a box before everything else: a content note, a limit of use."""
    notes: Sequence[str] = field(default=())
    """How it was measured: small print."""

    @property
    def drawings(self) -> list[Drawing]:
        return [part for part in self.parts if isinstance(part, Drawing)]


def page(exhibits: Sequence[Exhibit], budget: Budget) -> list[dict[str, Any]]:
    """What the template shows."""
    return [
        {"anchor": f"exhibit-{place + 1}", "title": one.title, "findings": one.findings, "notice": one.notice,
         "notes": one.notes, "parts": [_part(part, budget) for part in one.parts]}
        for place, one in enumerate(exhibits)
    ]  # fmt: skip


def _part(part: Drawing | Listing | Gallery, budget: Budget) -> dict[str, Any]:
    if isinstance(part, Drawing):
        return {"kind": "drawing", "inline": svg.inline(part), "alt": part.alt, "title": part.title}
    if isinstance(part, Listing):
        return {"kind": "listing", "title": part.title, "head": part.head, "right": part.right, "lines": part.cells(),
                "note": part.note}  # fmt: skip
    shown = [{"src": budget.address(one.jpeg), "caption": one.caption, "detail": one.detail} for one in part.pictures]
    return {"kind": "gallery", "title": part.title, "note": part.note, "pictures": [one for one in shown if one["src"]]}


def markdown(exhibits: Sequence[Exhibit]) -> list[str]:
    """The same as blocks of Markdown; pictures are in the page only."""
    md, blocks = escape.markdown, []
    for one in exhibits:
        blocks += [f"## {md(one.title)}", f"> {md(one.notice)}" if one.notice else ""]
        blocks.append("\n".join(f"- {md(finding)}" for finding in one.findings))
        for part in one.parts:
            if isinstance(part, Drawing):
                blocks.append(f"![{md(part.title)}](figures/{part.name}.svg)")
            elif isinstance(part, Listing):
                lines = [[f"{cell.text} {cell.interval}".strip() for cell in line] for line in part.cells()]
                blocks += [f"### {md(part.title)}", pipe(part.head, lines, right=part.right), md(part.note)]
        blocks += list(map(md, one.notes))
    return [block for block in blocks if block]
