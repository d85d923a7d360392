"""The fast path gives what the plain one gives: each picture and each prompt alone, padded, every place computed.

Fast: batches, threads, bytes normalised on the device, prompts trimmed and with shared beginnings, the last block for
one place only, the store. Plain: the transformer written out here over the same weights, without any of that.
24 pictures of each task; `BENCH_PARITY=20000 pytest tests/end_to_end/test_plain_path.py tests/realdata` takes all.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tasks
from bench.embeddings import embed
from bench.evaluation import Predictions
from bench.evaluation.suited import suited
from bench.evaluation.zero_shot import ZeroShot
from bench.model.clip.architecture import ModifiedResNet
from bench.model.clip.encoder import ClipEncoder
from bench.model.load import load_model
from bench.store import Store
from bench.task import Samples, Task

FEW = int(os.environ.get("BENCH_PARITY", "24"))
BUNDLED = {task.name: task for task in tasks.select(["tag:bundled"])}


class Plain:
    """The same model as an encoder without a shortcut."""

    def __init__(self, fast: ClipEncoder) -> None:
        self.model, self.card, self.preprocess, self.tokenizer = fast.model, fast.card, fast.preprocess, fast.tokenizer

    def encode_images(self, images):  # type: ignore[no-untyped-def]
        return np.concatenate([unit(self._image(torch.from_numpy(self._pixels(one))[None])) for one in images])

    def encode_texts(self, texts):  # type: ignore[no-untyped-def]
        rows = [torch.from_numpy(self.tokenizer([text])) for text in texts]
        return np.concatenate([unit(self._text(row)) for row in rows])

    def _pixels(self, image):  # type: ignore[no-untyped-def]
        square = np.asarray(self.preprocess.square(image), np.float32) / np.float32(255)
        mean, std = np.asarray(self.preprocess.mean, np.float32), np.asarray(self.preprocess.std, np.float32)
        return ((square - mean) / std).transpose(2, 0, 1)

    @torch.inference_mode()
    def _image(self, pixels: Tensor) -> Tensor:
        tower = self.model.visual
        if isinstance(tower, ModifiedResNet):  # it has no shortcut
            return self.model.encode_image(pixels)
        x = tower.conv1(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([tower.class_embedding.expand(len(x), 1, -1), x], dim=1) + tower.positional_embedding
        x = blocks(tower.transformer.resblocks, tower.ln_pre(x), causal=False)
        return tower.ln_post(x[:, 0]) @ tower.proj  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _text(self, tokens: Tensor) -> Tensor:
        x = self.model.token_embedding(tokens) + self.model.positional_embedding
        x = self.model.ln_final(blocks(self.model.transformer.resblocks, x, causal=True))
        return x[:, int(tokens.argmax())] @ self.model.text_projection


def blocks(layers: nn.ModuleList, x: Tensor, *, causal: bool) -> Tensor:
    for layer in layers:
        x = x + attention(layer.attn, layer.ln_1(x), causal)  # type: ignore[operator, arg-type]
        x = x + layer.mlp(layer.ln_2(x))  # type: ignore[operator]
    return x


def attention(layer, x: Tensor, causal: bool) -> Tensor:  # type: ignore[no-untyped-def]
    n, t, w = x.shape
    q, k, v = (part.view(n, t, layer.heads, -1).transpose(1, 2)
               for part in F.linear(x, layer.in_proj_weight, layer.in_proj_bias).split(w, 2))  # fmt: skip
    scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
    if causal:
        scores = scores + torch.full((t, t), -torch.inf).triu(1)
    return layer.out_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, w))  # type: ignore[no-any-return]


def unit(vectors: Tensor) -> np.ndarray:
    return np.asarray(F.normalize(vectors.float(), dim=-1).numpy())


@pytest.fixture(scope="module")
def fast() -> ClipEncoder:
    found = load_model("bundled", device="cpu")
    assert isinstance(found, ClipEncoder)
    return found


def both(fast: ClipEncoder, task: Task, few: int, store: Store) -> tuple[Predictions, Predictions, float]:
    """What each says, and how far their vectors are apart at most."""
    drawn: dict[str, Samples] = {}

    def samples(split: str) -> Samples:
        if split not in drawn:
            drawn[split] = task.samples(split).draw(few)
        return drawn[split]

    how = suited(ZeroShot(), task)
    needs = how.needs(task, samples)
    found = [embed(task, needs, one, samples=samples, store=kept)  # type: ignore[arg-type]
             for one, kept in ((fast, store), (Plain(fast), Store()))]  # fmt: skip
    texts = list(found[0].text_index)
    apart = [np.abs(found[0].images[split] - found[1].images[split]).max() for split in found[0].images]
    apart.append(np.abs(found[0].texts(texts) - found[1].texts(texts)).max() if texts else 0.0)
    return how(task, found[0]), how(task, found[1]), float(max(apart))


def agree(fast: ClipEncoder, task: Task, few: int, place: Path) -> None:
    mine, plain, apart = both(fast, task, few, Store(place))
    assert apart < 1e-5
    one, other = mine.table(), plain.table()
    assert one["prediction"].tolist() == other["prediction"].tolist()
    assert one["correct"].tolist() == other["correct"].tolist()


@pytest.mark.parametrize("name", BUNDLED)
def test_on_every_bundled_task(name: str, fast: ClipEncoder, tmp_path: Path) -> None:
    agree(fast, BUNDLED[name], FEW, tmp_path)
