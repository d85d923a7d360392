"""Zero-shot classification: a text classifier made of prompts, as in the CLIP paper (section 3.1.4).

For each class, every prompt (template x synonym) is embedded to unit length, the vectors are averaged, and the mean is
brought to unit length again. A picture's logits are logit scale x cosine + bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.embeddings import Embedded, Needs
from bench.evaluation import Predictions, require
from bench.model import ModelCard
from bench.task import Samples, Task

PLAIN = ("a photo of a {}.", "a photo of the {}.", "a photo of {}.")


@dataclass(frozen=True)
class ZeroShot:
    """`ensemble=False` uses one plain template and the first name of each class."""

    ensemble: bool = True
    name: str = "zero_shot"

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "classification", self.name)
        return Needs(splits=(task.test,), texts=tuple(text for group in self.prompts(task) for text in group))

    def __call__(self, task: Task, embedded: Embedded) -> Predictions:
        samples = embedded.samples[task.test]
        classifier = text_classifier([embedded.texts(group) for group in self.prompts(task)])
        return Predictions(
            scores=logits(np.asarray(embedded.images[task.test]), classifier, embedded.card),
            labels=samples.labels,
            choices=task.class_names,
            ids=samples.ids,
            attributes=samples.attributes,
            split=task.test,
            protocol=f"{len(task.templates)} templates" if self.ensemble else f"one template: {single(task)!r}",
        )

    def prompts(self, task: Task) -> list[list[str]]:
        """The prompts of each class."""
        if self.ensemble:
            return [task.prompts(i) for i in range(len(task.classes))]
        return [[single(task).replace("{}", name)] for name in task.class_names]


def logits(images: np.ndarray, classifier: np.ndarray, card: ModelCard) -> np.ndarray:
    """[image, class]: logit scale x cosine + bias, of unit vectors [image, dim] and [class, dim]."""
    distinct, place = np.unique(classifier, axis=0, return_inverse=True)  # equal classes tie to the last bit
    return np.asarray(card.logit_scale * (images @ distinct.T)[:, place] + card.logit_bias)


def single(task: Task) -> str:
    """The template of `ensemble=False`: the plain one where the task has it (ImageNet's first is 'a bad photo of')."""
    return next((plain for plain in PLAIN if plain in task.templates), task.templates[0])


def text_classifier(groups: list[np.ndarray]) -> np.ndarray:
    """[class, dim] of unit length from the prompt vectors of each class, each [prompt, dim] of unit length."""
    means = np.stack([group.mean(axis=0) for group in groups])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)
