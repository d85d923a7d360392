"""A run folder: one process at a time, nothing of an earlier run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import bench as package
from bench import results
from bench.errors import BenchError
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.journal import content, whole
from bench.run_folder import RunFolder, alone
from tests.end_to_end.test_app import bench
from tests.toys import ToyEncoder, toy_task


def test_a_run_that_is_being_written_cannot_be_gone_on_with(tmp_path: Path) -> None:
    with alone(tmp_path / "run"), pytest.raises(BenchError, match="being written by another process"), \
            alone(tmp_path / "run"):  # fmt: skip
        pass
    with alone(tmp_path / "run"):
        done = bench("task=clipart", "limit=5", "report=none", f"resume={tmp_path / 'run'}", cwd=tmp_path)
        with pytest.raises(BenchError, match="being written by another process"):
            package.run(ToyEncoder(), toy_task(), output=tmp_path / "run")
    assert done.returncode == 2
    assert "run is being written by another process" in done.stderr
    assert not (tmp_path / "run" / "provenance.json").exists()  # not even the refusal is noted in it


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_runs_that_begin_in_one_second_have_folders_of_their_own(kind: str) -> None:
    from hydra.core.utils import setup_globals

    import conf

    setup_globals()
    place = OmegaConf.load(conf.FOLDER / "config.yaml").hydra[kind]._get_node("dir")._value()
    first, second = (OmegaConf.create({"output": "o", "dir": place}).dir for _ in range(2))
    assert first != second
    assert first.startswith("o/20")


def run(place: Path, *names: str, resumed: bool = False) -> RunFolder:
    import tasks

    encoder = ToyEncoder()
    folder = RunFolder(place, {"run": "r", "model": encoder.card.as_dict()}, resumed=resumed)
    folder.keep_journal("same")
    chosen = [task for name in names for task in tasks.select(name)]
    run_cells(encoder, chosen, [ZeroShot()], folder=folder, settings=Settings(run="r", limit=10))
    return folder


def tasks_of(place: Path) -> list[str]:
    from reports.folder import read

    return [cell["task"] for cell in read(place).cells]


def test_a_run_that_begins_anew_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    run(tmp_path, "clipart", "flags")
    (tmp_path / "own.parquet").touch()
    run(tmp_path, "clipart")
    assert tasks_of(tmp_path) == ["clipart"]
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["clipart.parquet"]
    assert (tmp_path / "own.parquet").exists()


def test_files_of_a_user_in_a_folder_without_a_run_are_left(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "own.parquet").touch()
    RunFolder(tmp_path)
    assert (tmp_path / "samples" / "own.parquet").exists()


def test_reports_leave_out_predictions_of_cells_that_the_run_has_not(tmp_path: Path) -> None:
    run(tmp_path, "clipart", "flags")
    run(tmp_path, "clipart", resumed=True)
    assert (tmp_path / "predictions" / "flags--zero_shot--clean.parquet").exists()
    assert tasks_of(tmp_path) == ["clipart"]


def test_what_a_killed_process_was_writing_is_not_read_and_goes_on_resume(tmp_path: Path) -> None:
    run(tmp_path, "clipart")
    whole = tmp_path / "predictions" / "clipart--zero_shot--clean.parquet"
    (whole.parent / ".tmp-abc.parquet").write_bytes(whole.read_bytes())
    (whole.parent / ".tmp-half.parquet").write_bytes(b"PAR1")
    assert tasks_of(tmp_path) == ["clipart"]
    run(tmp_path, "clipart", resumed=True)
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]


@pytest.mark.parametrize(
    "damaged", [{"tasks": None}, {"tasks": [1]}, {"stages": []}, {"stages": {"clipart zero_shot": "y"}}]
)
def test_a_run_goes_on_over_damaged_provenance(tmp_path: Path, damaged: dict[str, object]) -> None:
    (tmp_path / "provenance.json").write_text(json.dumps(damaged))
    run(tmp_path, "clipart", resumed=True)
    assert set(results.read(tmp_path)["status"]) == {"ok"}


def test_facts_of_a_task_outlive_a_kill_after_its_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: RunFolder, table: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, "clipart")
    assert len(list((tmp_path / "finished").iterdir())) == 1
    assert set(run(tmp_path, "clipart", resumed=True).provenance["tasks"]) == {"clipart"}


@pytest.mark.parametrize("kind", ["predictions", "samples"])
@pytest.mark.parametrize("emptied", [False, True])
def test_a_file_that_was_lost_is_made_again(kind: str, emptied: bool, tmp_path: Path) -> None:
    run(tmp_path, "clipart", "flags")
    (lost,) = (tmp_path / kind).glob("flags*")
    before = lost.read_bytes()
    assert whole(tmp_path)
    if emptied:
        lost.write_bytes(b"")
    else:
        lost.unlink()
    assert not whole(tmp_path)
    run(tmp_path, "clipart", "flags", resumed=True)
    assert lost.read_bytes() == before


def test_content_of_named_files_is_part_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    files = tmp_path / "ref.csv", tmp_path / "run" / "rows.parquet"
    for file in files:
        file.write_text("a")
    choice = {"references": [str(files[0]), {"deep": str(tmp_path / "run")}], "seed": 0, "names": ["*", "", "x" * 9999]}
    seen = [content(choice)]
    for file in files:
        file.write_text("b")
        seen.append(content(choice))
    assert sorted(seen[0]) == sorted(map(str, files))
    assert seen[0] != seen[1] != seen[2] != seen[0]
    assert content(choice) == seen[2]


def test_a_run_with_another_reference_in_the_same_place_is_another_one(tmp_path: Path) -> None:
    from bench.app import _decisive
    from bench.overrides import composed, prepare

    reference = tmp_path / "ref.csv"
    reference.write_text("a")
    config = composed(prepare(["audit=robustness", f"audit.references=[{reference}]"]))
    before = _decisive(config)
    assert _decisive(config) == before
    reference.write_text("b")
    assert _decisive(config) != before
