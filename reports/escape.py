"""Text stays text: names, ids and reasons come from data sets and may hold any character.

HTML is escaped by Jinja (autoescape). Here are the other formats: Markdown, LaTeX, CSV for spreadsheets.
"""

from __future__ import annotations

import re

import pandas as pd

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_MARKDOWN_ANYWHERE = re.compile(r"[\\`*\[\]|~$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.")
_MARKDOWN_START = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([#+\-=]|(?<=\d)[.)])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "[": "{[}", "]": "{]}",  # after a line break, [ would begin an option
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}")
"""First characters that make a spreadsheet compute a cell (OWASP, CSV injection)."""


def plain(text: object) -> str:
    """One line without control or text-direction characters: safe in XML, in a terminal and in a table."""
    return " ".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)).split())


def markdown(text: object) -> str:
    """Text inside a Markdown paragraph or table cell: HTML becomes entities, what would be syntax gets a backslash.

    `_` inside a word, `.` and `-` are harmless there and stay as they are, so that the source can be read too.
    """
    safe = plain(text).replace("&", "&amp;")
    safe = _MARKDOWN_ANYWHERE.sub(lambda found: "\\" + found.group(), safe)
    return _MARKDOWN_START.sub(r"\1\\\2", safe).replace("<", "&lt;").replace(">", "&gt;")


def latex(text: object) -> str:
    """Text inside a LaTeX paragraph or table cell."""
    return "".join(_LATEX.get(character, character) for character in plain(text))


def cell(value: object) -> object:
    """A CSV cell that no spreadsheet takes for a formula: one line; text that begins like one gets an apostrophe."""
    if not isinstance(value, str):
        return value
    line = plain(value)
    return f"'{line}" if line.startswith(FORMULA) else line


def safe_csv(table: pd.DataFrame) -> str:
    """The table as CSV for spreadsheets. Numbers, negative ones too, are left alone."""
    safe = table.rename(columns=lambda name: cell(str(name)))
    for position, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
            safe.isetitem(position, safe.iloc[:, position].map(cell).to_numpy())
    return safe.to_csv(index=False, lineterminator="\n")
