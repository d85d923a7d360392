"""A tiny run of the DALL-E recipe: every stage, cut off and gone on with, packed, loaded, drawn from."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError
from bench.generator import Completing, Generator
from bench.generator.compositions import KINDS, compose
from bench.generator.dalle import Dalle
from bench.generator.dalle.checkpoint import WEIGHTS, load
from bench.generator.dalle.completion import Rectangle
from bench.generator.dalle.transformer import DalleShape
from bench.generator.dalle.vae import VaeShape
from bench.generator.dalle.words import PAD, Words
from bench.training import dalle
from bench.training.dalle_card import pack
from bench.training.dalle_data import MIX, Drawn, draw_all, kind_of
from bench.training.dalle_vae import VaeSettings
from bench.training.loop import Schedule
from bench.training.muon import Muon, orthogonal


def schedule(steps: int) -> Schedule:
    return Schedule(steps=steps, batch=4, warm_up=2, rate=3e-3)


TINY = dalle.DalleSettings(
    scenes=48,
    vae=VaeSettings(
        shape=VaeShape(width=4, blocks=1, vocab=16, start=8, gain=0.5), warm=schedule(6), schedule=schedule(4)
    ),
    shape=DalleShape(text=dalle.CONTEXT, words=0, side=8, codes=16, layers=3, heads=2, head=8),
    schedule=schedule(6),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dalle")
    dalle.train(TINY, folder)
    pack(folder, folder / "packed")
    return folder


def test_a_run_makes_a_checkpoint_that_draws(run: Path) -> None:
    model = Dalle(run / "packed")
    assert isinstance(model, Generator)
    pictures = model.generate(["a red circle", "a zebra"], [1, 2])
    assert [picture.size for picture in pictures if picture is not None] == [(64, 64)] * 2
    again = model.generate(["a zebra"], [2])
    assert again[0] is not None
    assert pictures[1] is not None
    assert again[0].tobytes() == pictures[1].tobytes()
    assert model.strange("a Red zebra.") == ["zebra"]
    redrawn, done = model.complete(["a red circle"], [pictures[0]], Rectangle(4, 0, 8, 8), [3])  # type: ignore[list-item]
    assert done.native
    assert (done.codes[0, :4] == model.codes([pictures[0]])[0, :4]).all()  # type: ignore[list-item]
    assert redrawn[0].size == (64, 64)


def test_the_checkpoint_is_the_running_mean_in_half_precision(run: Path) -> None:
    kept = torch.load(run / "transformer.pt", weights_only=True)["mean"]
    found = load(run / "packed").transformer.state_dict()
    assert all(torch.equal(found[name], one.half().float()) for name, one in kept.items())


def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not(run: Path, tmp_path: Path) -> None:
    whole = torch.load(run / "transformer.pt", weights_only=True)
    for name in ("warm.pt", "vae.pt", "codes.npy", "pixels-48.npy"):
        (tmp_path / name).symlink_to(run / name)
    drawn = draw_all(48, tmp_path)
    words = Words.of((caption for captions in drawn.captions for caption in captions), dalle.CONTEXT)
    for until in (2, 4, 6):
        coded = dalle.coded_by(None, drawn, words, tmp_path)  # type: ignore[arg-type]  # codes are there
        loop = dalle.TransformerLoop(TINY, words, coded, tmp_path / "transformer.pt")
        loop.train(until=until)
    assert loop.step == 6
    assert all(torch.equal(loop.mean[name], one) for name, one in whole["mean"].items())


def test_training_lowers_the_loss(run: Path, tmp_path: Path) -> None:
    settings = replace(TINY, schedule=replace(schedule(60), batch=16))
    drawn = draw_all(48, run)
    words = Words.of((caption for captions in drawn.captions for caption in captions), dalle.CONTEXT)
    coded = dalle.coded_by(None, drawn, words, run)  # type: ignore[arg-type]
    loop = dalle.TransformerLoop(settings, words, coded, tmp_path / "x.pt")
    first = float(loop.loss(torch.Generator().manual_seed(0))["total"].detach())
    loop.train()
    assert float(loop.loss(torch.Generator().manual_seed(0))["total"].detach()) < 0.7 * first


def test_changed_weights_are_refused(run: Path, tmp_path: Path) -> None:
    for name in (WEIGHTS, "card.json"):
        (tmp_path / name).write_bytes((run / "packed" / name).read_bytes())
    raw = bytearray((tmp_path / WEIGHTS).read_bytes())
    raw[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(bytes(raw))
    with pytest.raises(BenchError, match="its card says"):
        load(tmp_path)
    with pytest.raises(BenchError, match="holds no DALL-E"):
        load(tmp_path / "nowhere")


def test_the_mix_is_of_all_kinds() -> None:
    assert set(MIX) == set(KINDS)
    assert sum(MIX.values()) == 100
    found = [kind_of(seed) for seed in range(2000)]
    for kind, percent in MIX.items():
        assert abs(found.count(kind) / 20 - percent) < 4


def test_every_caption_fits_the_context() -> None:
    drawn = Drawn(np.zeros(0), tuple(compose(seed, kind=kind) for kind in KINDS for seed in range(60)))
    words = Words.of((caption for captions in drawn.captions for caption in captions), dalle.CONTEXT)
    assert not any(words.strange(caption) for captions in drawn.captions for caption in captions)


def test_words() -> None:
    words = Words.of(["a Red circle.", "the dog's hat"], 4)
    assert words.known == ("<unknown>", "a", "circle", "dog's", "hat", "red", "the")
    assert words(["A red, red zebra", "hat"]).tolist() == [[1, 5, 5, 0], [4, PAD, PAD, PAD]]
    assert words.strange("a red red hat hat zebra") == ["hat", "zebra"]


def test_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((12, 30), (30, 12)):
        matrix = torch.randn(shape)
        u, _, v = torch.linalg.svd(matrix, full_matrices=False)
        found = orthogonal(matrix)
        singular = torch.linalg.svdvals(found)
        assert 0.6 < singular.min() < singular.max() < 1.3
        assert torch.allclose(torch.diagonal(u.T @ found @ v.T), singular.sort(descending=True).values, atol=0.7)


def test_muon_goes_on_from_its_state() -> None:
    def steps(weight: torch.nn.Parameter, optimiser: Muon, count: int) -> None:
        for _ in range(count):
            weight.grad = 2 * (weight.detach() - 1)
            optimiser.step()

    one = torch.nn.Parameter(torch.zeros(3, 4))
    whole = Muon([one], lr=0.1)
    steps(one, whole, 2)
    other = torch.nn.Parameter(one.detach().clone())
    resumed = Muon([other], lr=0.1)
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))  # which would else share its momentum
    steps(one, whole, 3)
    steps(other, resumed, 3)
    assert torch.equal(one, other)


def test_it_goes_on_from_an_upper_half(run: Path) -> None:
    """An image prompt: the given half's tokens stay, whatever the seed; the rest depends on it."""
    model = Dalle(run / "packed")
    assert isinstance(model, Completing)
    top = Image.new("RGB", (128, 64), "white")
    top.paste((200, 30, 30), (40, 10, 90, 60))
    first, other = model.below(["a red circle"] * 2, [top, top], [1, 2])
    assert first.size == other.size == (64, 64)
    given = Image.new("RGB", (128, 128), "white")
    given.paste(top)
    side = model.checkpoint.card.transformer.side
    kept = model.codes([given])[:, : side // 2]
    drawn = model.complete(["a red circle"] * 2, [given] * 2, Rectangle(side // 2, 0, side, side), [1, 2])[1]
    assert drawn.native
    assert bool((drawn.codes[:, : side // 2] == kept).all())
    assert not bool((drawn.codes[0] == drawn.codes[1]).all())
