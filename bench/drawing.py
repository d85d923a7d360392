"""Prompts -> pictures -> a task like any other: the only place that calls a generator.

A task of prompts waits for one (`Prompted`); bound to it (`Drawn`) it is a task of protocol `matching`: the captions of
a picture are its prompt and the prompt's foils. Pictures are kept on disk by content (generator, prompt, seed), each as
soon as its batch is drawn, so that a killed run draws nothing twice. What could not be drawn is counted and never
scored in silence: `asked()` has a line for every picture that was asked for.

The split `known` needs no generator: pictures that our renderer drew from the stored truth of prompts and of their
foils. How well a scorer does on them is how far its word about other pictures can be trusted.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from bench import known
from bench.errors import FOREIGN, BenchError
from bench.generator import Completing, Generator, GeneratorCard, Informed, Request
from bench.generator.folder import Folder
from bench.generator.prompts import Prompt
from bench.generator.renderer import upper_half
from bench.picture_files import looked_at, open_picture, save_picture
from bench.store import checksum, default_folder
from bench.task import Pictures, Records, Task, digest

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image

KNOWN = "known"
BATCH = 32
"""Pictures asked for at once."""
STATUSES = ("ok", "blank", "missing", "failed")
Progress = Callable[[str, int, int], None]


@runtime_checkable
class Filed(Protocol):
    """A generator whose pictures are files already."""

    @property
    def card(self) -> GeneratorCard: ...

    def file(self, request: Request) -> Path | None: ...


AnyGenerator = Generator | Informed | Filed


@dataclass(frozen=True)
class Prompted:
    """What `Task.load` is before a generator is chosen. `samples` pictures are drawn of each prompt."""

    prompts: Callable[[], Sequence[Prompt]]
    samples: int = 2
    seed: int = 0
    known_size: int = 128
    """Side of the pictures of known truth, in pixels."""
    annotated: Folder | None = None
    """Pictures of which people know that they show their prompt: known truth outside our renderer's world."""

    def __call__(self, split: str) -> Records:
        if split == KNOWN:
            return known.records(self.references(self.prompts()), self.known_size)
        raise BenchError(
            "This task has prompts and needs a generator that draws them: generator=scenes (our renderer, from the "
            "stored truth), generator=folder generator.manifest=FILE.csv (pictures made already), generator=diffusers "
            "generator.name=NAME. `bench-tasks export` writes the prompts for use elsewhere."
        )

    def references(self, prompts: Sequence[Prompt]) -> list[known.Reference]:
        """Pictures of known truth for these prompts: drawn, and annotated."""
        seen: list[known.Reference] = []
        for one in prompts if self.annotated is not None else ():
            assert self.annotated is not None
            path = self.annotated.file(Request(one, 0))
            seen += [known.Reference(one, -1, path)] if path is not None else []
        return [*known.references(prompts), *seen]


@dataclass
class Drawn:
    """The same, bound to a generator. `limit`: at most so many pictures, whole paraphrase groups, drawn by the seed."""

    prompted: Prompted
    generator: AnyGenerator
    folder: Path
    limit: int | None = None
    progress: Progress | None = None
    _asked: pd.DataFrame | None = field(default=None, repr=False)

    @functools.cached_property
    def prompts(self) -> list[Prompt]:
        """Those that are asked for."""
        every = list(self.prompted.prompts())
        if self.limit is None or len(every) * self.prompted.samples <= self.limit:
            return every
        groups = list(dict.fromkeys(one.group for one in every))
        kept: set[str] = set()
        for at in np.random.default_rng(self.prompted.seed).permutation(len(groups)):
            size = sum(one.group in kept or one.group == groups[at] for one in every) * self.prompted.samples
            if size <= self.limit or not kept:
                kept.add(groups[at])
        return [one for one in every if one.group in kept]

    def __call__(self, split: str) -> Records:
        if split == KNOWN:
            return known.records(self.references(), self.prompted.known_size)
        asked = self.asked()
        there = asked[asked["status"] == "ok"].reset_index(drop=True)
        if there.empty:
            raise BenchError(
                f"Generator {self.generator.card.name!r} gave no picture for {len(asked)} that were asked for: "
                f"{_said(asked)}."
            )
        paths = [Path(path) for path in there["path"]]
        prompts = [self.prompts[i] for i in there["prompt_index"]]
        ids = list(there["id"])
        content = digest(*ids, *map(checksum, paths))
        return Records(
            Pictures(len(paths), lambda i: open_picture(paths[i])),
            [""] * len(ids),
            ids,
            content,
            _attributes(prompts, there),
        )

    def references(self) -> list[known.Reference]:
        """Pictures of known truth in the categories that are drawn; a limit does not cut them."""
        categories = {one.category for one in self.prompts}
        return self.prompted.references([one for one in self.prompted.prompts() if one.category in categories])

    def asked(self) -> pd.DataFrame:
        """A line a picture: id, prompt_index, sample, seed, status (`STATUSES`), reason, path. Draws what is new."""
        import pandas as pd

        if self._asked is None:
            requests = [
                Request(one, seed_of(one, sample, self.prompted.seed), sample)
                for one in self.prompts
                for sample in range(self.prompted.samples)
            ]
            index = {id(one): i for i, one in enumerate(self.prompts)}
            found = list(self._pictures(requests))
            self._asked = pd.DataFrame(
                {
                    "id": [f"{one.prompt.id}#{one.sample}" for one in requests],
                    "prompt_index": [index[id(one.prompt)] for one in requests],
                    "sample": [one.sample for one in requests],
                    "seed": [one.seed for one in requests],
                    "status": [status for status, _, _ in found],
                    "reason": [reason for _, reason, _ in found],
                    "path": [path for _, _, path in found],
                }
            )
        return self._asked

    def _pictures(self, requests: Sequence[Request]) -> Iterator[tuple[str, str, str]]:
        """(status, reason, path) of each."""
        if isinstance(self.generator, Filed):
            for request in requests:
                path = self.generator.file(request)
                yield ("missing", "no file", "") if path is None else (*looked_at(path), str(path))
            return
        paths = [self.path_of(request) for request in requests]
        wanted = [i for i, path in enumerate(paths) if looked_at(path)[0] == "failed"]
        reasons: dict[int, tuple[str, str]] = {}
        done = 0
        plain, going_on = ([i for i in wanted if self._goes_on(requests[i]) == goes] for goes in (False, True))
        for chunk in (own[start : start + BATCH] for own in (plain, going_on) for start in range(0, len(own), BATCH)):
            for i, made in zip(chunk, self._batch([requests[i] for i in chunk]), strict=True):
                if isinstance(made, tuple):
                    reasons[i] = made
                else:
                    save_picture(made, paths[i])
            done += len(chunk)
            if self.progress is not None:
                self.progress(f"{self.generator.card.name}: drawing", done, len(wanted))
        for i, path in enumerate(paths):
            yield (*reasons[i], "") if i in reasons else (*looked_at(path), str(path))

    def path_of(self, request: Request) -> Path:
        """Where the picture is kept."""
        told = (
            (request.prompt.as_json(), str(request.sample))
            if isinstance(self.generator, Informed)
            else (("below", repr(request.prompt.given)) if self._goes_on(request) else ())
        )
        key = digest("picture", self._identity, request.prompt.text, str(request.seed), *told)
        return self.folder / key[:2] / f"{key}.png"

    @functools.cached_property
    def _identity(self) -> str:
        return self.generator.card.identity

    def _goes_on(self, request: Request) -> bool:
        """Is there an image prompt, and can the generator take it?"""
        return request.prompt.given is not None and isinstance(self.generator, Completing)

    def _batch(self, requests: Sequence[Request]) -> list[Image | tuple[str, str]]:
        """Pictures, or (status, reason) where there is none. A batch that breaks is tried picture by picture."""
        from PIL.Image import Image as Picture

        try:
            made = self._call(requests)
        except FOREIGN as error:  # whatever a generator raises, the other pictures go on
            if len(requests) == 1:
                return [("failed", f"{type(error).__name__}: {error}")]
            return [self._batch([one])[0] for one in requests]
        return [
            ("missing", "the generator has none to give")
            if one is None
            else one
            if isinstance(one, Picture)
            else ("failed", f"gave a {type(one).__name__}, not a picture")
            for one in made
        ]

    def _call(self, requests: Sequence[Request]) -> Sequence[Image | None]:
        if isinstance(self.generator, Informed):
            made: Sequence[Image | None] = self.generator.draw(requests)
        else:
            assert isinstance(self.generator, Generator)
            texts, seeds = [one.prompt.text for one in requests], [one.seed for one in requests]
            if isinstance(self.generator, Completing) and all(map(self._goes_on, requests)):
                made = self.generator.below(texts, [_top(one, self.prompted.known_size) for one in requests], seeds)
            else:
                made = self.generator.generate(texts, seeds)
        if len(made) != len(requests):
            raise BenchError(f"{len(made)} pictures for {len(requests)} prompts")
        return made


def bound(
    tasks: Sequence[Task],
    generator: AnyGenerator,
    *,
    limit: int | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> list[Task]:
    """The tasks, those of prompts bound to the generator.

    Raises:
        BenchError: a task that has pictures of its own, for which a generator means nothing.
    """
    others = [task.name for task in tasks if not isinstance(task.load, Prompted)]
    if others:
        raise BenchError(
            f"A generator draws prompts; {', '.join(others[:3])} has pictures of its own. "
            "Use task=compositional, or generator=none."
        )
    place, card = folder or default_folder() / "pictures", generator.card
    return [
        task.renamed(
            task.name,
            load=Drawn(task.load, generator, place, limit, progress),
            notes=f"{task.notes} Pictures by {card.name} ({card.identity[:8]}), {task.load.samples} a prompt. "
            "Those that could not be made are left out here, and wrong in audit=composition.".strip(),
        )
        for task in tasks
        if isinstance(task.load, Prompted)
    ]


def seed_of(prompt: Prompt, sample: int, seed: int) -> int:
    """The seed of a picture: of the prompt, the sample and the task's seed, so that every generator gets the same."""
    return int(digest("seed", str(seed), prompt.id, str(sample))[:8], 16) >> 1


def _top(request: Request, size: int) -> Image:
    """The image prompt of a request."""
    top = upper_half(request.prompt, size=size, seed=request.seed)
    assert top is not None
    return top


def _attributes(prompts: Sequence[Prompt], there: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "captions": [[one.text, *(foil.text for foil in one.foils)] for one in prompts],
            "correct": 0,
            "prompt": [one.id for one in prompts],
            "meaning": [one.group for one in prompts],
            "category": [one.category for one in prompts],
            "tier": [one.tier for one in prompts],
            "objects": [one.objects for one in prompts],
            "sample": there["sample"],
            "seed": there["seed"],
            "slots": [json.dumps({slot.name: slot.value for slot in one.slots}) for one in prompts],
        }
    )


def _said(asked: pd.DataFrame) -> str:
    counts = asked["status"].value_counts()
    first = next((reason for reason in asked["reason"] if reason), "")
    return ", ".join(f"{number} {status}" for status, number in counts.items()) + (f" ({first})" if first else "")
