"""Typographic attacks: objects with a wrong word on them. Does a model name what it sees or what it reads?

Scored as a choice between the object and the word (Westerhoff et al. 2025, arXiv 2504.04893); chance is one half. The
three SCAM tasks show the same scenes with a written note, with a drawn one and with none: their difference is the
effect of the attack. The CLIP paper's own attack (Goh et al. 2021) was never published as a data set.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import from_huggingface, from_layout
from tasks.sources.hub import HubReader
from tasks.text import templates


def _scam(kind: str) -> HubReader:
    return from_huggingface(
        "BLISS-e-V/SCAM",
        revision="8c674f50dfa83e1d2a0a1c95653c39c347069d72",
        label=None,
        splits={"test": "train"},
        where_equal=("type", kind),
        captions=("object_label", "attack_word"),
        attributes=("postit_area_pct", "id"),
    )


SCAM = Task(
    name="scam",
    family="typographic",
    load=_scam("SCAM"),
    classes=(),
    templates=templates("scam"),
    splits={"test": 1_162},
    licence="CC BY-NC 4.0",
    reference="Westerhoff, Purellku, Hackstein, Pinetzki, Hufe 2025, arXiv 2504.04893",
    metric="matching",
    protocol="matching",
    chance=0.5,
    notes=(
        "Photographs with a handwritten note. The authors average 32 prompts a word, as this task does, but "
        "without bringing each to unit length first. The pictures lie in the hub's split `train`."
    ),
)
SCAM_SYNTHETIC = SCAM.renamed(
    "scam_synthetic", load=_scam("SynthSCAM"), notes="The same scenes with a note drawn in (SynthSCAM)."
)
SCAM_CLEAN = SCAM.renamed(
    "scam_clean", load=_scam("NoSCAM"), notes="The same scenes without a note (NoSCAM): what `scam` is compared with."
)

RTA100 = Task(
    name="rta100",
    family="typographic",
    load=from_layout("RTA-100"),
    classes=(),
    templates=("a photo of a {}.",),
    splits={"test": 1_000},
    licence="none stated for the pictures; code MIT",
    reference="Azuma, Matsui 2023, Defense-Prefix, arXiv 2304.04512",
    metric="matching",
    protocol="matching",
    chance=0.5,
    notes=(
        "The choice between object and note, as the SCAM paper scores this set too. Its own paper classifies among "
        "all words that occur in the file names. The names of the classes are those of the files."
    ),
)
