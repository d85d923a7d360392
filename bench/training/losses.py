"""What a step is told: which caption belongs to which picture, what the teachers say of pictures and of texts.

Sources: Radford et al. 2021, figure 3 (contrastive loss both ways); Hinton et al. 2015 (arXiv 1503.02531) for
learning from a teacher's distribution; Reimers and Gurevych 2020 (arXiv 2004.09813) for learning sentence vectors.
Departure: two texts that name the same thing are no negatives of each other, since names repeat a lot here.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.training.distributed import World, gather


class Losses(NamedTuple):
    """Scalars; `total` is what is minimised."""

    total: Tensor
    contrastive: Tensor
    teacher: Tensor
    sentence: Tensor


class Weights(NamedTuple):
    """How much each loss counts."""

    contrastive: float = 1.0
    teacher: float = 2.0
    sentence: float = 1.0


class Features(NamedTuple):
    """Unit vectors of one process's batch: c captioned pictures, p photographs, c + w texts."""

    pictures: Tensor
    photographs: Tensor
    texts: Tensor


def contrastive(features: Features, names: Tensor, scale: Tensor, world: World) -> Tensor:
    """Picture to text against all texts (words too), text to picture against all captioned pictures."""
    count, start = len(features.pictures), world.rank
    texts, pictures = gather(features.texts, world), gather(features.pictures, world)
    text_names, picture_names = gather(names, world), gather(names[:count], world)
    own = torch.arange(count, device=names.device)
    forward = scale * features.pictures @ texts.T  # [c, size * (c + w)]
    backward = scale * features.texts[:count] @ pictures.T  # [c, size * c]
    forward = _mask(forward, names[:count], text_names, own + start * len(names))
    backward = _mask(backward, names[:count], picture_names, own + start * count)
    first = F.cross_entropy(forward, own + start * len(names))
    return (first + F.cross_entropy(backward, own + start * count)) / 2


def _mask(logits: Tensor, rows: Tensor, columns: Tensor, own: Tensor) -> Tensor:
    """Minus infinity where a column names the same as the row without being its own partner."""
    same = rows[:, None] == columns[None]
    same[torch.arange(len(rows), device=rows.device), own] = False
    return logits.masked_fill(same, float("-inf"))


def teacher(photographs: Tensor, words: Tensor, targets: Tensor, scale: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the teacher's choice in a group of words; mean over groups [p, g, w / g]."""
    logits = (scale * photographs @ words.T).view_as(targets)
    return F.kl_div(logits.log_softmax(-1).flatten(0, 1), targets.flatten(0, 1), reduction="batchmean")


def total(features: Features, names: Tensor, targets: Tensor, sentences: Tensor, *, scale: Tensor,
          world: World, weights: Weights) -> Losses:  # fmt: skip
    """All three, each over its share of the batch."""
    pair = contrastive(features, names, scale, world)
    told = teacher(features.photographs, features.texts[len(features.pictures) :], targets, scale)
    near = (1 - (features.texts * sentences).sum(-1)).mean()
    return Losses(weights.contrastive * pair + weights.teacher * told + weights.sentence * near, pair, told, near)
