"""Every reader of data from outside, with whole files for it to read: what the fuzzer damages."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from tests.fuzz import kept, published
from tests.fuzz.folders import manifest, overrides, read_manifest, read_overrides, read_run, run
from tests.fuzz.models import CONFIGS, configuration, read_configured, read_transformers, transformers_folder


class Reader(NamedTuple):
    """`make(folder)` writes whole files and says which one is damaged; `read(folder)` reads what lies there."""

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]


def state() -> dict[str, torch.Tensor]:
    return {"visual.proj": torch.arange(12.0).reshape(3, 4), "logit_scale": torch.tensor(1.0)}


# Weights


def safetensors(folder: Path) -> Path:
    from safetensors.torch import save_file

    save_file(state(), path := folder / "w.safetensors")
    return path


def torch_zip(folder: Path) -> Path:
    torch.save({"state_dict": state()}, path := folder / "w.pt")
    return path


def torch_pickle(folder: Path) -> Path:
    torch.save(state(), path := folder / "w.pt", _use_new_zipfile_serialization=False)
    return path


def torchscript(folder: Path) -> Path:
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.proj = nn.Parameter(torch.ones(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.save(torch.jit.trace(Holder(), torch.ones(1)), path := folder / "w.pt")
    return path


def read_weights(folder: Path) -> Any:
    from bench.model.clip.weights import read_weights as read

    return read(next(folder.glob("w.*")))


def own_checkpoint(folder: Path) -> Path:
    from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape
    from bench.model.clip.checkpoint import Card, save_checkpoint
    from bench.model.clip.preprocess import Preprocess

    shape = ClipShape(8, 16, VitShape(16, 1, 8, 1, 16), TextShape(8, 16, 16, 1, 1, 16))
    save_checkpoint(folder, Clip(shape), Card("tiny", shape, Preprocess(16)))
    return next(path for path in folder.iterdir() if path.suffix == ".json")


def read_checkpoint(folder: Path) -> Any:
    from bench.model.clip.load import load

    return load(folder)


# Pictures


def picture(kind: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        array = np.random.default_rng(0).integers(0, 255, (24, 31, 3), dtype=np.uint8)
        Image.fromarray(array).save(path := folder / f"p.{kind.lower()}", kind)
        return path

    return make


def read_picture(folder: Path) -> Any:
    from bench.model.clip.preprocess import Preprocess
    from tasks.sources.content import decode

    path = next(folder.glob("p.*"))
    return Preprocess(16).pixels(decode(path.read_bytes(), path.name))


# Tables

ROWS = pd.DataFrame({"image": ["a.png", "b.png"], "label": ["cat", "dog"], "split": ["test", "test"], "age": [1.5, 2]})


def table(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for name in ROWS["image"]:
            Image.new("RGB", (4, 4)).save(folder / name)
        path = folder / f"t{suffix}"
        save = {".csv": ROWS.to_csv, ".parquet": ROWS.to_parquet,
                ".jsonl": lambda path, index: ROWS.to_json(path, orient="records", lines=True),
                ".tsv": lambda path, index: ROWS.to_csv(path, sep="\t", index=index)}[suffix]  # fmt: skip
        save(path, index=False)  # type: ignore[operator]
        return path

    return make


def read_table(folder: Path) -> Any:
    from tasks.own import from_file

    (task,) = from_file(str(next(folder.glob("t.*"))))
    return task.samples()


def vectors(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = np.eye(3, 4, dtype=np.float32)
        path = folder / f"v{suffix}"
        if suffix == ".npz":
            np.savez(path, **{"images/t/test": made, "ids/t/test": np.array(["a", "b", "c"])})
        else:
            columns = {
                "kind": "image",
                "task": "t",
                "split": "test",
                "id": list("abc"),
                "text": "",
                **{f"v{i}": made[:, i] for i in range(4)},
            }
            frame = pd.DataFrame(columns)
            _ = frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
        return path

    return make


def read_vectors(folder: Path) -> Any:
    from bench.model.vector_files import read_vectors as read

    return read(next(folder.glob("v.*")))


# Archives and arrays


def shard(folder: Path) -> Path:
    path = folder / "0.tar"
    with tarfile.open(path, "w") as file:
        for name, content in (("000.png", png()), ("000.cls", b"0"), ("001.png", png()), ("001.cls", b"1")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return path


def png() -> bytes:
    Image.new("RGB", (3, 3)).save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()


def read_shard(folder: Path) -> Any:
    from tasks.sources.content import decode
    from tasks.sources.shards import read_shard as read

    return [decode(one.picture.read(), one.name) for one in read(folder / "0.tar")]


def pickled(folder: Path) -> Path:
    content = {b"data": np.zeros((2, 12), np.uint8), b"labels": [0, 1], b"filenames": ["a", "b"]}
    (path := folder / "batch").write_bytes(pickle.dumps(content, protocol=2))
    return path


def read_pickle(folder: Path) -> Any:
    from tasks.sources.layouts.pickles import load

    return load(folder / "batch")


def idx(folder: Path) -> Path:
    content = b"\0\0\x08\x03" + np.array([2, 3, 3], ">u4").tobytes() + bytes(range(18))
    (path := folder / "i-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    return path


def read_idx(folder: Path) -> Any:
    from tasks.sources.layouts.arrays import read_idx as read

    return read(folder / "i-idx3-ubyte")


def matlab(folder: Path) -> Path:
    from scipy.io import savemat

    savemat(path := folder / "m.mat", {"X": np.zeros((3, 3), np.uint8), "y": np.array([[1], [2]])})
    return path


def read_matlab(folder: Path) -> Any:
    from tasks.sources.layouts.matlab import _load

    return _load(folder / "m.mat")


READERS = {
    "weights: safetensors": Reader(safetensors, read_weights),
    "weights: zip": Reader(torch_zip, read_weights),
    "weights: pickle": Reader(torch_pickle, read_weights),
    "weights: TorchScript": Reader(torchscript, read_weights),
    "weights: card of a checkpoint": Reader(own_checkpoint, read_checkpoint),
    **{f"configuration: {name}": Reader(configuration(name), read_configured) for name in CONFIGS},
    **{f"transformers: {name}": Reader(transformers_folder(name), read_transformers)
       for name in ("config.json", "preprocessor_config.json")},
    **{f"picture: {kind}": Reader(picture(kind), read_picture)
       for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")},
    **{f"table: {suffix}": Reader(table(suffix), read_table) for suffix in (".csv", ".tsv", ".jsonl", ".parquet")},
    **{f"vectors: {suffix}": Reader(vectors(suffix), read_vectors) for suffix in (".npz", ".csv", ".parquet")},
    "manifest": Reader(manifest, read_manifest),
    "archive: tar": Reader(shard, read_shard),
    "archive: pickled arrays": Reader(pickled, read_pickle),
    "archive: idx": Reader(idx, read_idx),
    "archive: matlab": Reader(matlab, read_matlab),
    "run: rows": Reader(run("rows.parquet"), read_run),
    "run: predictions": Reader(run("predictions/*.parquet"), read_run),
    "run: provenance": Reader(run("provenance.json"), read_run),
    "YAML: overrides of a job": Reader(overrides, read_overrides),
    "run: tables of audits": Reader(kept.audited, kept.read_audited),
    "run: samples": Reader(kept.samples, kept.read_samples),
    "run: journal": Reader(kept.journal, kept.read_journal),
    "run: merged": Reader(kept.merge, kept.read_merge),
    "store: array": Reader(kept.stored(".npy"), kept.read_store),
    "store: seal": Reader(kept.stored(".json"), kept.read_store),
    "weights: modules": Reader(kept.modules, kept.read_half),
    "DALL-E: card.json": Reader(kept.dalle("card.json"), kept.read_dalle),
    "DALL-E: model.safetensors": Reader(kept.dalle("model.safetensors"), kept.read_dalle),
    "weights: VAE": Reader(kept.vae, kept.read_half),
    **{f"audit: manifest {suffix}": Reader(kept.manifest(suffix), kept.read_manifest)
       for suffix in (".csv", ".jsonl", ".parquet")},
    **{f"audit: references {suffix}": Reader(kept.references(suffix), kept.read_references)
       for suffix in (".csv", ".parquet")},
    "audit: training vectors": Reader(kept.training_vectors, kept.read_training_vectors),
    "audit: label set": Reader(kept.label_set, kept.read_label_set),
    "ratings": Reader(kept.ratings, kept.read_ratings),
    "video": Reader(published.video, published.read_video),
    **{f"layout: {name}, {Path(file).name}": Reader(published.miniature(name, file), published.read_task(name))
       for name, files in published.LISTS.items() for file in files},
}  # fmt: skip
