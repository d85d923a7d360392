"""A tiny prepared data folder: coloured squares with names, and a teacher that knows their colours."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.training.batches import Mix
from bench.training.clip import Settings
from bench.training.sentences import WIDTH

COLOURS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 230), "yellow": (240, 230, 20)}
SIDE = 32


def squares(names: list[str], *, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.integers(-15, 15, (len(names), 3, SIDE, SIDE))
    base = np.array([COLOURS[name] for name in names])[:, :, None, None]
    return (base + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    names = [name for name in COLOURS for _ in range(6)]
    for source, captions in (("squares", [[name] for name in names]), ("photographs", [[] for _ in names])):
        np.save(folder / f"{source}.npy", squares(names, seed=len(source)))
        table = pa.table({"captions": pa.array(captions, pa.list_(pa.string()))})
        pq.write_table(table, folder / f"{source}.parquet")
    words = list(COLOURS)
    logits = np.full((len(names), 1000), -20, np.float16)
    logits[np.arange(len(names)), [words.index(name) for name in names]] = 0
    np.save(folder / "photographs.logits.npy", logits)
    similarity = np.zeros((1000, len(words)), np.float32)
    similarity[np.arange(4), np.arange(4)] = 1
    np.savez(folder / "words.npz", words=np.array(words), similarity=similarity)
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, 4)))[0].T
    np.savez(folder / "sentences.npz", texts=np.array(words), vectors=vectors.astype(np.float16))
    return folder


@pytest.fixture
def mix() -> Mix:
    return Mix(captioned={"squares": 12}, photographs={"photographs": 8}, everyday=0, words=4, group=4)


@pytest.fixture
def settings(mix: Mix) -> Settings:
    from bench.model.clip.shape import ClipShape, ResNetShape, TextShape

    shape = ClipShape(
        embed_dim=WIDTH,
        image_size=SIDE,
        vision=ResNetShape(layers=(1, 1, 1, 1), width=8, heads=4),
        text=TextShape(context=16, vocab=49408, width=16, heads=2, layers=1, hidden=32),
        activation="gelu",
    )
    return Settings(steps=20, warm_up=2, rate=3e-3, shape=shape, mix=mix, precision="float32", save_every=1000)
