"""CLIP, whole and by itself: architecture, tokenizer, preprocessing, and a loader for everybody's weights.

| module         | what                                                                             |
|----------------|----------------------------------------------------------------------------------|
| `shape`        | every number that decides which tensors a CLIP has                               |
| `architecture` | the two towers in one file                                                       |
| `tokenizer`    | text to ids by the published merge table                                         |
| `preprocess`   | picture to tensor, pixel for pixel as the reference                              |
| `tree`         | texts as a tree of tokens, so that nothing is computed twice                     |
| `encoder`      | all of it behind the Encoder contract                                            |
| `load`         | a name or a file -> a model: the order in which things are looked up             |
| `published`    | the published models: shapes, addresses, hashes, revisions                       |
| `layouts`      | OpenAI's, open_clip's and Hugging Face's tensor names, there and back            |
| `weights`      | a file -> tensors -> a filled model, one clear error for each way to fail        |
| `archive`      | tensors out of OpenAI's TorchScript zips, running nothing                        |
| `hints`        | what configuration files say that tensors do not (read by `bench.model.fields`)  |
| `download`     | OpenAI's archives and the Hugging Face hub                                       |
| `checkpoint`   | our own checkpoints, and the bundled one                                         |

Nothing here imports torch until a model is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.model.clip.encoder import ClipEncoder
    from bench.model.clip.shape import Activation
    from bench.model.hardware import Precision


def load_clip(
    name: str = "bundled",
    *,
    path: str | Path | None = None,
    revision: str | None = None,
    activation: Activation | None = None,
    vision_heads: int | None = None,
    text_heads: int | None = None,
    cache: str | Path | None = None,
    exif: bool = False,
    device: str = "auto",
    precision: Precision = "float32",
    batch_size: int | None = None,
    workers: int | None = None,
    compile: bool = False,  # noqa: A002 - PyTorch's word
) -> ClipEncoder:
    """A CLIP by name, or from a file or folder (`path`), as an Encoder. What `conf/model/` names as `_target_`.

    `load.load` says what a name may be and how the activation is found; `bench.model.hardware` explains the last five.
    Raises BenchError for an unknown name, an unreachable hub and every kind of unusable file.
    """
    from dataclasses import replace

    from bench.model.clip.encoder import ClipEncoder
    from bench.model.clip.load import load
    from bench.model.hardware import Hardware

    hardware = Hardware(device, precision, batch_size, workers, compile)  # checked before anything is fetched
    hardware.resolve()
    folder = Path(cache) if cache else None
    loaded = load(
        Path(path) if path else name,
        revision=revision,
        activation=activation,
        vision_heads=vision_heads,
        text_heads=text_heads,
        cache=folder,
    )
    if exif:
        loaded = replace(loaded, preprocess=replace(loaded.preprocess, exif=True))
    return ClipEncoder(loaded, hardware=hardware)
