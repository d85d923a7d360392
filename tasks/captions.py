"""Pictures and sentences: retrieval (Flickr30k, COCO) and which caption fits (Winoground, SugarCrepe, ARO).

ARO's two order sets were published as a program that shuffles words at random, without a seed: no two runs ask the
same questions. MIEB drew them once and keeps them on the hub; that copy is the benchmark here.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_huggingface, from_layout
from tasks.sources.choice import FirstOf
from tasks.sources.layouts.captions import SUGARCREPE as SUGARCREPE_KINDS

FLICKR30K = Task(
    name="flickr30k",
    family="retrieval",
    load=from_layout("Flickr30k"),
    classes=(),
    templates=("{}",),
    splits={"train": 29_000, "val": 1_014, "test": 1_000},
    licence="Flickr terms of use; pictures by request",
    reference="Young, Lai, Hodosh, Hockenmaier 2014; split by Karpathy, Fei-Fei 2015, arXiv 1412.2306",
    metric="mean_recall@1",
    protocol="retrieval",
    chance=0.001,
    notes="Karpathy's split, five captions a picture.",
)

COCO_CAPTIONS = Task(
    name="coco_captions",
    family="retrieval",
    load=from_layout("COCO captions"),
    classes=(),
    templates=("{}",),
    splits={"val": 5_000, "test": 5_000},
    licence="CC BY 4.0 (captions), Flickr terms of use (pictures)",
    reference="Lin et al. 2014, arXiv 1405.0312; split by Karpathy, Fei-Fei 2015, arXiv 1412.2306",
    metric="mean_recall@1",
    protocol="retrieval",
    chance=0.0002,
    notes="Karpathy's 5,000 test pictures of val2014, about five captions each.",
)

WINOGROUND = Task(
    name="winoground",
    family="captions",
    load=from_layout("Winoground"),
    classes=(),
    templates=("{}",),
    splits={"test": 800},
    licence="Winoground terms (Getty Images); by request",
    reference="Thrush et al. 2022, arXiv 2204.03162",
    metric="winoground_group",
    protocol="matching",
    chance=1 / 6,
    notes="400 examples, two pictures and two captions each. Text, image and group score.",
)

COUNTS = {
    "add_att": 692,
    "add_obj": 2_062,
    "replace_att": 788,
    "replace_obj": 1_652,
    "replace_rel": 1_406,
    "swap_att": 666,
    "swap_obj": None,
}

SUGARCREPE = [
    Task(
        name=f"sugarcrepe_{kind}",
        family="captions",
        load=from_layout(f"SugarCrepe {kind}"),
        classes=(),
        templates=("{}",),
        splits={"test": COUNTS[kind]},
        licence="MIT (captions), Flickr terms of use (pictures)",
        reference="Hsieh, Zhang, Ma, Kembhavi, Krishna 2023, arXiv 2306.14610",
        metric="matching",
        protocol="matching",
        chance=0.5,
    )
    for kind in SUGARCREPE_KINDS
]

ARO_RELATION = Task(
    name="aro_relation",
    family="captions",
    load=from_layout("ARO relation"),
    classes=(),
    templates=("{}",),
    splits={"test": 23_937},
    licence="MIT (captions), CC BY 4.0 (Visual Genome pictures)",
    reference="Yuksekgonul et al. 2023, arXiv 2210.01936",
    metric="matching",
    protocol="matching",
    chance=0.5,
    notes="The published headline is the mean over relations; this is the mean over pictures.",
)
ARO_ATTRIBUTION = ARO_RELATION.renamed(
    "aro_attribution",
    load=from_layout("ARO attribution"),
    splits={"test": 28_748},
    notes="The published headline is the mean over attribute pairs; this is the mean over pictures.",
)

SHUFFLED = ("hard_text_1", "hard_text_2", "hard_text_3", "hard_text_4")
"""The foils: nouns and adjectives, all other words, words within trigrams, and trigrams in another order."""


def _order(*copies: tuple[str, str]) -> FirstOf:
    """The same rows in several repositories: (repository, revision)."""
    captions = ("correct_caption", *SHUFFLED)
    return first_of(
        *(
            from_huggingface(repo, revision=revision, image="images", label=None, captions=captions)
            for repo, revision in copies
        )
    )


ARO_COCO_ORDER = ARO_RELATION.renamed(
    "aro_coco_order",
    load=_order(
        ("mteb/ARO-COCO-order", "53c20afc02a87fed8c0245dde2e00f054da4b861"),
        ("gowitheflow/ARO-COCO-order", "853ec8757226585a38a80886c51fe0f3f268787c"),
    ),
    splits={"test": 25_010},
    licence="MIT (captions), Flickr terms of use (pictures)",
    chance=0.2,
    notes="One caption in its own order and in four others; five captions a picture. MIEB's draw of the shuffles.",
)
ARO_FLICKR_ORDER = ARO_COCO_ORDER.renamed(
    "aro_flickr_order",
    load=_order(
        ("mteb/ARO-Flickr-Order", "e5d7f3502345b2c398a6645b4d09b44e650287bf"),
        ("gowitheflow/ARO-Flickr-Order", "1f9485f69c87947812378a1aedf86410c86a0aa8"),
    ),
    splits={"test": 5_000},
)
