"""A user's own tasks, as a user adds them: from a folder of photographs, as an installed package, and broken ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench import results
from tests.fixtures import layouts
from tests.fixtures.layouts import ORDER

HERE = Path(__file__).parents[2]
RUN = "import sys; sys.argv[0] = 'bench'; from {0} import main; sys.exit(main())"


def command(module: str, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(HERE), *filter(None, [environment.pop("site", "")])])
    env = {**os.environ, "BENCH_STORE": str(cwd / "store"), "BENCH_TASKS": str(cwd / "own"), "PYTHONPATH": paths}
    env |= {"BENCH_DATA": str(cwd / "data"), "HF_DATASETS_CACHE": str(cwd / "hf"), "BENCH_CACHE": str(cwd / "cache")}
    return subprocess.run(
        [sys.executable, "-c", RUN.format(module), *words], cwd=cwd, env={**env, **environment},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def rows_of(folder: Path) -> pd.DataFrame:
    (run,) = (folder / "outputs").iterdir()
    rows = results.read(run)
    return rows[rows["headline"]].set_index("task")


def test_a_new_task_from_a_folder_of_photographs(tmp_path: Path) -> None:
    """`bench-tasks new pets --from photos/ && bench task=my_pets`: the README's two lines, in a plugin of ten."""
    layouts.folders(tmp_path, ["cat", "dog", "golden_retriever"], path="photos", splits=("train", "test"))
    made = command("tasks.cli", "new", "my_pets", "--from", "photos", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "bench task=my_pets" in made.stdout
    assert len((tmp_path / "own" / "my_pets.py").read_text().splitlines()) <= 10
    done = command("bench.app", "task=my_pets", "report=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path).loc["my_pets", ["n", "status"]].tolist() == [len(ORDER), "ok"]


PACKAGE = """
from pathlib import Path

from bench.task import Task
from tasks.sources import from_folder
from tasks.text import named

GIFT = Task(
    name="gift", family="mine", load=from_folder(Path(__file__).parent / "photos"),
    classes=named(["ant", "bee", "dog"]),
    templates=("a photo of a {}.",), splits={"test": 7}, licence="mine", reference="my camera",
)
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"

[project.entry-points."bench.tasks"]
{name} = "{name}"

[tool.hatch.build.targets.wheel]
packages = ["{name}"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed two packages from their sources, one of which cannot be imported."""
    root = tmp_path_factory.mktemp("packages")
    for name, module in (("goodies", PACKAGE), ("rotten", "1 / 0\n")):
        (root / name / name).mkdir(parents=True)
        (root / name / "pyproject.toml").write_text(PROJECT.format(name=name))
        (root / name / name / "__init__.py").write_text(module)
    layouts.folders(root / "goodies" / "goodies", ["dog", "ant", "bee"], path="photos")
    quiet = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(root / "site")]
    done = subprocess.run([*install, str(root / "goodies"), str(root / "rotten")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root / "site"


def test_an_installed_package_offers_tasks(site: Path, tmp_path: Path) -> None:
    listed = command("tasks.cli", "list", "gift", "cifar10", "--format", "json", cwd=tmp_path, site=str(site))
    assert listed.returncode == 0, listed.stderr
    gift, cifar10 = json.loads(listed.stdout)
    assert (gift["origin"], gift["at_hand"], cifar10["origin"]) == ("goodies (goodies)", True, "tasks.general")
    assert "not loaded: rotten (rotten): ZeroDivisionError" in listed.stderr
    checked = command("tasks.cli", "check", "gift", "--data", cwd=tmp_path, site=str(site))
    assert checked.returncode == 1, "the broken package is an error"
    assert "Traceback" in checked.stdout
    assert "error    gift" not in checked.stdout


def test_a_task_of_an_installed_package_is_run(site: Path, tmp_path: Path) -> None:
    done = command("bench.app", "task=gift", "report=none", cwd=tmp_path, site=str(site))
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path).loc["gift", ["n", "status"]].tolist() == [7, "ok"]


BAD = """
from bench.task import Task
from tasks.sources import from_folder, from_huggingface, from_table
from tasks.text import named

def task(name, load, **changes):
    facts = dict(name=name, family="mine", load=load, classes=named(["ant", "bee", "dog"]),
                 templates=("a photo of a {}.",), splits={"test": None}, licence="mine", reference="my camera")
    return Task(**{**facts, **changes})

TASKS = [
    task("aaa_good", from_folder("zoo")),
    task("missing_split", from_folder("zoo"), splits={"validation": None}, test="validation"),
    task("label_outside", from_folder("zoo"), classes=named(["ant", "bee"])),
    task("broken_picture", from_folder("broken")),
    task("absent_column", from_table("zoo.csv", image="file", label="animal")),
    task("no_such_hub", from_huggingface("nobody/nothing")),
    task("zzz_good", from_folder("zoo")),
]
"""
REASONS = {
    "missing_split": "has no folder for split 'validation'. It has test",
    "label_outside": "1 label(s) of the data are not in its class list: 'dog'",
    "broken_picture": "bee_3.jpg is not a readable picture",
    "absent_column": "Unknown column of zoo.csv 'animal'",
    "no_such_hub": "The data of nobody/nothing",
}


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One run over two good tasks and five whose data is bad, with a hub that cannot be reached."""
    root = tmp_path_factory.mktemp("bad")
    for name in ("zoo", "broken"):
        layouts.folders(root / "data", ["dog", "ant", "bee"], path=name, splits=("test",))
    (root / "data" / "broken" / "test" / "bee" / "bee_3.jpg").write_bytes(b"<html>404</html>")
    (root / "data" / "zoo.csv").write_text("file,label\nzoo/test/ant/ant_1.jpg,ant\n")
    (root / "bad.py").write_text(BAD)
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    words = [f"task.path={root / 'bad.py'}", f"task=[aaa_good,{','.join(REASONS)},zzz_good]", "report=none"]
    return command("bench.app", *words, cwd=root, **nowhere), root


@pytest.mark.parametrize("name", REASONS)
def test_bad_data_is_a_row_with_its_reason(name: str, bad_run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    row = rows_of(bad_run[1]).loc[name]
    assert row["status"] == "failed"
    assert REASONS[name] in row["reason"]
    assert "Traceback" not in row["reason"]


def test_the_sweep_goes_on_past_bad_data(bad_run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, root = bad_run
    assert done.returncode == 1, "one cell failed, so the run did"
    assert "Traceback" not in done.stderr
    rows = rows_of(root)
    assert rows.loc[["aaa_good", "zzz_good"], "status"].tolist() == ["ok", "ok"]
    assert rows.loc["aaa_good", "n"] == len(ORDER)
    assert len(rows) == len(REASONS) + 2
