"""Hostile text stays text in Markdown, LaTeX and CSV. What renderers make of it is checked, not only what we wrote."""

import csv
import io

import pandas as pd
import pytest

from reports import escape
from tests.unit.reports.made import HOSTILE


@pytest.mark.parametrize(("text", "expected"), [
    ("cifar-10 (test).", "cifar-10 (test)."),
    ("fruit_coarse", "fruit_coarse"),
    ("_it_ *b* `c`", r"\_it\_ \*b\* \`c\`"),
    ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
    ("a|b", r"a\|b"),
    ("# x", r"\# x"),
    ("> x", "&gt; x"),
    ("3. x", r"3\. x"),
    ("- x", r"\- x"),
    ("![i](http://x)", r"!\[i\](http\://x)"),
    ("two\nlines", "two lines"),
])  # fmt: skip
def test_markdown(text: str, expected: str) -> None:
    assert escape.markdown(text) == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_no_format_lets_syntax_through(text: str) -> None:
    md = escape.markdown(text)
    assert "<" not in md
    assert "\x1b" not in md
    assert "\u202e" not in md
    unescaped = [c for before, c in zip(" " + md, md, strict=False) if c in "[]`*|$" and before != "\\"]
    assert unescaped == []
    tex = escape.latex(text)
    words = ("backslash", "asciitilde", "asciicircum", "less", "greater", "quotedbl", "bar")
    for command in (*(rf"\text{word}{{}}" for word in words), "{[}", "{]}", *(rf"\{sign}" for sign in "{}$&#_%")):
        tex = tex.replace(command, "")
    assert not set(tex) & set(r"\{}$&#_%~^")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_are_no_formulas_and_numbers_stay(start: str) -> None:
    table = pd.DataFrame({"name": [start + "1+1", "ok"], "value": [-0.5, 0.25], start + "head": [1, 2]})
    rows = list(csv.reader(io.StringIO(escape.safe_csv(table), newline="")))
    mark = f"'{start}" if start.strip() else ""
    assert rows[0] == ["name", "value", f"{mark}head"]
    assert rows[1] == [f"{mark}1+1", "-0.5", "1"]
    assert escape.cell("\t=1+1") == "'=1+1"
