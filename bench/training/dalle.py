"""Train the small bundled DALL-E."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from bench.store import atomic
from bench.training.dalle_data import draw_all
from bench.training.dalle_vae import Bridge, VaeLoop, VaeSettings, WarmLoop, encode_all, quantise, trained


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the small bundled DALL-E.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=24_000)
    args = parser.parse_args()
    torch.set_num_threads(2)
    drawn = draw_all(args.scenes, args.out)
    print("drawn", flush=True)
    settings = VaeSettings()
    mean = WarmLoop(settings, drawn.pixels, args.out / "warm.pt").train()
    bridge = Bridge(settings.shape).to(memory_format=torch.channels_last)
    bridge.load_state_dict(mean)
    vae = quantise(bridge, drawn.pixels[:1500])
    print("quantised", flush=True)
    mean = VaeLoop(settings, vae, drawn.pixels, args.out / "vae.pt").train()
    vae = trained(settings, mean)
    codes = encode_all(vae, drawn.pixels)
    np.save(args.out / "codes.npy", codes)


if __name__ == "__main__":
    main()
