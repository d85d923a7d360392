"""The line that goes on with what Ctrl-C stopped, and names that a terminal cannot show."""

from __future__ import annotations

import shlex
from pathlib import Path

from bench import results
from tests.end_to_end.test_app import bench, interrupted


def test_the_line_that_is_told_goes_on_with_the_whole_sweep(tmp_path: Path) -> None:
    """With `-m`, for all jobs, and with one `resume`, whatever was typed."""
    words = ["-m", "task=digits,fashion_mnist", "report=none", f"resume={tmp_path / 'my sweep'}"]
    _, error = interrupted(*words, cwd=tmp_path)
    assert "To go on: " in error, error
    line = shlex.split(error.partition("To go on: ")[2].splitlines()[0])
    assert line == ["bench", *words]
    done = bench(*line[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [len(results.read(tmp_path / "my sweep" / one)) > 0 for one in "01"] == [True, True]


def test_several_values_without_m_are_one_clear_message(tmp_path: Path) -> None:
    done = bench("task=digits,flags", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "use key=[value1,value2]" in done.stderr
    assert "add --multirun" in done.stderr


def test_a_name_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import tasks\n\nTASK = tasks.select('digits')[0].renamed('tür')\n", encoding="utf-8"
    )
    words = ["task=t*r", f"task.path={tmp_path}", "limit=20", "report=none"]
    done = bench(*words, cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "t\\xfcr" in done.stdout
