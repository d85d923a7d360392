"""A figure of matplotlib inside a page: its colours become the page's (light and dark), its styles become attributes.

The page's content policy forbids `style` attributes, so that no text from data can ever style or hide anything;
matplotlib writes them everywhere. Each becomes the presentation attribute of the same name, colours become CSS
variables, and identifiers get a prefix so that two figures of one page do not clash.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from reports import figures

VARIABLES = {
    figures.INK: "--ink", figures.SOFT: "--soft", figures.GRID: "--line", figures.PAPER: "--card", "#000000": "--ink",
    **{colour: f"--series-{i + 1}" for i, colour in enumerate(figures.SERIES)},
    **{colour: f"--step-{i}" for i, colour in enumerate(figures.STEPS)},
}  # fmt: skip
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_TAG = re.compile(r"<[^<>]*>")
_FONT = re.compile(r"font:\s*(?:[a-z0-9]+\s+)*?([\d.]+px)[^;]*")


def inline(drawing: figures.Drawing) -> Markup:
    """The `<svg>` element for a page, with a title for screen readers."""
    body = drawing.svg[drawing.svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = _TAG.sub(lambda found: _tag(found.group(), drawing.name), body)
    width, height = _size(body)
    head = (f'<svg class="figure" role="img" aria-label="{escape(drawing.alt)}" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" xmlns:xlink="http://www.w3.org/1999/xlink">')  # fmt: skip
    return Markup(head + body[body.index(">") + 1 :])  # noqa: S704 - matplotlib has escaped its texts


def _tag(tag: str, prefix: str) -> str:
    """One tag restyled. Text between tags is never touched, whatever it looks like."""
    tag = _STYLE.sub(lambda found: _attributes(found.group(1)), tag)
    tag = re.sub(r'\b(id|xlink:href)="(#?)', rf'\1="\2{prefix}-', tag)
    return tag.replace("url(#", f"url(#{prefix}-")


def _size(body: str) -> tuple[str, str]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body)
    assert found, "matplotlib's SVG has a viewBox"
    return found.group(1), found.group(2)


def _attributes(style: str) -> str:
    """`fill: #ffffff; font: 9px 'X'` as attributes with the page's variables; fonts come from the page."""
    style = _FONT.sub(r"font-size: \1", style)
    pairs = [part.split(":", 1) for part in style.split(";") if ":" in part]
    kept = [(name.strip(), _colour(value.strip())) for name, value in pairs if name.strip() != "font-family"]
    return "".join(f' {name}="{value}"' for name, value in kept)


def _colour(value: str) -> str:
    return f"var({VARIABLES[value]})" if value in VARIABLES else value
