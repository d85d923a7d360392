"""Captions as texts for a model: shared by retrieval and matching.

The CLIP paper writes "a photo of" before Flickr30k's captions (appendix E.1: 1 to 2 points of R@1);
a task says so with a template. Without templates the caption is the text. Several templates are averaged as for
classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bench.embeddings import Embedded
from bench.evaluation.zero_shot import text_classifier
from bench.task import Samples, Task


def caption_prompts(task: Task, caption: str, *, ensemble: bool = True) -> list[str]:
    """Every template over one caption; the first only without `ensemble`."""
    templates = task.templates or ("{}",)
    return [template.replace("{}", caption) for template in templates[: None if ensemble else 1]]


def flat(samples: Samples) -> tuple[list[str], np.ndarray]:
    """All captions, picture by picture, and the number of the picture each belongs to: int64 [caption]."""
    lists = [list(captions) for captions in samples.attributes["captions"]]
    owner = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    return [caption for one in lists for caption in one], owner


def texts_of(task: Task, captions: Iterable[str], *, ensemble: bool = True) -> tuple[str, ...]:
    """What must be embedded for these captions, each text once."""
    unique = dict.fromkeys(captions)
    return tuple(dict.fromkeys(text for one in unique for text in caption_prompts(task, one, ensemble=ensemble)))


def caption_vectors(task: Task, captions: Sequence[str], embedded: Embedded, *, ensemble: bool = True) -> np.ndarray:
    """[caption, dim] of unit length; equal captions have equal vectors."""
    unique = {caption: i for i, caption in enumerate(dict.fromkeys(captions))}
    groups = [embedded.texts(caption_prompts(task, one, ensemble=ensemble)) for one in unique]
    return text_classifier(groups)[[unique[caption] for caption in captions]]


def protocol_note(task: Task, *, ensemble: bool) -> str:
    """How captions became prompts, for the rows."""
    used = task.templates[: None if ensemble else 1]
    if len(used) > 1:
        return f"{len(used)} templates"
    return f"prompt {used[0]!r}" if used and used[0] != "{}" else "bare captions"
