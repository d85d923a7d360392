"""What the audit of composition looks at: prompts, pictures that are there, pictures of known truth."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.audit.session import Session
from bench.drawing import KNOWN, Drawn
from bench.generator.prompts import Prompt
from bench.known import Reference
from bench.scoring import Material
from bench.task import Samples, Task


@dataclass(frozen=True)
class View:
    """What the audit looks at: the pictures that were asked for, those that are there, and those of known truth."""

    session: Session
    task: Task
    drawn: Drawn

    @functools.cached_property
    def asked(self) -> pd.DataFrame:
        return self.drawn.asked()

    @property
    def prompts(self) -> Sequence[Prompt]:
        return self.drawn.prompts

    @functools.cached_property
    def samples(self) -> Samples:
        return self.session.samples(self.task)

    @functools.cached_property
    def there(self) -> list[int]:
        """Lines of `asked` of the pictures in `samples`, in their order."""
        place = {name: line for line, name in enumerate(self.asked["id"])}
        return [place[name] for name in self.samples.ids]

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        return self.session.images(self.task)

    @property
    def material(self) -> Material:
        own = [self.prompts[self.asked["prompt_index"][line]] for line in self.there]
        return Material(own, self.samples.images, lambda: self.vectors)

    @functools.cached_property
    def known(self) -> tuple[list[Reference], Material]:
        """Pictures of known truth (none where there are none)."""
        every = {one.id: one for one in self.drawn.references()}
        if not every:
            return [], Material([], [], lambda: np.zeros((0, self.session.card.dim)))
        samples = self.task.samples(KNOWN)
        vectors = functools.partial(self.session.split_images, self.task, KNOWN, whole=True)
        chosen = [every[name] for name in samples.ids]
        return chosen, Material([one.prompt for one in chosen], samples.images, vectors)
