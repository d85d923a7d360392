"""Text files of class names and templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.task import ClassName
from tasks import text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "classnames").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "classnames" / "zoo.txt").write_text(
        "# a comment\ncat\n\nn02\tdog | hound\ncolt's foot, a kind\n", encoding="utf-8"
    )
    (tmp_path / "classnames" / "zoo.zh.txt").write_text("cat\t猫\nn02\t狗\n", encoding="utf-8")
    (tmp_path / "templates" / "zoo.txt").write_text('a "{}".\n{}\n', encoding="utf-8")
    return tmp_path


def test_keys_names_and_synonyms(folder: Path) -> None:
    assert text.classes("zoo", folder=folder) == (
        ClassName("cat", ("cat",)),
        ClassName("n02", ("dog", "hound")),
        ClassName("colt's foot, a kind", ("colt's foot, a kind",)),
    )
    assert text.templates("zoo", folder=folder) == ('a "{}".', "{}")


def test_other_languages(folder: Path) -> None:
    assert text.classes("zoo", language="zh", folder=folder)[1] == ClassName("n02", ("狗",))
    assert text.languages("zoo", folder=folder) == ("en",), "templates are missing in zh"
    (folder / "templates" / "zoo.zh.txt").write_text("{}的照片。\n", encoding="utf-8")
    assert text.languages("zoo", folder=folder) == ("en", "zh")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\t \n", "at least one name"),
        ("\tname\n", "needs a key"),
        ("a\tb\na\tc\n", "occur twice: a"),
        ("", "no class"),
    ],
)
def test_bad_class_files(folder: Path, line: str, message: str) -> None:
    (folder / "classnames" / "bad.txt").write_text(line)
    with pytest.raises(BenchError, match=message):
        text.classes("bad", folder=folder)


@pytest.mark.parametrize("line", ["no slot\n", "{} and {}\n", "{c}\n", "# only a comment\n"])
def test_bad_template_files(folder: Path, line: str) -> None:
    (folder / "templates" / "bad.txt").write_text(line)
    with pytest.raises(BenchError, match=r"exactly one|no template"):
        text.templates("bad", folder=folder)


def test_a_missing_file_names_the_closest(folder: Path) -> None:
    with pytest.raises(BenchError, match=r"Did you mean 'zoo'.*zooo\.txt"):
        text.classes("zooo", folder=folder)
