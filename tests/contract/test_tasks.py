"""Every task in the registry: complete metadata, sound names and templates; published ones through a miniature."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterator

import pytest

import tasks
from bench.errors import BenchError
from bench.metrics import PROTOCOLS
from bench.task import Samples, Task
from tests.fixtures.captioned import CAPTIONS
from tests.fixtures.layouts import truth
from tests.fixtures.planted import check_planted
from tests.fixtures.published import MINIATURES, ours

IMAGENET_TWICE = {"missile": 2, "sunglasses": 2}
IWILDCAM_TWICE = dict.fromkeys(("central american red brocket", "jaguarundi", "lowland paca", "unknown bird"), 2)
DOUBLED_NAMES = {
    **dict.fromkeys(("imagenet", "imagenet_v2", "imagenet_sketch", "imagenet_c", "dollar_street"), IMAGENET_TWICE),
    "iwildcam": IWILDCAM_TWICE,
}
"""Names that a benchmark gives to two classes, as published."""
EMPTY_NAMES = {"clevr_distance_datacomp": 1}
"""Classes without a name, as published."""

EVERY = [tasks.load().tasks[name] for name in ours()]
BUNDLED = {task.name for task in tasks.found_in(importlib.import_module("tasks.bundled"))}
GENERATED = {task.name for task in tasks.found_in(importlib.import_module("tasks.generated"))}
PUBLISHED = [task for task in EVERY if task.name not in BUNDLED | GENERATED]


def named(task: Task) -> str:
    return task.name


def test_no_module_of_ours_is_broken() -> None:
    assert tasks.broken() == {}


@pytest.mark.parametrize("task", EVERY, ids=named)
class TestEveryTask:
    def test_metadata_is_complete(self, task: Task) -> None:
        assert task.name == task.name.lower().strip()
        assert task.name.replace("_", "").replace(".", "").isalnum()
        assert task.family.isidentifier()
        assert task.family.islower()
        assert len(task.licence) >= 3
        assert len(task.reference) >= 8
        assert task.test in task.splits
        assert all(count is None or count > 0 for count in task.splits.values())
        assert task.metric in PROTOCOLS[task.protocol]
        assert 0 < task.chance_level < 1 or task.name in GENERATED  # prompts have foils of different number

    def test_classes_are_distinct_and_clean(self, task: Task) -> None:
        assert len(task.classes) >= 2 or task.protocol != "classification"
        assert len({one.key for one in task.classes}) == len(task.classes)
        every = [name for one in task.classes for name in one.names]
        assert sum(not name for name in every) == EMPTY_NAMES.get(task.name, 0)
        assert all(name == name.strip() and "\n" not in name for name in every)
        doubled = {name: n for name, n in Counter(map(str.lower, every)).items() if n > 1}
        assert doubled == DOUBLED_NAMES.get(task.name, {})

    def test_templates_have_one_slot(self, task: Task) -> None:
        assert task.templates
        assert all(template.count("{}") == 1 for template in task.templates)
        assert len(set(task.templates)) == len(task.templates)
        if task.protocol != "classification":
            assert task.classes == ()
            return
        assert not any("{" in prompt for prompt in task.prompts(0))
        assert len(task.prompts(0)) == len(task.templates) * len(task.classes[0].names)


def test_every_published_task_has_a_miniature() -> None:
    assert sorted(task.name for task in PUBLISHED) == sorted(MINIATURES)


@pytest.fixture(scope="module", params=PUBLISHED, ids=named)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Task]:
    """A published task whose data is its miniature, in every split; with the counts of the miniature."""
    task: Task = request.param
    root = tmp_path_factory.mktemp(task.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_DATA", str(root))
        patch.setenv("BENCH_OFFLINE", "1")
        patch.setenv("HF_DATASETS_CACHE", str(root / "hf"))
        MINIATURES[task.name](root, keys_of(task))
        yield task.renamed(task.name, splits=dict.fromkeys(task.splits, None))


def keys_of(task: Task) -> list[str]:
    """Three keys, not in class order: the last, the first and one in the middle (two where there are only two).

    None of a class that shares its name with another: no model can tell such classes apart.
    """
    shared = Counter(one.names for one in task.classes)
    keys = [one.key for one in task.classes if shared[one.names] == 1]
    if task.protocol != "classification":
        return list(CAPTIONS)
    return [keys[-1], keys[0], keys[len(keys) // 2]] if len(keys) > 2 else [keys[1], keys[0], keys[0]]


def said(task: Task, samples: Samples) -> list[str]:
    """What the data says of each picture: its class key, or its (right) caption."""
    if task.protocol == "classification":
        rows = samples.labels if samples.labels.ndim == 1 else samples.labels.argmax(axis=1)
        return [task.classes[row].key for row in rows]
    every = zip(samples.attributes["captions"], samples.labels, strict=True)
    return [captions[right].split(",")[0] for captions, right in every]


def test_pictures_arrive_with_their_own_labels(published: Task) -> None:
    for split in published.splits:
        samples = published.samples(split)
        assert said(published, samples) == [truth(picture, keys_of(published)) for picture in samples.images]
        assert len(set(said(published, samples))) > 1
        assert len(set(samples.ids)) == len(samples) == len(samples.attributes)
        assert set(published.cluster) | ({published.group} - {""}) <= set(samples.attributes)


def test_splits_hold_different_pictures(published: Task) -> None:
    fingerprints = [published.samples(split).fingerprint for split in published.splits]
    assert len(set(fingerprints)) == len(published.splits)
    assert fingerprints == [published.samples(split).fingerprint for split in published.splits]


def test_planted_predictions_give_the_planted_value(published: Task) -> None:
    """Through everything that a run does: prompts, classifier, vectors, metric."""
    check_planted(published)


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_bundled_tasks_give_the_planted_value_too(name: str) -> None:
    check_planted(tasks.select(name)[0])


def test_the_published_count_is_demanded(published: Task) -> None:
    original = tasks.select(published.name)[0]
    if original.splits[original.test] is None:
        assert original.notes or "swap_obj" in original.name, "a task without a count says why"
    else:
        with pytest.raises(BenchError, match="should hold"):
            original.samples()


PROMPTS = {
    "birdsnap": 500, "cifar10": 180, "cifar100": 1_800, "clevr_counts": 8, "caltech101": 3_468, "country211": 1_055,
    "dtd": 376, "eurosat": 30, "aircraft": 200, "fer2013": 72, "flowers102": 102, "food101": 101, "gtsrb": 129,
    "hateful_memes": 2, "kitti": 4, "kinetics700": 19_600, "mnist": 10, "pets": 37, "voc2007": 20, "pcam": 2,
    "resisc45": 810, "rendered_sst2": 2, "stl10": 20, "sun397": 794, "cars": 1_568, "ucf101": 4_848,
    "imagenet": 80_000,
}  # fmt: skip
"""Prompts of each set of the CLIP paper, as published: 115,738."""


def test_the_paper_is_complete() -> None:
    assert {task.name for task in tasks.select("tag:clip27")} == set(PROMPTS)
    assert sum(PROMPTS.values()) == 115_738
    assert len(EVERY) >= 45


@pytest.mark.parametrize("name", PROMPTS)
def test_prompt_counts_are_the_published_ones(name: str) -> None:
    task = tasks.select(name)[0]
    assert sum(len(task.prompts(i)) for i in range(len(task.classes))) == PROMPTS[name]
