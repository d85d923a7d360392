"""Zero-shot retrieval: pictures find their captions and captions their pictures, by cosine (CLIP paper, appendix E.1).

The matrix of scores (5,000 x 25,000 on COCO) is never held: places and best captions come block by block, see
`bench.metrics.retrieval`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench import metrics
from bench.embeddings import Embedded, Needs
from bench.evaluation import TOP, require, with_attributes
from bench.evaluation.captions import caption_vectors, flat, protocol_note, texts_of
from bench.metrics import Estimate, Ranking
from bench.metrics.retrieval import BLOCK
from bench.task import Samples, Task

if TYPE_CHECKING:
    import pandas as pd


class Best(NamedTuple):
    """The TOP best captions of each picture, best first: [image, TOP] each."""

    indices: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class Retrieved:
    """Where the right answers stand in both directions, and the best captions of each picture.

    `choices` are all captions of the split; caption j belongs to picture `ranking.owner[j]`.
    """

    ranking: Ranking
    best: Best
    choices: tuple[str, ...]
    ids: tuple[str, ...]
    attributes: pd.DataFrame
    split: str
    protocol: str = ""

    def estimates(self, task: Task) -> Iterator[tuple[str, Estimate]]:
        for name in metrics.applicable(task.metric, len(self.choices), protocol="retrieval"):
            yield name, metrics.METRICS[name](self.ranking)

    def table(self) -> pd.DataFrame:
        """As for any evaluation, with captions as choices, and two columns more.

        `text_rank` is the expected rank of the best placed caption of the picture, `image_ranks` that of the picture
        for each of its captions.
        """
        import pandas as pd

        bounds = np.cumsum(self.ranking.captions())[:-1]
        table = pd.DataFrame({
            "id": list(self.ids),
            "label": [part.tolist() for part in np.split(np.argsort(self.ranking.owner, kind="stable"), bounds)],
            "prediction": self.best.indices[:, 0],
            "correct": self.ranking.texts.credit(1),
            "confidence": self.best.probabilities[:, 0],
            "top": self.best.indices.tolist(),
            "top_scores": self.best.scores.tolist(),
            "top_probabilities": self.best.probabilities.tolist(),
            "text_rank": self.ranking.texts.rank(),
            "image_ranks": [part.tolist() for part in np.split(self.ranking.images.rank(), bounds)],
        })  # fmt: skip
        return with_attributes(table, self.attributes)


@dataclass(frozen=True)
class Retrieval:
    """`ensemble=False` uses the first template only, if the task has several."""

    ensemble: bool = True
    name: str = "retrieval"

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "retrieval", self.name)
        captions, _ = flat(samples(task.test))
        return Needs(splits=(task.test,), texts=texts_of(task, captions, ensemble=self.ensemble))

    def __call__(self, task: Task, embedded: Embedded) -> Retrieved:
        samples, images = embedded.samples[task.test], np.asarray(embedded.images[task.test])
        captions, owner = flat(samples)
        texts = caption_vectors(task, captions, embedded, ensemble=self.ensemble)
        card = embedded.card
        return Retrieved(
            ranking=metrics.rank(images, texts, owner),
            best=best_texts(images, texts, scale=card.logit_scale, bias=card.logit_bias),
            choices=tuple(captions),
            ids=samples.ids,
            attributes=samples.attributes,
            split=task.test,
            protocol=protocol_note(task, ensemble=self.ensemble),
        )


def best_texts(images: np.ndarray, texts: np.ndarray, *, scale: float, bias: float = 0.0, block: int = BLOCK) -> Best:
    """The TOP best texts of each picture with logits, and probabilities over all texts."""
    step = max(1, block // len(texts))
    parts = [_best(scale * (images[i : i + step] @ texts.T) + bias) for i in range(0, len(images), step)]
    return Best(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _best(logits: np.ndarray) -> Best:
    kept = min(TOP, logits.shape[1])
    index = np.argpartition(logits, -kept, axis=1)[:, -kept:]
    scores = np.take_along_axis(logits, index, axis=1)
    order = np.lexsort((index, -scores), axis=1)
    index, scores = np.take_along_axis(index, order, axis=1), np.take_along_axis(scores, order, axis=1)
    total = np.exp(logits - scores[:, :1]).sum(axis=1, keepdims=True)
    return Best(index, scores, np.exp(scores - scores[:, :1]) / total)
