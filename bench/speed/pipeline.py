"""How near the pipeline comes to the machine's limits, and prompts against open_clip's way.

    python -m bench.speed.pipeline [--model ViT-B-32] [--device auto] [--precision float32] [--pictures 512]

Rates are of one process, medians of rounds whose order swaps:
- `pictures`: the image tower alone on batches that lie ready on the device; decoding and preprocessing alone by as many
  threads or processes; and `embed`, which does both. `share` is what it keeps of the limit: the slower of the two, or,
  where both are work of the same processor, one after the other.
- `prompts`: the classifier of `--classes` x 80 templates by `open_clip.build_zero_shot_classifier`, and by ours on the
  same weights; and the largest difference between the two.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.speed import select
from bench.speed.end_to_end import Case, photographs

if TYPE_CHECKING:
    from bench.model.clip.encoder import ClipEncoder

DIFFERENT = 512
"""Files at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ViT-B-32", help="an architecture of open_clip, or `bundled`")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--size", type=int, nargs=2, default=(500, 375), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--classes", type=int, default=20, help="of the prompts")
    parser.add_argument("--only", choices=("pictures", "prompts"))
    given = parser.parse_args()
    encoder, reference = models(given)
    said: dict[str, Any] = {"model": given.model, "device": encoder.card.device, "precision": encoder.card.precision,
                            "batch": encoder.batches.size, "compiled": given.compile}  # fmt: skip
    if given.only != "prompts":
        files = photographs(Case(min(given.pictures, DIFFERENT), tuple(given.size), "JPEG", 1, ""))
        found = pictures(encoder, files, given.pictures, given.rounds)
        print(json.dumps(said | {"pictures": found}), flush=True)
    if given.only != "pictures" and reference is not None:
        print(json.dumps(said | {"prompts": prompts(encoder, reference, given.classes, given.rounds)}), flush=True)


def models(given: argparse.Namespace) -> tuple[ClipEncoder, Any]:
    """Our encoder, and the model of open_clip whose weights it has."""
    from bench.model.clip import load_clip

    settings = {"device": given.device, "precision": given.precision, "batch_size": given.batch_size,
                "compile": given.compile}  # fmt: skip
    if given.model == "bundled":
        return load_clip("bundled", **settings), None
    import tempfile
    from pathlib import Path

    import open_clip
    import torch

    torch.manual_seed(0)
    reference = open_clip.create_model(given.model).eval()
    with tempfile.TemporaryDirectory() as folder:
        torch.save(reference.state_dict(), path := Path(folder) / "weights.pt")
        ours = load_clip(path.stem, path=path, activation="gelu", **settings)
    return ours, reference.to(ours.device, ours.dtype)


def pictures(encoder: ClipEncoder, files: list[bytes], count: int, rounds: int) -> dict[str, Any]:
    """Pictures a second of the tower, of decoding, and of both at once; the files as often as `count` needs them."""
    import pandas as pd
    import torch
    from PIL import Image

    from bench.embeddings import Needs, embed
    from bench.pipeline import reader
    from bench.store import Store
    from bench.task import ClassName, Pictures, Records, Samples, Task

    size = encoder.batches.size

    def opened(i: int) -> Any:
        picture = Image.open(io.BytesIO(files[i % len(files)]))
        picture.load()
        return picture

    samples = Samples(Pictures(count, opened), np.zeros(count, np.int64), tuple(map(str, range(count))), "timed",
                      pd.DataFrame(index=range(count)))  # fmt: skip
    task = Task("timed", "speed", lambda split: Records([], [], [], ""), (ClassName("a", ("a",)),), ("{}",),
                {"test": None}, "", "")  # fmt: skip
    ready = torch.from_numpy(np.stack([encoder.prepare(opened(i)) for i in range(min(size, count))])).to(encoder.device)
    pixels = encoder.preprocess.normalised(ready).to(encoder.dtype)

    def tower() -> None:
        with torch.inference_mode():
            for start in range(0, count, size):
                made = encoder._see(pixels[: min(size, count - start)], project=False)
            made.float().cpu()

    def decoding() -> None:
        plan = Store().plan(count)
        with reader(opened, lambda image, i, change: encoder.prepare(image), plan=plan, size=size,
                    device=encoder.card.device) as read:  # fmt: skip
            for rows in plan:
                for _ in read(rows, [None]):
                    pass

    def whole() -> None:
        embed(task, Needs(("test",)), encoder, samples=lambda split: samples, store=Store())

    found = rates({"tower": tower, "decoding": decoding, "embed": whole}, count, rounds)
    shares = [embedded / limit(tower, decoded, encoder.card.device)
              for tower, decoded, embedded in zip(*found.values(), strict=True)]  # fmt: skip
    return {name: round(statistics.median(values), 1) for name, values in found.items()} | {"share": spread(shares)}


def limit(tower: float, decoded: float, device: str) -> float:
    """Pictures a second at most: on one processor one after the other, on a device of its own both at once."""
    return 1 / (1 / tower + 1 / decoded) if device == "cpu" else min(tower, decoded)


def prompts(encoder: ClipEncoder, reference: Any, classes: int, rounds: int) -> dict[str, Any]:
    """Prompts a second, by open_clip's classifier and ours."""
    import open_clip

    chosen = select("imagenet")[0]
    names = chosen.class_names[:: len(chosen.classes) // classes]
    texts = [one.replace("{}", name) for name in names for one in chosen.templates]
    build = partial(open_clip.build_zero_shot_classifier, reference, open_clip.get_tokenizer("ViT-B-32"), names,
                    [lambda name, one=one: one.replace("{}", name) for one in chosen.templates],
                    device=encoder.card.device)  # fmt: skip

    def ours() -> np.ndarray:
        vectors = encoder.encode_texts(texts).reshape(len(names), len(chosen.templates), -1).mean(1)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    apart = float(np.abs(build().float().cpu().numpy().T - ours()).max())
    found = rates({"open_clip": build, "ours": ours}, len(texts), rounds)
    ratios = [mine / theirs for theirs, mine in zip(*found.values(), strict=True)]
    return {name: round(statistics.median(values), 1) for name, values in found.items()} | {
        "times as fast": spread(ratios), "largest difference": apart}  # fmt: skip


def rates(acts: dict[str, Callable[[], object]], count: int, rounds: int) -> dict[str, list[float]]:
    """Items a second of each round, after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    for number in range(rounds):
        for name in list(acts)[:: 1 if number % 2 == 0 else -1]:
            began = time.perf_counter()
            acts[name]()
            found[name].append(count / (time.perf_counter() - began))
    return found


def spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "from": round(min(values), 3), "to": round(max(values), 3)}


if __name__ == "__main__":
    main()
