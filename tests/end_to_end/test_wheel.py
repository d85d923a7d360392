"""The wheel works outside the checkout: everything the default run needs is inside."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 55e6
"""Bytes: CLIP 25 MB, DALL-E 13 MB, pictures 15 MB, code."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    (built,) = folder.glob("zeroshot_bench-*.whl")
    return built


def test_holds_data_and_configuration(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "conf/config.yaml",
        "conf/model/openai/ViT-B-32.yaml",
        "bench/model/clip/checkpoints/model.safetensors",
        "bench/model/clip/bpe_simple_vocab_16e6.txt.gz",
        "tasks/pack/NOTICE.md",
        "tasks/data/NOTICE.md",
    } <= names
    assert any(name.startswith("tasks/pack/") and name.endswith(".parquet") for name in names)
    assert any(name.startswith("tasks/data/classnames/") for name in names)
    assert not any(name.startswith("tests/") or "__pycache__" in name for name in names)
    assert wheel.stat().st_size < LIMIT


def test_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = "import sys; sys.argv[0] = 'bench'; from bench.app import main; main()"
    env = {**os.environ, "PYTHONPATH": str(site), "BENCH_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "task=[digits,flags]", "limit=10"],
        cwd=tmp_path, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("outputs/*/report.html"))) == 1
