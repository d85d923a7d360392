"""The bundled tasks: they run offline, on pictures that come with the package (`tasks/pack/NOTICE.md`).

Real photographs, sketches, flags, emoji in four hands, professions by gender and skin tone, clip art, scikit-learn's
digits, and scenes of our own renderer whose truth is exact. They are small: they show every protocol at work and keep
a new model honest, and are no substitute for the published benchmarks.
"""

from __future__ import annotations

from bench.generator.scenes import Options
from bench.generator.vocabulary import TASK_WORDS
from bench.task import Task
from tasks.pack import from_pack
from tasks.pack.live import from_digits, from_scenes
from tasks.text import classes, templates

BUNDLED = frozenset({"bundled"})
STYLES = BUNDLED | {"style_shift"}
SCENES = BUNDLED | {"rendered"}
SCENE_COUNT = 500
RENDERER = "bench.generator.scenes: rendered from seeds from 1,000,000 on"

FRUIT_FINE = Task(
    name="fruit_fine",
    family="fine_grained",
    load=from_pack("fruit"),
    classes=classes("fruit_fine"),
    templates=templates("fruit"),
    splits={"train": 280, "val": 57, "test": 661},
    licence="MIT",
    reference="Klasson, Zhang, Kjellstrom 2019, A Hierarchical Grocery Store Image Dataset, WACV",
    notes="Only the fruit, 14 of 81 classes, without repeats; shorter side 144 pixels; 20 training pictures a class.",
    tags=BUNDLED,
)

FRUIT_COARSE = FRUIT_FINE.renamed(
    "fruit_coarse", load=from_pack("fruit", key="coarse"), classes=classes("fruit_coarse")
)

FASHION_MNIST = Task(
    name="fashion_mnist",
    family="general",
    load=from_pack("fashion_mnist"),
    classes=classes("fashion_mnist"),
    templates=templates("fashion_mnist"),
    splits={"train": 1_000, "test": 2_000},
    licence="MIT",
    reference="Xiao, Rasul, Vollgraf 2017, Fashion-MNIST, arXiv:1708.07747",
    notes="The first 200 test and 100 training pictures of each class; all 10,000 are task fashion_mnist_full.",
    tags=BUNDLED,
)

SKETCHES = Task(
    name="sketches",
    family="drawn",
    load=from_pack("sketches"),
    classes=classes("sketches"),
    templates=templates("sketches"),
    splits={"train": 800, "test": 2_000},
    licence="CC BY 4.0",
    reference="Google, The Quick, Draw! Dataset, github.com/googlecreativelab/quickdraw-dataset",
    notes="100 of 345 classes, chosen by seed; 28 x 28 bitmaps, centred on 36 x 36.",
    tags=BUNDLED,
)

FLAGS = Task(
    name="flags",
    family="geography",
    load=from_pack("flags"),
    classes=classes("flags"),
    templates=templates("flags"),
    splits={"test": 231},
    licence="public domain",
    reference="linuxmint/flags (drawings by Brett Roper); names: Unicode CLDR",
    notes="One picture a country. Territories drawn with the flag of another country are left out.",
    tags=BUNDLED,
)

CLIPART = Task(
    name="clipart",
    family="drawn",
    load=from_pack("clipart"),
    classes=classes("clipart"),
    templates=templates("clipart"),
    splits={"test": 202},
    licence="public domain",
    reference="Open Clip Art Library 0.18",
    metric="mean_per_class",
    notes="The class is the folder; where the author gave an own title, it is attribute `caption`.",
    tags=BUNDLED,
)

EMOJI_NOTO = Task(
    name="emoji_noto",
    family="drawn",
    load=from_pack("emoji", where={"style": "noto"}),
    classes=classes("emoji"),
    templates=templates("emoji"),
    splits={"test": 300},
    licence="Apache-2.0",
    reference="googlefonts/noto-emoji; names: Unicode CLDR",
    notes="The four emoji tasks share their classes: their difference is the drawing style.",
    tags=STYLES,
)

EMOJI_TWEMOJI = EMOJI_NOTO.renamed(
    "emoji_twemoji",
    load=from_pack("emoji", where={"style": "twemoji"}),
    licence="CC BY 4.0",
    reference="jdecked/twemoji; names: Unicode CLDR",
)

EMOJI_FLUENT = EMOJI_NOTO.renamed(
    "emoji_fluent",
    load=from_pack("emoji", where={"style": "fluent"}),
    licence="MIT",
    reference="microsoft/fluentui-emoji (flat); names: Unicode CLDR",
)

EMOJI_EMOJIONE = EMOJI_NOTO.renamed(
    "emoji_emojione",
    load=from_pack("emoji", where={"style": "emojione"}),
    splits={"test": 299},
    licence="CC BY 4.0",
    reference="EmojiOne 2 (EmojiTwo/emojitwo); names: Unicode CLDR",
    notes="As emoji_noto, without the cricket, which this style does not have.",
)

EMOJI_ROLES = Task(
    name="emoji_roles",
    family="people",
    load=from_pack("emoji_roles"),
    classes=classes("emoji_roles"),
    templates=templates("emoji_roles"),
    splits={"test": 1_064},
    licence="Apache-2.0 (Noto), CC BY 4.0 (Twemoji), MIT (Fluent)",
    reference="Unicode CLDR role emoji as drawn by Noto, Twemoji and Fluent",
    notes="20 professions x person, man, woman x 6 skin tones (`none` is the yellow default) x 3 styles; Noto "
    "lacks man and woman astronaut here. Tones of one drawing are one cluster. Drawn: shows what a model attends "
    "to, and says nothing of society.",
    cluster=("label", "gender", "style"),
    tags=BUNDLED,
)

DIGITS = Task(
    name="digits",
    family="reading",
    load=from_digits,
    classes=classes("digits"),
    templates=templates("digits"),
    splits={"test": 1_797},
    licence="BSD-3-Clause (scikit-learn); data CC BY 4.0",
    reference="Alpaydin, Kaynak 1998, Optical Recognition of Handwritten Digits, UCI; sklearn.datasets.load_digits",
    notes="8 x 8 pixels.",
    tags=BUNDLED,
)

SCENE_SHAPE = Task(
    name="scene_shape",
    family="structured",
    load=from_scenes("shape", count=SCENE_COUNT),
    classes=classes("scene_shape"),
    templates=templates("scene_shape"),
    splits={"test": SCENE_COUNT},
    licence="MIT",
    reference=RENDERER,
    notes="One object; colour, size and place vary.",
    tags=SCENES,
)

SCENE_COLOUR = SCENE_SHAPE.renamed(
    "scene_colour",
    load=from_scenes("colour", count=SCENE_COUNT),
    classes=classes("scene_colour"),
    templates=templates("scene_colour"),
    notes="One object; shape, size and place vary.",
)

SCENE_COUNT_TASK = SCENE_SHAPE.renamed(
    "scene_count",
    load=from_scenes("count", count=SCENE_COUNT),
    classes=classes("scene_count"),
    templates=templates("scene_count"),
    notes="One to six equal objects that do not touch.",
)

SCENE_POSITION = SCENE_SHAPE.renamed(
    "scene_position",
    load=from_scenes("position", count=SCENE_COUNT, options=Options(shapes=("circle", "square"))),
    classes=classes("scene_position"),
    templates=templates("scene_position"),
    notes="Where a circle is, seen from a square; two colours.",
)

SCENE_WORDS = SCENE_SHAPE.renamed(
    "scene_words",
    family="reading",
    load=from_scenes("words", count=SCENE_COUNT, options=Options(words=TASK_WORDS)),
    classes=classes("scene_words"),
    templates=templates("scene_words"),
    notes="One of 40 words in six fonts of the DejaVu family.",
)
