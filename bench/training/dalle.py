"""Train the small bundled DALL-E: draw scenes, train the discrete VAE, code the scenes, train the transformer.

    python -m bench.training.dalle --out DIR
    python -m bench.training.dalle_card --run DIR          (measures and writes the checkpoint with its card)

One CPU core is enough. Every stage saves its state and goes on from there when the same command is given again; a run
is a function of its seed. As published (arXiv 2102.12092, section 2.2 and appendix B): argmax codes as targets, 1/8 and
7/8 of the losses, weight decay 0.045, gradients clipped at 4, running mean of the weights. Different: Muon instead of
AdamW for the matrices inside the blocks (`muon`), AdamW at 0.9 and 0.96 for all else; one cosine instead of halvings;
whole words, so no dropout of byte pairs: each time a scene is seen, one of its wordings is drawn instead.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.generator.dalle.transformer import DalleShape, Transformer
from bench.generator.dalle.vae import Vae
from bench.generator.dalle.words import Words
from bench.store import atomic
from bench.training.dalle_data import Drawn, draw_all
from bench.training.dalle_vae import Bridge, VaeLoop, VaeSettings, WarmLoop, encode_all, quantise, trained
from bench.training.loop import Loop, Schedule
from bench.training.muon import Muon

CONTEXT = 20
"""Words; the longest caption has 18."""
EMPHASIS = {"single": 0.7, "pair": 2.0, "sized_pair": 1.5}
"""How often the transformer sees a scene of a kind, relatively: least what is learned in no time."""
SHAPE = DalleShape(text=CONTEXT, words=0, side=8, codes=1024, layers=6, heads=4, head=64, kernel=11)
"""The number of words is that of the captions."""


@dataclass(frozen=True)
class DalleSettings:
    """What decides a run."""

    scenes: int = 40_000
    vae: VaeSettings = field(default_factory=VaeSettings)
    shape: DalleShape = SHAPE
    schedule: Schedule = field(
        default_factory=lambda: Schedule(
            steps=3200,
            batch=64,
            rate=2e-3,
            warm_up=60,
            betas=(0.9, 0.96),
            decay=0.045,
            mean=0.995,
            precision="bfloat16",
        )
    )


class TransformerLoop(Loop):
    """The transformer in training on codes int16 [scene, h, w] and the wordings of each scene."""

    def __init__(self, settings: DalleSettings, words: Words, coded: Coded, state: Path) -> None:
        torch.manual_seed(settings.schedule.seed)
        self.coded = coded
        shape = DalleShape(**{**asdict(settings.shape), "words": len(words.known)})
        super().__init__(Transformer(shape), settings.schedule, state)

    def optimisers(self) -> list[torch.optim.Optimizer]:
        """Muon for the matrices of the blocks, AdamW for tables, positions, gains and biases."""
        named = list(self.model.named_parameters())
        inner = [p for name, p in named if name.startswith("blocks.") and p.ndim == 2]
        tables = [p for name, p in named if not name.startswith("blocks.") or p.ndim < 2]
        adam = torch.optim.AdamW(
            tables, lr=self.schedule.rate, betas=self.schedule.betas, eps=1e-8, weight_decay=0.0, fused=True
        )
        precision = getattr(torch, self.schedule.precision)
        return [Muon(inner, lr=self.schedule.rate, weight_decay=self.schedule.decay, precision=precision), adam]

    def loss(self, generator: torch.Generator) -> dict[str, Tensor]:
        chosen = torch.multinomial(self.coded.weights, self.schedule.batch, replacement=True, generator=generator)
        which = torch.randint(12, (self.schedule.batch,), generator=generator)  # 12 holds 3 and 4 wordings evenly
        words = self.coded.words[chosen, which % self.coded.wordings[chosen]]
        assert isinstance(self.model, Transformer)
        return self.model.loss(words, self.coded.codes[chosen])._asdict()


@dataclass(frozen=True)
class Coded:
    """What the transformer learns from."""

    codes: Tensor
    """int64 [scene, image]"""
    words: Tensor
    """int64 [scene, wording, text]"""
    wordings: Tensor
    """How many each scene has [scene]."""
    weights: Tensor
    """How often each scene is seen, relatively [scene]."""


def vae_of(settings: DalleSettings, drawn: Drawn, out: Path) -> Vae:
    """The discrete VAE, trained in `out` or found there."""
    one = settings.vae
    mean = WarmLoop(one, drawn.pixels, out / "warm.pt").train()
    vae = Vae(one.shape)
    if not (out / "vae.pt").exists():
        bridge = Bridge(one.shape).to(memory_format=torch.channels_last)
        bridge.load_state_dict(mean)
        vae = quantise(bridge, drawn.pixels[:1500], seed=one.schedule.seed)
    return trained(one, VaeLoop(one, vae, drawn.pixels, out / "vae.pt").train())


def coded_by(vae: Vae, drawn: Drawn, words: Words, out: Path) -> Coded:
    """Codes of all scenes, computed once and kept, with all their wordings as ids."""
    path = out / "codes.npy"
    if not path.exists():
        codes = encode_all(vae, drawn.pixels)
        atomic(path, lambda part: np.save(part, codes))
    codes = np.load(path)
    captions = drawn.captions
    most = max(map(len, captions))
    ids = words([one[place % len(one)] for one in captions for place in range(most)])
    return Coded(
        torch.from_numpy(codes.reshape(len(codes), -1).astype(np.int64)),
        torch.from_numpy(ids.reshape(len(captions), most, -1)),
        torch.tensor([len(one) for one in captions]),
        torch.tensor([EMPHASIS.get(scene.kind, 1.0) for scene in drawn.scenes]),
    )


def train(settings: DalleSettings, out: Path) -> None:
    """All stages; goes on where a run in `out` was cut off."""
    out.mkdir(parents=True, exist_ok=True)
    atomic(out / "settings.json", lambda path: path.write_text(json.dumps(asdict(settings), indent=1)))
    drawn = draw_all(settings.scenes, out)
    vae = vae_of(settings, drawn, out)
    words = Words.of((caption for captions in drawn.captions for caption in captions), settings.shape.text)
    atomic(out / "words.json", lambda path: path.write_text(json.dumps(words.known)))
    TransformerLoop(settings, words, coded_by(vae, drawn, words, out), out / "transformer.pt").train()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train the small bundled DALL-E.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=DalleSettings.scenes)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    train(DalleSettings(scenes=args.scenes), args.out)


if __name__ == "__main__":
    main()
