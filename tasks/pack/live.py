"""Bundled pictures that need no file: our own scenes, rendered on demand, and scikit-learn's handwritten digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.errors import unknown
from bench.generator import scenes
from bench.task import Pictures, Records, digest

SIZE = 128
"""Side of a rendered scene in pixels."""
PROBES = 24
"""Scenes whose pixels go into the fingerprint, so that another renderer, font or Pillow gives another one."""


def from_scenes(
    kind: str, *, count: int, options: scenes.Options | None = None, key: Callable[[scenes.Scene], str] = scenes.truth
) -> Callable[[str], Records]:
    """A reader of `count` scenes of one kind, with test seeds; `key` tells the class of a scene.

    Attributes: `caption`, and per kind what else is known of the scene (`shape`, `colour`, `count`).
    """

    def read(split: str) -> Records:
        import pandas as pd

        if split != "test":
            raise unknown("split of rendered scenes", split, ["test"])
        seeds = [scenes.FIRST_TEST_SEED + i for i in range(count)]
        pairs = [scenes.sample(seed, kind=kind, options=options) for seed in seeds]
        images = Pictures(count, lambda i: scenes.draw(pairs[i][1], size=SIZE, seed=seeds[i]))
        drawn = [images[i].tobytes() for i in range(0, count, max(1, count // PROBES))]
        return Records(
            images=images,
            keys=[key(scene) for _, scene in pairs],
            ids=[f"{kind}-{seed}" for seed in seeds],
            fingerprint=digest(str(SIZE), *drawn, *(repr(pair) for pair in pairs)),
            attributes=pd.DataFrame([{"caption": caption, **_facts(scene)} for caption, scene in pairs]),
        )

    return read


def from_digits(split: str) -> Records:
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 pixels, white on black. Nothing is held out: one split."""
    if split != "test":
        raise unknown("split of digits", split, ["test"])
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    keys = [str(digit) for digit in bunch.target]
    return Records(
        images=Pictures(len(pixels), lambda i: Image.fromarray(pixels[i]).convert("RGB")),
        keys=keys,
        ids=[f"digit-{i}" for i in range(len(keys))],
        fingerprint=digest(pixels.tobytes(), *keys),
    )


def _facts(scene: scenes.Scene) -> dict[str, str]:
    if scene.word is not None:
        return {"word": scene.word, "colour": scene.word_colour}
    first = scene.things[0]
    return {"shape": first.shape, "colour": first.colour, "count": str(scene.count)}
