"""From a training run to the bundled checkpoint: pack the weights, measure, write the card.

    python -m bench.training.dalle_card --run DIR --out FOLDER --captions 500 --prompts 48

`card.json` gets every figure; `CARD.md` the tables between its marks, the rest of that page is written by hand.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.errors import BenchError
from bench.generator.dalle import Dalle
from bench.generator.dalle.checkpoint import CARD, WEIGHTS, DalleCard, save
from bench.generator.dalle.transformer import DalleShape, Transformer
from bench.generator.dalle.vae import Vae, VaeShape
from bench.store import atomic
from bench.training import dalle_figures

TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def pack(run: Path, out: Path) -> None:
    """The running means of both models as a checkpoint, with how they were made."""
    states = {name: torch.load(run / f"{name}.pt", weights_only=True) for name in ("warm", "vae", "transformer")}
    settings, words = (
        json.loads((run / "settings.json").read_text()),
        tuple(json.loads((run / "words.json").read_text())),
    )
    shape = DalleShape(**{**settings["shape"], "words": len(words)})
    vae, transformer = Vae(VaeShape(**settings["vae"]["shape"])), Transformer(shape)
    vae.load_state_dict(states["vae"]["mean"])
    transformer.load_state_dict(states["transformer"]["mean"])
    made = {
        name: {"steps": one["step"], "seconds": round(one["seconds"]), "processor seconds": round(one["worked"])}
        for name, one in states.items()
    }
    more = {"recipe": "bench.training.dalle", "scenes": settings["scenes"], "seed": settings["schedule"]["seed"],
            "trained": made, "settings": settings}  # fmt: skip
    save(out, DalleCard("bundled DALL-E", vae.shape, shape, words, more=more), vae, transformer)


def choose(folder: Path, temperatures: Sequence[float], count: int) -> None:
    """Write the temperature that draws best into the card; no test scene is seen."""
    found = dalle_figures.of_temperatures(Dalle(folder), temperatures, count)
    best = max(temperatures, key=lambda one: found[f"{one:g}"])
    card = json.loads((folder / CARD).read_text()) | {"temperature": best, "temperatures tried": found}
    atomic(folder / CARD, lambda path: path.write_text(json.dumps(card, indent=1) + "\n"))
    print(json.dumps(found), flush=True)


def measure(folder: Path, *, captions: int, prompts: int, completions: int, readings: int) -> dict[str, Any]:
    """All figures of a checkpoint."""
    from bench.model.clip import load_clip

    dalle, began = Dalle(folder), time.process_time()
    found: dict[str, Any] = {"tiers": dalle_figures.of_tiers(dalle, captions)}
    print(json.dumps({tier: one["all right"] for tier, one in found["tiers"].items()}), flush=True)
    found["reader"] = dalle_figures.of_reader(dalle, readings)
    found["reranking"] = dalle_figures.of_reranking(dalle, load_clip("bundled"), prompts)
    found["completion"] = dalle_figures.of_completion(dalle, completions)
    return found | {"processor seconds": round(time.process_time() - began)}


def page(figures: dict[str, Any]) -> str:
    """The figures as Markdown tables."""
    lines = ["| tier | kind | slot | right | 95 % interval | captions | meanings |", "|---|" + "---|" * 6]
    for tier, one in figures["tiers"].items():
        for name in ("all right", "against another caption", "trained meanings", "held-out meanings"):
            if name in one:
                lines.append(_line(f"**{tier}**", "", name, one[name]))
        for kind, slots in one["kinds"].items():
            lines += [_line("", kind, slot, figure) for slot, figure in slots.items()]
    lines += ["", "The reader itself, all slots right: on rendered pictures, and after the VAE (the ceiling).", "",
              "| kind | rendered | reconstructed | pictures |", "|---|---|---|---|"]  # fmt: skip
    for kind, slots in figures["reader"]["rendered"].items():
        plain, after = slots["all right"], figures["reader"]["reconstructed"][kind]["all right"]
        lines.append(f"| {kind} | {_figure(plain)} | {_figure(after)} | {plain['n']} |")
    lines += ["", "Reranking by the bundled CLIP, judged by the exact reader.", "",
              "| N | right | 95 % interval | gain | 95 % interval | oracle |", "|---|---|---|---|---|---|"]  # fmt: skip
    curves = {(one["n"], one["who"]): one for one in figures["reranking"]}
    for n in dict.fromkeys(n for n, _ in curves):
        kept, gain, oracle = (curves[n, who] for who in ("reranked", "gain", "oracle"))
        lines.append(
            f"| {n} | {kept['value']:.3f} | {kept['low']:.3f} to {kept['high']:.3f} | {gain['value']:+.3f} "
            f"| {gain['low']:+.3f} to {gain['high']:+.3f} | {oracle['value']:.3f} |"
        )
    done = figures["completion"]
    lines += ["", "Lower half of a rendered pair drawn anew: the lower thing has its shape and colour "
              f"under its caption {_figure(done['caption'])}, under another's {_figure(done['shuffled caption'])}; "
              f"difference {_figure(done['difference'])}; {done['caption']['n']} pictures, known tokens untouched: "
              f"{'yes' if done['known tokens untouched'] else 'NO'}."]  # fmt: skip
    return "\n".join(lines)


def _line(tier: str, kind: str, slot: str, one: dict[str, Any]) -> str:
    value = f"{one['value']:.3f} | {one['low']:.3f} to {one['high']:.3f}"
    return f"| {tier} | {kind} | {slot} | {value} | {one['n']} | {one['meanings']} |"


def _figure(one: dict[str, Any]) -> str:
    return f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def write(folder: Path, figures: dict[str, Any]) -> None:
    """Put the figures into both cards of `folder`."""
    card = json.loads((folder / CARD).read_text()) | {"figures": figures}
    atomic(folder / CARD, lambda path: path.write_text(json.dumps(card, indent=1) + "\n"))
    text = (folder / "CARD.md").read_text()
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise BenchError(f"{folder / 'CARD.md'} has no place for the figures: {BEGIN} and {END} on lines of their own.")
    whole = f"{before}{BEGIN}\n{page(figures)}\n{END}{after}"
    atomic(folder / "CARD.md", lambda path: path.write_text(whole))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Pack a run into a checkpoint and measure it.")
    parser.add_argument(
        "--run", type=Path, help="folder of bench.training.dalle; without it --out is measured as it is"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--captions", type=int, default=504, help="of each tier")
    parser.add_argument("--choosing", type=int, default=480, help="captions to choose the temperature by")
    parser.add_argument("--prompts", type=int, default=48, help="with 32 samples each, for reranking")
    parser.add_argument("--completions", type=int, default=200)
    parser.add_argument("--readings", type=int, default=100, help="of each kind, for the reader")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.run is not None:
        pack(args.run, args.out)
        choose(args.out, TEMPERATURES, args.choosing)
    print(f"{(args.out / WEIGHTS).stat().st_size / 2**20:.1f} MiB", flush=True)
    figures = measure(
        args.out, captions=args.captions, prompts=args.prompts, completions=args.completions, readings=args.readings
    )
    write(args.out, figures)


if __name__ == "__main__":
    main()
