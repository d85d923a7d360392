"""The page from made folders: complete and self-contained."""

import base64
import hashlib
import html.parser
import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import results
from reports import folder, page
from tests.unit.reports.made import TWELVE, Broken, Maker, Toy, save_parquet

GOLDEN = Path(__file__).parents[2] / "golden" / "report"


class Seen(html.parser.HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "one"
    Maker(folder).save(
        TWELVE[1], TWELVE[3], TWELVE[5], Toy("weak", accuracy=0.1, n=60), Broken("pets", "no folder given")
    )
    page.write(folder)
    return folder


def test_page_answers_first(run: Path) -> None:
    words = Seen((run / "report.html").read_text()).words()
    assert "Above chance on 3 of 4 tasks, " in words
    assert "1 task failed" in words
    assert "no folder given" in words
    below = words[words.index("Above chance on") :]
    assert below.index("fruit_coarse") < below.index("Confusion") < below.index("How to read this")
    for part in ("A small model for first runs.", "bench model=small", "data-fashion", "resize 64 shortest bicubic"):
        assert part in words


def test_page_is_self_contained(run: Path) -> None:
    text = (run / "report.html").read_text()
    seen = Seen(text)
    for tag, attributes in seen.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, name, value)
        assert "style" not in attributes, "the content policy forbids style attributes"
        assert not any(name.startswith("on") for name in attributes)
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert not re.search(r"(?:https?:)?//\w+\.\w+", outside.split("<body>")[0].replace("'none'", ""))


def test_policy_admits_exactly_our_style_and_script(run: Path) -> None:
    text = (run / "report.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1).replace("&#39;", "'")  # type: ignore[union-attr]
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        assert len(bodies) == 1
        assert f"sha256-{base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()}" in policy


def test_identifiers_are_unique_and_links_lead_somewhere(run: Path) -> None:
    seen = Seen((run / "report.html").read_text())
    ids = [attributes["id"] for _, attributes in seen.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = [str(a["href"])[1:] for tag, a in seen.tags if tag == "a" and str(a.get("href")).startswith("#")]
    assert len(targets) > 10
    assert set(targets) <= set(ids)


def test_figures_lie_beside_the_page_with_their_numbers(run: Path) -> None:
    names = {path.name for path in (run / "figures").iterdir()}
    assert {
        "accuracy.svg",
        "accuracy.csv",
        "confusion--fashion--zero_shot--clean.svg",
        "confused--emoji_noto--zero_shot--clean.csv",
        "classes--fashion--zero_shot--clean.csv",
    } <= names
    assert {path.stem for path in (run / "figures").glob("*.svg")} <= {
        path.stem for path in (run / "figures").glob("*.csv")
    }
    for path in (run / "figures").glob("*.svg"):
        ET.parse(path)
    assert not list(run.rglob("*.tmp"))


def test_rendering_again_gives_the_same_bytes(run: Path) -> None:
    before = {
        path: path.read_bytes() for path in [run / "report.html", run / "report.md", *(run / "figures").iterdir()]
    }
    page.write(run)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_pictures_show_truth_guesses_and_confident_mistakes(run: Path) -> None:
    text = (run / "report.html").read_text()
    assert text.count("data:image/jpeg;base64,") >= 30
    assert "Most confident mistakes" in text
    assert 'class="guess right"' in text


def test_a_sweep_becomes_one_page(tmp_path: Path) -> None:
    tasks = [Toy("a", accuracy=0.5), Toy("b", accuracy=0.8), Toy("c")]
    for place, (model, gain) in enumerate({"small": 0.0, "large": 0.15}.items()):
        for task in tasks:
            better = Toy(task.name, accuracy=task.accuracy + gain)
            Maker(tmp_path / f"{place}-{task.name}", model=model, parameters=10 ** (7 + place)).save(better)
    words = Seen(page.write(tmp_path).read_text()).words()
    assert "large has the highest mean over 3 shared tasks, " in words
    assert "On the same pictures, it is surely first." in words
    assert "Models and tasks" in words
    assert "Accuracy against size" not in words or "parameters" in words
    assert (tmp_path / "figures" / "grid.csv").read_text().splitlines()[0] == "label,small,large"
    assert (tmp_path / "figures" / "pareto.csv").exists()


@pytest.mark.slow
def test_a_sweep_of_three_models_on_ten_tasks_is_quick_and_small(tmp_path: Path) -> None:
    for seed, model in enumerate(("small", "middle", "large")):
        for task in TWELVE[:10]:
            Maker(
                tmp_path / f"{model}-{task.name}", model=model, seed=seed, parameters=10 ** (7 + seed), pictures=8
            ).save(task)
    started = time.process_time()
    path = page.write(tmp_path)
    assert time.process_time() - started < 10
    assert path.stat().st_size < 10_000_000


def test_published_weights_are_set_beside_published_values(tmp_path: Path) -> None:
    run = Maker(tmp_path / "run", model="openai/ViT-B-32").save(Toy("cifar10", n=10_000, accuracy=0.9))
    words = Seen(page.write(run).read_text()).words()
    assert "Beside published values" in words
    assert "89.83%" in words
    assert (
        "Beside published values"
        not in Seen(page.write(Maker(tmp_path / "own").save(Toy("cifar10"))).read_text()).words()
    )


def test_a_folder_without_predictions_or_provenance_still_has_its_page(tmp_path: Path) -> None:
    run = Maker(tmp_path / "bare").save(Toy("a"))
    for path in [*(run / "predictions").iterdir(), run / "provenance.json"]:
        path.unlink()
    words = Seen(page.write(run).read_text()).words()
    assert "The run folder holds no card." in words
    assert "In detail" not in words


def test_everything_failed_is_a_page_too(tmp_path: Path) -> None:
    run = Maker(tmp_path / "bad").save(Broken("a", "no data"), Broken("b", "not asked for", "skipped"))
    words = Seen(page.write(run).read_text()).words()
    assert "No task could be scored" in words
    assert "not asked for" in words


def test_several_labels_a_picture(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    run = Maker(tmp_path / "voc").save(Toy("voc"))
    path = next((run / "predictions").iterdir())
    table = pq.read_table(path)
    about = table.schema.metadata
    frame = table.to_pandas()
    frame["label"] = [[int(i), (int(i) + 1) % 4] for i in frame["label"]]
    import pyarrow as pa

    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata({b"bench": about[b"bench"]}), path
    )
    words = Seen(page.write(run).read_text()).words()
    assert "Pictures carry several labels" in words
    assert "cat, dog" in words


def test_schema_of_rows_is_the_one_reports_know() -> None:
    """A new column or version must be looked at here: does the page show it, are old folders read or refused?"""
    assert results.SCHEMA_VERSION == 1
    assert list(results.COLUMNS) == [
        "run",
        "model",
        "task",
        "family",
        "split",
        "evaluation",
        "condition",
        "group",
        "metric",
        "headline",
        "value",
        "low",
        "high",
        "n",
        "chance",
        "protocol",
        "status",
        "reason",
    ]


def test_reports_never_import_torch(tmp_path: Path) -> None:
    run = Maker(tmp_path / "run").save(Toy("a"))
    code = ("import sys; from reports.cli import main; status = main([sys.argv[1]]); "
            "sys.exit(status or ('torch' in sys.modules) * 3 or ('datasets' in sys.modules) * 4)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("small, zero-shot: a: ")


@pytest.mark.parametrize(
    ("protocol", "note"), [("retrieval", "Every caption of"), ("matching", "its own captions, one")]
)
def test_captions_are_shown_as_choices(tmp_path: Path, protocol: str, note: str) -> None:
    """In retrieval a label is a list of captions; in matching the choices are the picture's own captions."""
    run = Maker(tmp_path / protocol).save(Toy("captions"))
    path = next((run / "predictions").iterdir())
    cell = folder.read(run).cells[0]
    table = cell.predictions
    if protocol == "retrieval":
        table["label"] = [[int(i), (int(i) + 1) % 4] for i in table["label"]]
    else:
        table["attribute.captions"] = [[f"caption {i} of {name}" for i in range(4)] for name in table["id"]]
    save_parquet(table, path, {**cell.about, "protocol": protocol, "chance": None})
    words = Seen(page.write(run).read_text()).words()
    assert note in words
    assert "Confusion" not in words
    assert ("of captions/00000.png" in words) == (protocol == "matching")


def test_golden_markdown(tmp_path: Path) -> None:
    """`report.md` and `report.tex` of a planted run; after a wanted change, look at it and copy the file."""
    run = Maker(tmp_path / "golden", pictures=0).save(
        TWELVE[1], Toy("few", n=40, accuracy=0.3), Broken("pets", "no folder given")
    )
    page.write(run)
    assert (run / "report.md").read_text() == (GOLDEN / "report.md").read_text()
    assert (run / "report.tex").read_text() == (GOLDEN / "report.tex").read_text()


def test_changed_pictures_and_groups_have_their_tables(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "run")
    maker.save(Toy("a", accuracy=0.8), Toy("a", accuracy=0.5, condition="fog"))
    sliced = [{**maker.rows[0], "group": name, "value": value, "low": 0.1, "high": 0.95, "n": 50}
              for name, value in (("young", 0.5), ("old", 0.9))]  # fmt: skip
    results.save(results.frame([*maker.rows, *sliced]), maker.path)
    words = Seen(page.write(maker.path).read_text()).words()
    assert "Changed pictures" in words
    assert "Kept is the share of what the model has above chance" in words
    assert "young 50.0% old 90.0% 40.0% 55.6%" in words


def test_a_run_of_the_python_interface_that_names_no_run_is_joined_too(tmp_path: Path) -> None:
    run = Maker(tmp_path / "run").save(Toy("a"))
    facts = json.loads((run / "provenance.json").read_text())
    (run / "provenance.json").write_text(json.dumps({name: value for name, value in facts.items() if name != "run"}))
    path = next((run / "predictions").iterdir())
    cell = folder.read(run).cells[0]
    save_parquet(cell.predictions, path, {**cell.about, "run": ""})
    assert 'href="#cell-1-a-zero-shot">a</a>' in page.write(run).read_text()
