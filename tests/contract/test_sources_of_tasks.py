"""Every further source of a task (a `wds_*` folder, a copy of a hub repository) gives the same labels as its first."""

from __future__ import annotations

from pathlib import Path

import pytest

import tasks
from bench.task import Task
from tasks.sources.choice import FirstOf
from tasks.sources.hub import HubReader
from tasks.sources.matching import keys_of as matched
from tasks.sources.shards import ShardReader
from tests.contract.test_tasks import PUBLISHED, keys_of, said
from tests.fixtures import layouts
from tests.fixtures.layouts import truth


def sources(kind: type) -> list[tuple[Task, object]]:
    """Tasks with their sources of a kind."""
    every = [(task, task.load.sources if isinstance(task.load, FirstOf) else (task.load,)) for task in PUBLISHED]
    return [(task, one) for task, own in every for one in own if isinstance(one, kind)]


def identity(value: object) -> str:
    return value.name if isinstance(value, Task) else getattr(value, "path", getattr(value, "repo", ""))


def agrees(task: Task, reader: object) -> bool:
    alone = task.renamed(task.name, load=reader, splits=dict.fromkeys(task.splits, None))
    samples = alone.samples()
    assert {*task.cluster, *filter(None, [task.group])} <= set(samples.attributes), "groups and clusters"
    return said(alone, samples) == [truth(picture, keys_of(task)) for picture in samples.images]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))


@pytest.mark.parametrize(("task", "reader"), sources(ShardReader), ids=identity)
def test_webdataset_folders(task: Task, reader: ShardReader, tmp_path: Path) -> None:
    back = {key: name for name, key in reader.called.items()}
    names = {one.key: back.get(one.key, one.names[0]) for one in reader.classes}
    order = list(names) if len(set(names.values())) < len(names) else list(names)[::-1]
    split = reader.splits.get(task.test, task.test)
    layouts.shards(
        tmp_path,
        keys_of(task),
        name=str(reader.path),
        names=[names[key] for key in order],
        labels=[order.index(key) for key in keys_of(task)],
        splits=[split],
        numbers=(lambda i: (i, 7, 2013)) if reader.numbers else None,
    )
    assert agrees(task, reader)
    (tmp_path / str(reader.path)).rename(tmp_path / f"{reader.path}_test")
    assert reader.at_hand()
    assert agrees(task, reader), "as DataComp names the folder"


LABELLED = [(task, one) for task, one in sources(HubReader) if one.label is not None]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("task", "reader"), LABELLED, ids=identity)
def test_hub_repositories(task: Task, reader: HubReader, tmp_path: Path) -> None:
    assert reader.label is not None
    names = reader.names or [one.key for one in reader.classes or task.classes][::-1]
    split = reader.splits.get(task.test, task.test)
    called = dict(zip(matched(names, reader.classes or task.classes, where="test"), names, strict=True))
    layouts.hub(
        tmp_path,
        keys_of(task),
        repo=reader.repo,
        names=names,
        image=reader.image,
        label=reader.label,
        splits=[split],
        called=called,
        numbers=bool(reader.numbers),
    )
    assert agrees(task, reader)


def test_what_numbers_mean_does_not_hang_on_a_class_file() -> None:
    """A copy that only has numbers is read by a list written out for that copy; each gives the keys of the task."""
    known = {
        "djghosh/wds_wilds-iwildcam_test": [str(i) for i in range(182)],
        "mteb/wds_gtsrb": [str(i) for i in range(43)],
        "mteb/wds_renderedsst2": ["negative", "positive"],
        "mteb/wds_vtab-clevr_closest_object_distance": [str(i) for i in range(6)],
        "mteb/wds_vtab-clevr_count_all": [str(i) for i in range(3, 11)],
        "mteb/wds_vtab-pcam": ["0", "1"],
        "mteb/wds_fer2013": ["angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"],
    }
    found = {one.repo: list(one.names) for _, one in sources(HubReader) if one.names}  # type: ignore[attr-defined]
    for repo, count in {"mteb/wds_country211": 211, "djghosh/wds_wilds-fmow_test": 62}.items():
        names = found.pop(repo)
        assert names == sorted(names)
        assert len(names) == count
    assert found == known


def test_hub_revisions_are_pinned() -> None:
    """A branch can change under a benchmark."""
    loose = [task.name for task, reader in sources(HubReader) if len(reader.revision or "") != 40]  # type: ignore[attr-defined]
    assert loose == []


def test_the_paper_has_local_sources() -> None:
    """No task of the paper depends on a hub alone."""
    for task in tasks.select("tag:clip27"):
        own = task.load.sources if isinstance(task.load, FirstOf) else (task.load,)
        assert any(not isinstance(one, HubReader) for one in own), task.name
