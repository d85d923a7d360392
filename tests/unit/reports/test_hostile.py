"""Texts and bytes that would like to be more: on the page and in the files beside it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reports import page
from tests.unit.reports.made import HOSTILE, Broken, Maker, Toy, jpeg
from tests.unit.reports.test_page import Seen


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    maker = Maker(folder, model=HOSTILE[0], run=HOSTILE[4])
    ids = [HOSTILE[i % len(HOSTILE)] + str(i) for i in range(80)]
    maker.save(Toy("names", HOSTILE, 80, 0.4, HOSTILE[2], notes=HOSTILE[5], licence=HOSTILE[1], ids=ids),
               Toy(HOSTILE[3].replace("/", "∕"), [*HOSTILE, *map(str, range(30))], 120, 0.3),
               Broken(HOSTILE[1], HOSTILE[6]), Broken("p", HOSTILE[7]))  # fmt: skip
    page.write(folder)
    return folder


def test_hostile_text_comes_out_as_text(hostile: Path) -> None:
    seen = Seen((hostile / "report.html").read_text())
    assert [tag for tag, _ in seen.tags].count("script") == 1
    assert [tag for tag, _ in seen.tags].count("style") == 1
    known = {"html", "head", "meta", "title", "link", "style", "body", "script"}
    assert not {"iframe", "object", "embed", "form", "base"} & {tag for tag, _ in seen.tags} - known
    assert all(
        str(a.get("src", "data:image/jpeg")).startswith("data:image/jpeg") for tag, a in seen.tags if tag == "img"
    )
    assert not any(name.startswith("on") or name == "style" for _, a in seen.tags for name in a)
    words = seen.words()
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[4], HOSTILE[6], "style><style>*{display:none}"):
        assert " ".join(text.split()) in words


def test_hostile_text_in_the_other_files(hostile: Path) -> None:
    for path in (hostile / "figures").glob("*.svg"):
        tags = {element.tag.rpartition("}")[2] for element in ET.parse(path).iter()}
        assert tags <= {
            "svg",
            "g",
            "path",
            "text",
            "tspan",
            "defs",
            "use",
            "clipPath",
            "rect",
            "style",
            "metadata",
            "RDF",
            "Work",
            "type",
            "format",
            "creator",
            "Agent",
            "title",
            "date",
        }
    outside_code = re.sub(r"^(`{3,})text\n.*\n\1$", "", (hostile / "report.md").read_text(), flags=re.MULTILINE)
    assert "`" in outside_code
    assert "<" not in outside_code
    for path in (hostile / "figures").glob("*.csv"):
        for line in path.read_text().splitlines():
            assert not line.lstrip('"').startswith(("=", "@", "+")), (path.name, line)
    assert "\\input{" not in (hostile / "report.tex").read_text()


def test_only_jpeg_is_called_a_picture(tmp_path: Path) -> None:
    from reports.pictures import Budget

    assert Budget().address(b"<svg onload=alert(1)>") is None
    picture = jpeg(0)
    tight = Budget(left=len(picture))
    assert tight.address(picture) is not None
    assert tight.address(picture) is None
    assert tight.refused == 1
