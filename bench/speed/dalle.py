"""Sampling of the bundled DALL-E: the cache against computing every position anew, pictures a second, and a peer.

    python -m bench.speed.dalle --batch 1 16 --peer

The peer is DALLE-pytorch (PyPI `dalle-pytorch`, in an environment of one's own: it wants packages that no longer
build) at equal width, depth, heads, tokens and vocabularies, random weights, its defaults else. Its sampler is run
as called (`generate_images`), with `use_cache` off and on; at its default `cond_scale` of 1 it does not hand the cache
on (read in 1.6.6), so it is also run at `cond_scale` 1 + 1e-9, where it does, for two passes a token. Seconds are of
the clock: run it alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch


def timed(work: Callable[[], object], repeats: int) -> float:
    """Least seconds of several runs, after one that does not count."""
    work()
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def ours(batch: int, repeats: int) -> dict[str, float]:
    """Seconds of one batch of code grids, cached and not; and pictures a second with the decoder."""
    from bench.generator.dalle import Dalle
    from bench.generator.dalle.sampling import draw_codes

    dalle = Dalle(batch_size=batch)
    model, words = dalle.checkpoint.transformer, dalle.words(["a red circle to the left of a blue star"] * batch)
    cached = timed(lambda: draw_codes(model, words, range(batch), dalle.how), repeats)
    anew = timed(lambda: draw_codes(model, words, range(batch), dalle.how, cached=False), repeats)
    whole = timed(lambda: dalle.generate(["a red circle"] * batch, range(batch)), repeats)
    return {"cached": cached, "anew": anew, "times faster": anew / cached, "pictures a second": batch / whole}


def ours_long(places: int) -> dict[str, float]:
    """Seconds a token of the last `places` at the paper's 1,280 positions: the bundled layers, random weights."""
    from dataclasses import replace

    from bench.generator.dalle import Dalle
    from bench.generator.dalle.transformer import Cache, Transformer

    model = Transformer(replace(Dalle().checkpoint.card.transformer, text=256, side=32)).eval()
    x = torch.randn(1, model.shape.stream, model.shape.width)
    first = model.shape.stream - places
    with torch.no_grad():
        cache = Cache(model.shape, 1, x)
        model.stream(x[:, :first], cache)
        began = time.perf_counter()
        for place in range(first, model.shape.stream):
            model.stream(x[:, place : place + 1], cache)
        cached = (time.perf_counter() - began) / places
        anew = timed(lambda: model.stream(x), 1)
    return {"cached": cached, "anew": anew, "times faster": anew / cached}


def peer(batch: int, repeats: int) -> dict[str, float]:
    """Seconds of one batch by DALLE-pytorch, its decoder (three layers, as ours halves thrice) included."""
    from functools import partial
    from importlib import import_module

    from bench.generator.dalle import Dalle

    package = import_module("dalle_pytorch.dalle_pytorch")
    shape = Dalle().checkpoint.card.transformer
    vae = package.DiscreteVAE(
        image_size=8 * shape.side, num_layers=3, num_tokens=shape.codes, codebook_dim=64, hidden_dim=16
    )
    model = package.DALLE(
        dim=shape.width, vae=vae, num_text_tokens=shape.words, text_seq_len=shape.text, depth=shape.layers,
        heads=shape.heads, dim_head=shape.head,
    ).eval()  # fmt: skip
    text = torch.randint(1, shape.words, (batch, shape.text))
    ways = {"anew": (False, 1.0), "use_cache": (True, 1.0), "use_cache, cond_scale 1 + 1e-9": (True, 1 + 1e-9)}
    draw = partial(model.generate_images, text)
    return {
        name: timed(partial(draw, use_cache=cache, cond_scale=scale), repeats) for name, (cache, scale) in ways.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Speed of the bundled DALL-E's sampling.")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--long", type=int, default=16, help="tokens timed at 1,280 positions; 0 for none")
    parser.add_argument("--peer", action="store_true", help="also DALLE-pytorch, where it can be imported")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for batch in given.batch:
        print(json.dumps({"batch": batch, "ours": ours(batch, given.repeats)}), flush=True)
        if given.peer:
            print(json.dumps({"batch": batch, "dalle-pytorch": peer(batch, given.repeats)}), flush=True)
    if given.long:
        print(json.dumps({"batch": 1, "ours, a token at 1,280 positions": ours_long(given.long)}), flush=True)


if __name__ == "__main__":
    main()
