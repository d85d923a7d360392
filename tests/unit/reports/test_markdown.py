"""What a CommonMark renderer makes of our Markdown: any text comes out as that text, and as nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import documents, escape

markdown_it = pytest.importorskip("markdown_it")

PIECES = [
    *"ab1 .)(_*`~[]<>!#+-=|\\&;:/@$\"'{}^%\n\té",
    "http://x.y",
    "www.a.b",
    "&amp;",
    "<b>",
    "1. ",
    "- ",
    "![",
    "](",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
BLOCKS = {
    f"{name}_{end}" for name in ("paragraph", "table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")
}


def rendered(source: str) -> list[str]:
    """The text of each block; fails on anything but paragraphs, tables and text."""
    found = []
    for token in markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source):
        if token.type != "inline":
            assert token.type in BLOCKS
            continue
        assert {child.type for child in token.children} <= {"text", "text_special"}
        found.append("".join(child.content for child in token.children))
    return found


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_a_paragraph_is_its_text(text: str) -> None:
    expected = escape.plain(text)
    assert rendered(escape.markdown(text)) == ([expected] if expected else [])


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT)
def test_a_table_cell_is_its_text(left: str, right: str) -> None:
    source = documents.pipe(["name", "value"], [[left, right]])
    assert rendered(source) == ["name", "value", escape.plain(left), escape.plain(right)]
