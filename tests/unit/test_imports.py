"""Start-up stays light: what a command does not use is not imported."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("statement", "banned"), [
    ("import bench", ("torch", "numpy", "pandas", "hydra", "matplotlib")),
    ("import bench.overrides", ("torch", "pandas", "matplotlib", "datasets")),
    ("import bench.flow", ("torch", "matplotlib", "datasets", "transformers")),
    ("import tasks; tasks.names()", ("torch", "torchvision", "datasets", "matplotlib")),
    ("import reports.page, reports.cli", ("torch", "datasets", "bench.model.clip")),
    ("import bench.model, bench.model.load", ("torch",)),
])  # fmt: skip
def test_heavy_packages_wait(statement: str, banned: tuple[str, ...]) -> None:
    code = f"{statement}\nimport sys\nprint([name for name in {banned!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
