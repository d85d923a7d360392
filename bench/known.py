"""Pictures of known truth, to test scorers on: drawn by our renderer from prompts and foils, or annotated by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.generator.prompts import Prompt
from bench.generator.scenes import FIRST_TEST_SEED, draw
from bench.picture_files import open_picture
from bench.store import checksum
from bench.task import Pictures, Records, digest

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Reference:
    """A picture of known truth: of a prompt (`foil` -1), or of one of its foils."""

    prompt: Prompt
    foil: int
    file: Path | None = None
    """Of an annotated picture."""

    @property
    def id(self) -> str:
        return f"{self.prompt.id}@{self.foil}{'' if self.file is None else ' annotated'}"

    @property
    def shown(self) -> Prompt:
        """The prompt that is true of the picture: its own, or the foil's."""
        if self.foil < 0:
            return self.prompt
        foil = self.prompt.foils[self.foil]
        slots = tuple(replace(slot, value=foil.changes.get(slot.name, slot.value)) for slot in self.prompt.slots)
        return replace(self.prompt, text=foil.text, slots=slots)


def references(prompts: Sequence[Prompt]) -> list[Reference]:
    """One wording of each meaning that can be drawn, the wordings taking turns; its truth, and each foil's."""
    groups: dict[str, list[Prompt]] = {}
    for one in prompts:
        if one.scene is not None:
            groups.setdefault(one.group, []).append(one)
    chosen = [own[turn % len(own)] for turn, own in enumerate(groups.values())]
    return [
        Reference(one, foil)
        for one in chosen
        for foil in (-1, *range(len(one.foils)))
        if foil < 0 or one.foils[foil].scene is not None
    ]


def records(drawn: Sequence[Reference], size: int) -> Records:
    """Their pictures, drawn when asked for."""
    import pandas as pd

    if not drawn:
        raise BenchError("None of these prompts can be drawn by our renderer: there are no pictures of known truth.")

    def picture(i: int) -> Image:
        one = drawn[i]
        if one.file is not None:
            return open_picture(one.file)
        scene = one.prompt.scene if one.foil < 0 else one.prompt.foils[one.foil].scene
        assert scene is not None
        return draw(scene, size=size, seed=FIRST_TEST_SEED + i)

    captions = [[one.prompt.text, *(foil.text for foil in one.prompt.foils)] for one in drawn]
    attributes = pd.DataFrame({"captions": captions, "correct": [one.foil + 1 for one in drawn]})
    ids = [one.id for one in drawn]
    files = (checksum(one.file) for one in drawn if one.file is not None)
    content = digest("known", str(size), *(one.prompt.as_json() + str(one.foil) for one in drawn), *files)
    return Records(Pictures(len(drawn), picture), [""] * len(drawn), ids, content, attributes)
