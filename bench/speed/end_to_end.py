"""A whole zero-shot run against CLIP_benchmark's: both as a user types them, same weights, same pictures and prompts.

    python -m bench.speed.end_to_end --peer-python /path/to/python [--rounds 2] [--case cifar jpeg]

Weights: a ViT-B/32 with random numbers, saved in open_clip's layout; pictures: shards in CLIP_benchmark's layout, which
both read. Cases: `cifar`, 64 pictures of 32 pixels and 10 classes x 18 templates; `jpeg`, 512 JPEGs of 500 x 375 and 3
classes x 80 templates. The peer runs by its defaults (mixed precision, batches of 64, 4 workers) and with the better of
both precisions; we run by our defaults (float32, exact) and with `model.precision=fast`. Each round swaps the order.
Wall seconds from the start of the command to its end. The peer needs an environment of its own (CLIP_benchmark 1.6.2
fails with numpy 2.4).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.speed import select

SHARDS = 4
TASK = """
from pathlib import Path
from bench.task import Task
from tasks.sources import from_webdataset
from tasks.text import named

PLACE = Path(__file__).parent.parent / "shards"
CLASSES = named((PLACE / "classnames.txt").read_text().splitlines())
TIMED = Task(
    name="timed", family="mine", load=from_webdataset(str(PLACE), classes=CLASSES), classes=CLASSES,
    splits={"test": None}, licence="-", reference="-",
    templates=tuple((PLACE / "templates.txt").read_text().splitlines()),
)
"""


class Case(NamedTuple):
    """Pictures of this size and kind, and prompts."""

    pictures: int
    size: tuple[int, int]
    kind: str
    classes: int
    task: str
    """Whose templates."""


CASES = {"cifar": Case(64, (32, 32), "PNG", 10, "cifar10"), "jpeg": Case(512, (500, 375), "JPEG", 3, "imagenet")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, help="the interpreter that has clip_benchmark 1.6.2")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--case", nargs="*", default=list(CASES), choices=list(CASES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        weights = save_weights(Path(name) / "ViT-B-32.pt")
        for case in given.case:
            place = Path(name) / case
            make(place, CASES[case])
            print(json.dumps({case: compare(place, weights, given.peer_python, given.rounds)}), flush=True)


def compare(place: Path, weights: Path, peer_python: str, rounds: int) -> dict[str, Any]:
    """Wall seconds of each contender, and how many times longer the peer takes."""
    runs = {
        "ours": ours(place, weights, []),
        "ours fast": ours(place, weights, ["model.precision=fast"]),
        "peer": peer(place, weights, peer_python, []),
        "peer float32": peer(place, weights, peer_python, ["--no_amp"]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs)[:: 1 if number % 2 == 0 else -1]:
            seconds[name].append(timed(runs[name], place))
    best = min(("peer", "peer float32"), key=lambda one: min(seconds[one]))
    return {
        "seconds": {name: [round(one, 1) for one in found] for name, found in seconds.items()},
        "its defaults / our defaults": ratio(seconds["peer"], seconds["ours"]),
        "its best / our defaults": ratio(seconds[best], seconds["ours"]),
        "its best / our fast": ratio(seconds[best], seconds["ours fast"]),
        "its best is": best,
    }


def ratio(theirs: Sequence[float], mine: Sequence[float]) -> dict[str, float]:
    found = [a / b for a, b in zip(theirs, mine, strict=True)]
    return {"median": round(float(np.median(found)), 2), "from": round(min(found), 2), "to": round(max(found), 2)}


def ours(place: Path, weights: Path, more: list[str]) -> list[str]:
    code = "import sys; from bench.app import main; sys.argv[0] = 'bench'; main()"
    words = [f"model.path={weights}", "model.activation=gelu", "task=timed", f"task.path={place / 'own'}",
             "store.folder=null", f"output={place / 'outputs'}", "report=none", *more]  # fmt: skip
    return [sys.executable, "-c", code, *words]


def peer(place: Path, weights: Path, python: str, more: list[str]) -> list[str]:
    words = ["eval", "--dataset=wds/timed", f"--dataset_root={place / 'shards'}", "--model=ViT-B-32",
             f"--pretrained={weights}", "--task=zeroshot_classification", f"--output={place / 'peer.json'}", "--quiet",
             *more]  # fmt: skip
    code = "import sys; from clip_benchmark.cli import main; sys.argv[0] = 'clip_benchmark'; main()"
    return [python, "-c", code, *words]


def timed(command: list[str], place: Path) -> float:
    began = time.perf_counter()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def save_weights(path: Path) -> Path:
    """A ViT-B/32 of random numbers in open_clip's layout."""
    import open_clip
    import torch

    torch.manual_seed(0)
    torch.save(open_clip.create_model("ViT-B-32").state_dict(), path)
    return path


def make(place: Path, case: Case) -> None:
    """Shards, prompts and our task in a folder."""
    shards = place / "shards"
    (shards / "test").mkdir(parents=True)
    chosen = select(case.task)[0]
    (shards / "classnames.txt").write_text("\n".join(chosen.class_names[: case.classes]))
    (shards / "templates.txt").write_text("\n".join(chosen.templates))
    theirs = [one.replace("{}", "{c}") for one in chosen.templates]
    (shards / "zeroshot_classification_templates.txt").write_text("\n".join(theirs))
    (shards / "test" / "nshards.txt").write_text(str(SHARDS))
    pictures = photographs(case)
    for shard in range(SHARDS):
        with tarfile.open(shards / "test" / f"{shard}.tar", "w") as file:
            for i in range(shard, case.pictures, SHARDS):
                suffix = "jpg" if case.kind == "JPEG" else "png"
                for name, content in ((f"{i:06}.{suffix}", pictures[i]), (f"{i:06}.cls", b"%d" % (i % case.classes))):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    file.addfile(entry, io.BytesIO(content))
    (place / "own").mkdir()
    (place / "own" / "timed.py").write_text(TASK)


def photographs(case: Case) -> list[bytes]:
    """Encoded cuts of two photographs, each another place and size."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    random, found = np.random.default_rng(0), []
    sources = [Image.fromarray(array) for array in load_sample_images().images]
    for i in range(case.pictures):
        source = sources[i % 2]
        width = int(random.integers(300, source.width))
        height = min(width * case.size[1] // case.size[0], source.height)
        left, top = (int(random.integers(0, 1 + room)) for room in (source.width - width, source.height - height))
        cut = source.resize(case.size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        buffer = io.BytesIO()
        cut.save(buffer, case.kind, quality=90)
        found.append(buffer.getvalue())
    return found


if __name__ == "__main__":
    main()
