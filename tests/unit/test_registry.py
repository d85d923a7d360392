"""The registry: selection, duplicates, broken plugins, plugins from a folder (packages: end_to_end/test_plugins)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tasks
from bench.errors import BenchError

PLUGIN = """
from bench.task import Task
from tasks.sources import from_folder
from tasks.text import named

TOY = Task(
    name="{name}", family="mine", load=from_folder("photos"), classes=named(["cat", "dog"]),
    templates=("a photo of a {{}}.",), splits={{"test": None}}, licence="mine", reference="my camera",
)
ALSO = [TOY.renamed("{name}_again"), {{"x": TOY.renamed("{name}_third")}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text(PLUGIN.format(name="toy"))
    (tmp_path / "bad.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "taken.py").write_text(PLUGIN.format(name="cifar10"))
    (tmp_path / "_private.py").write_text("raise RuntimeError('never imported')\n")
    return tmp_path


def test_folder_plugins_join_and_broken_ones_stay_out(folder: Path) -> None:
    assert {"toy", "toy_again", "toy_third", "cifar10"} <= set(tasks.names(path=folder))
    assert tasks.select("cifar10", path=folder)[0] is tasks.select("cifar10")[0]
    assert "cifar10_again" not in tasks.names(path=folder), "a file with one duplicate is kept out whole"
    broken = tasks.broken(path=folder)
    assert {Path(one).name for one in broken} == {"bad.py", "taken.py"}
    assert "ModuleNotFoundError" in broken[str(folder / "bad.py")]
    assert "exists already" in broken[str(folder / "taken.py")]
    assert "toy" not in tasks.names()


def test_a_task_belongs_to_the_module_that_made_it() -> None:
    """`tasks.positions` imports EUROSAT to derive from it."""
    origins = tasks.load().origins
    assert origins["eurosat"] == "tasks.general"
    assert origins["eurosat_by_position"] == "tasks.positions"


def test_an_unknown_name_mentions_broken_plugins(folder: Path) -> None:
    with pytest.raises(BenchError, match=r"could not be loaded: .*bad\.py"):
        tasks.select("no_such_task", path=folder)


def test_missing_plugin_folder(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No folder or file of tasks"):
        tasks.names(path=tmp_path / "absent")


def test_select_by_name_glob_family_and_tag() -> None:
    assert [task.name for task in tasks.select("mnist,cifar10,mnist")] == ["mnist", "cifar10"]
    assert [task.name for task in tasks.select(["cifar10*"])] == [
        "cifar10", "cifar100", "cifar100_c", "cifar10_1", "cifar10_c",
    ]  # fmt: skip
    assert {"cifar10", "mnist"} <= {task.name for task in tasks.select("family:general")}
    assert {task.family for task in tasks.select("family:general")} == {"general"}
    assert all("clip27" in task.tags for task in tasks.select("tag:clip27"))


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [("cifr10", "Did you mean 'cifar10'"), ("family:generl", "Did you mean 'general'"), ("zz_*", "Unknown task")],
)
def test_unknown_names_answer_with_the_closest(wanted: str, answer: str) -> None:
    with pytest.raises(BenchError, match=answer):
        tasks.select(wanted)


def test_importing_the_registry_is_light() -> None:
    script = "import sys, tasks; tasks.names(); print([m for m in ('torch', 'datasets', 'pandas') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("language", ["zh", "it", "ja", "ar"])
def test_other_languages_are_joined_by_key(language: str) -> None:
    english, found = tasks.select("imagenet")[0], tasks.select("imagenet", language=language)[0]
    assert found.name == f"imagenet_{language}"
    assert [one.key for one in found.classes] == [one.key for one in english.classes]
    assert found.class_names != english.class_names
    subset = tasks.select("imagenet_a", language=language)[0]
    names = {one.key: one.names for one in found.classes}
    assert all(one.names == names[one.key] for one in subset.classes)


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(BenchError, match=r"'imagenet' has no names in language 'xx'\. It has: ar, it, ja, zh"):
        tasks.select("imagenet", language="xx")
    with pytest.raises(BenchError, match="English only"):
        tasks.select("cifar10", language="zh")
