"""The command itself, as a user types it, on a few pictures of the bundled tasks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from safetensors.torch import save_file

from bench import results

BENCH = [sys.executable, "-c", "import sys; sys.argv[0] = 'bench'; from bench.app import main; main()"]
FEW = ["task=[digits,flags]", "limit=20"]


def environment(cwd: Path, **more: str) -> dict[str, str]:
    own = {"BENCH_STORE": str(cwd / "store"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.getcwd()}
    return {**os.environ, **own, **more}


def bench(*words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BENCH, *words], cwd=cwd, env=environment(cwd, **more), capture_output=True, text=True,
                          timeout=300)  # fmt: skip


def interrupted(*words: str, cwd: Path) -> tuple[int, str]:
    """Status and errors of the command when Ctrl-C is pressed shortly after it told of the digits."""
    running = subprocess.Popen([*BENCH, *words], cwd=cwd, env=environment(cwd, PYTHONUNBUFFERED="1"), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    assert running.stdout is not None  # and a shell that tests in the background had it ignored
    for said in running.stdout:
        if said.strip().startswith("digits"):
            break
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    return running.returncode, error


def the_run(folder: Path) -> Path:
    (found,) = (folder / "outputs").iterdir()
    return found


def test_a_run_leaves_the_whole_folder(tmp_path: Path) -> None:
    done = bench(*FEW, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = the_run(tmp_path)
    names = {path.name for path in run.iterdir()}
    assert {"rows.csv", "rows.parquet", "predictions", "samples", "report.html", "report.md", "figures", "config.yaml",
            "provenance.json"} <= names  # fmt: skip
    rows = results.read(run)
    assert set(rows["task"]) == {"digits", "flags"}
    assert set(rows.loc[rows["headline"], "n"]) == {20}
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["model"]["weights"]
    assert provenance["versions"]["torch"]
    assert "digits" in done.stdout
    assert "Traceback" not in done.stderr


def test_libraries_are_quiet_in_logs(tmp_path: Path) -> None:
    """Neither progress bars nor, at the end, what a library counts as left over."""
    pytest.importorskip("transformers")
    from tests.tiny_models import save_transformers

    place = save_transformers("clip", tmp_path / "clip")
    done = bench(*FEW, "model=transformers", f"model.name={place}", "report=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_sweep_merges_into_one_table(tmp_path: Path) -> None:
    """2 models x 4 tasks by -m, then bench-report."""
    from tests.toys import save_small_clip

    weights = save_small_clip(tmp_path / "small.safetensors")
    done = bench("-m", f"model.path=null,{weights}", "task=digits,flags,scene_colour,fruit_coarse", "limit=10",
                 "report=none", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    sweep = the_run(tmp_path)
    command = [sys.executable, "-c", "from reports.cli import main; main()", str(sweep)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert done.returncode == 0, done.stderr
    merged = results.read(sweep)
    headline = merged[merged["headline"]]
    assert headline.groupby("model")["task"].nunique().tolist() == [4, 4]
    assert (sweep / "report.html").exists()


BAD_REQUESTS = {
    "unknown model": (["model=openai/ViT-B-31", *FEW], "Unknown model"),
    "unknown task": (["task=digitz"], "Did you mean 'digits'"),
    "unknown key": (["limmit=3"], "Did you mean 'limit'"),
    "missing file": (["model.path=nowhere.safetensors", *FEW], "nowhere.safetensors"),
    "no network": (["model=openai/RN50", *FEW], "model.path="),
    "missing setting": (["model=precomputed", *FEW], "model.path="),
    "unwritable output": (["output=/proc/nowhere", *FEW], "/proc/nowhere"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_is_one_clear_message(case: str, tmp_path: Path) -> None:
    words, expected = BAD_REQUESTS[case]
    done = bench(*words, cwd=tmp_path, https_proxy="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


FAILING = """
import torch
from bench.model.clip import load_clip

def no_room(**settings):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

def bug(**settings):
    raise RuntimeError("a bug of a plugin")
"""
SAID = {"no_room": "The model does not fit into memory (CUDA out of memory.", "bug": "RuntimeError: a bug of a plugin"}


@pytest.mark.parametrize("case", SAID)
def test_a_model_that_cannot_be_made_is_one_clear_message_and_a_row(case: str, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    done = bench(f"model._target_=failing.{case}", *FEW, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert SAID[case] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    rows = results.read(the_run(tmp_path))
    assert set(rows["status"]) == {"failed"}
    assert all(SAID[case] in reason for reason in rows["reason"])
    assert "Traceback" in bench(f"model._target_=failing.{case}", *FEW, "debug=true", cwd=tmp_path).stderr


def test_jobs_beside_a_model_that_cannot_be_made_go_on(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    targets = "model._target_=failing.no_room,failing.load_clip,failing.bug"
    done = bench("-m", targets, "task=digits", "limit=5", "report=none", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    for job, case in ((0, "no_room"), (2, "bug")):
        assert f"bench: job {job}: " in done.stderr
        assert SAID[case] in done.stderr
        assert set(results.read(the_run(tmp_path) / str(job))["status"]) == {"failed"}
    assert "Traceback" not in done.stderr
    assert "3 jobs, failures in 0, 2." in done.stdout
    assert set(results.read(the_run(tmp_path) / "1")["status"]) == {"ok"}


def bad_weights(kind: str, path: Path) -> None:
    import pickle

    import torch

    if kind == "pickle":
        path.write_bytes(pickle.dumps({"visual.proj": [1, 2, 3], "run": print}))
    elif kind == "truncated":
        save_file({"visual.proj": torch.zeros(300, 300)}, path)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "another architecture":
        save_file({"encoder.layer.0.weight": torch.zeros(3, 3)}, path)
    elif kind == "nan":
        from tests.toys import save_small_clip

        save_small_clip(path, poison=float("nan"))


@pytest.mark.parametrize("kind", ["pickle", "truncated", "another architecture", "nan"])
def test_bad_weights_are_one_clear_message(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("weights.bin" if kind == "pickle" else "weights.safetensors")
    bad_weights(kind, path)
    done = bench(f"model.path={path}", *FEW, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr
    rows = results.read(the_run(tmp_path))
    assert set(rows["status"]) == {"failed"}


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    status, error = interrupted("task=[digits,fashion_mnist,sketches,flags]", cwd=tmp_path)
    assert status == 130, error
    assert "interrupted" in error
    assert "Traceback" not in error
    assert "digits" in set(results.read(the_run(tmp_path))["task"])


def test_python_gives_what_the_command_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bench as package

    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))
    table = package.run(model="bundled", task=["digits", "flags"], limit=20)
    done = bench(*FEW, "report=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    columns = ["task", "metric", "value", "low", "high", "n"]
    assert results.read(the_run(tmp_path))[columns].equals(table[columns])


def test_load_model(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    import bench as package

    encoder = package.load_model("bundled")
    vectors = encoder.encode_images([Image.new("RGB", (50, 30), "red")])  # type: ignore[union-attr]
    texts = encoder.encode_texts(["a red square", "a photo of a cat"])
    assert vectors.shape == (1, encoder.card.dim)
    assert texts.shape == (2, encoder.card.dim)
    np.testing.assert_allclose(np.linalg.norm(np.vstack([vectors, texts]), axis=1), 1, atol=1e-5)
