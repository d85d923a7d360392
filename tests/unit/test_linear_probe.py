"""The linear probe: the paper's search, no look at the test set before the end, clear refusals."""

import numpy as np
import pytest

import bench.evaluation.linear_probe as module
from bench.evaluation.linear_probe import GRID, LinearProbe, search
from bench.evaluation.probing import held_out
from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.store import Store
from bench.task import Records, digest
from tests.fixtures.probes import LayeredToy, clouds, embedded, vector_task
from tests.toys import ToyEncoder, toy_task


def test_the_grid_is_the_papers() -> None:
    assert (len(GRID), GRID[0], GRID[-1]) == (97, pytest.approx(1e-6), pytest.approx(1e6))
    np.testing.assert_allclose(np.diff(np.log10(GRID)), 1 / 8)


@pytest.mark.parametrize("peak", [0, 1, 7, 48, 63, 95, 96])
def test_the_search_finds_a_single_peak(peak: int) -> None:
    asked: list[float] = []

    def values(penalties: list[float]) -> list[float]:
        asked.extend(penalties)
        return [-abs(np.log(one / GRID[peak])) for one in penalties]

    best, tried = search(values)
    assert best == GRID[peak]
    assert len(asked) == len(set(asked)) == len(tried) <= 15
    assert asked[:7] == list(GRID[::16])


def test_a_plateau_goes_to_the_stronger_penalty_and_a_path_tries_all() -> None:
    best, tried = search(lambda penalties: [float(one <= GRID[30]) for one in penalties], every=True)
    assert best == GRID[30]
    assert len(tried) == 97


def test_the_held_out_share_is_stratified_and_seeded() -> None:
    labels = np.repeat([0, 1, 2, 3], [50, 20, 2, 1])
    fitted, held = held_out(labels, seed=3)
    assert np.bincount(labels[held], minlength=4).tolist() == [10, 4, 1, 0]
    assert sorted([*fitted, *held]) == list(range(73))
    np.testing.assert_array_equal(held, held_out(labels, seed=3)[1])
    assert not np.array_equal(held, held_out(labels, seed=4)[1])


def test_a_probe_learns_what_can_be_learnt() -> None:
    task = vector_task()
    world = embedded({"train": clouds(300, seed=1, spread=0.1), "test": clouds(90, seed=2, spread=0.1)})
    found = LinearProbe()(task, world)
    assert found.scores.argmax(axis=1).tolist() == found.labels.tolist()
    assert "penultimate features; lambda" in found.protocol
    assert "60 held out of train (seed 0)" in found.protocol
    assert "path 1e-06: 100.0%, 0.0001: 100.0%" in found.protocol


@pytest.mark.parametrize("splits", [("train", "test"), ("train", "val", "test")])
def test_selection_never_sees_the_test_split(splits: tuple[str, ...]) -> None:
    """A signal is planted in the test split: with it the labels can be read off. Nothing that is chosen may change."""
    task = vector_task(splits=splits)
    parts = {split: clouds(240, seed=i, spread=2.0) for i, split in enumerate(splits)}
    planted, labels = parts["test"]
    planted = planted.copy()
    planted[:, 0] = 100.0 * labels
    honest, leaky = embedded(parts), embedded({**parts, "test": (planted, labels)})
    notes = [LinearProbe()(task, world).protocol for world in (honest, leaky)]
    assert notes[0] == notes[1]
    for world in (honest, leaky):
        reads = world.images.reads  # type: ignore[attr-defined]
        assert reads.count("test") == 1
        assert reads[-1] == "test"


def test_the_tasks_own_validation_split_decides() -> None:
    """Labels of val are shuffled: no penalty is better than a guess there, and the strongest wins the tie or nearly."""
    task = vector_task(splits=("train", "val", "test"))
    train, test = clouds(300, seed=1, spread=0.5), clouds(90, seed=2, spread=0.5)
    blank = (np.zeros((90, 6), np.float32), clouds(90)[1])
    found = LinearProbe()(task, embedded({"train": train, "val": blank, "test": test}))
    assert "lambda 1e+06" in found.protocol
    assert "best on 90 of val" in found.protocol


def test_a_val_split_that_is_scored_does_not_decide() -> None:
    task = vector_task(splits=("train", "val"), test="val")
    world = embedded({"train": clouds(300, seed=1), "val": clouds(90, seed=2)})
    assert "held out of train" in LinearProbe()(task, world).protocol
    assert world.images.reads.count("val") == 1  # type: ignore[attr-defined]


def test_two_classes_and_several_labels() -> None:
    two = vector_task(2)
    world = embedded({"train": clouds(200, 2, seed=1, spread=0.1), "test": clouds(60, 2, seed=2, spread=0.1)})
    found = LinearProbe()(two, world)
    assert found.scores.shape == (60, 2)
    assert dict(found.estimates(two))["top1"].value == 1
    several = vector_task(3, metric="map")
    parts = {}
    for i, split in enumerate(("train", "test")):
        features, labels = clouds(240, seed=i, spread=0.3)
        parts[split] = features, np.stack([labels == 0, labels != 1, labels == 2], axis=1)
    found = LinearProbe()(several, embedded(parts))
    assert found.independent
    assert dict(found.estimates(several))["map"].value > 0.98
    assert found.table()["confidence"].between(0, 1).all()


def test_a_fit_that_did_not_converge_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.LogisticPath
    monkeypatch.setattr(module, "LogisticPath", lambda *a, **k: real(*a, passes=1, **k))
    world = embedded({"train": clouds(300, seed=1), "test": clouds(90, seed=2)})
    assert "NOT CONVERGED" in LinearProbe()(vector_task(), world).protocol


def failed(encoder, task, evaluation) -> str:  # type: ignore[no-untyped-def]
    row = run_cells(encoder, [task], [evaluation]).iloc[0]
    assert row["status"] == "failed"
    return str(row["reason"])


def trainable():  # type: ignore[no-untyped-def]
    base = toy_task()

    def load(split: str) -> Records:
        records = base.load(split)
        return Records(records.images, records.keys, records.ids, digest(records.fingerprint, split))

    return toy_task(load=load, splits={"train": 12, "test": 12})


def test_refusals_are_rows_that_say_how_to_go_on() -> None:
    assert "learns from a split 'train'" in failed(LayeredToy(), toy_task(), LinearProbe())
    assert "evaluation.features=projected" in failed(ToyEncoder(), trainable(), LinearProbe())
    table = run_cells(ToyEncoder(), [trainable()], [LinearProbe(features="projected")])
    assert table["value"].iloc[0] == 1


def test_no_picture_is_encoded_twice(tmp_path) -> None:  # type: ignore[no-untyped-def]
    encoder, settings = LayeredToy(), Settings(debug=True)
    evaluations = [ZeroShot(), LinearProbe(), LinearProbe(features="projected")]
    table = run_cells(encoder, [trainable()], evaluations, store=Store(tmp_path), settings=settings)
    assert set(table["evaluation"]) == {"zero_shot", "linear_probe", "linear_probe_projected"}
    assert encoder.images_seen == 24
    again = LayeredToy()
    run_cells(again, [trainable()], [LinearProbe(), ZeroShot()], store=Store(tmp_path), settings=settings)
    assert again.images_seen == 0


@pytest.mark.parametrize("seed", range(20))
def test_of_several_labels_each_is_on_both_sides(seed: int) -> None:
    random = np.random.default_rng(0)
    labels = random.random((400, 6)) < np.array([0.5, 0.3, 0.1, 0.05, 0, 0])
    labels[[3, 77], 4] = True
    fitted, held = held_out(labels, seed=seed)
    assert sorted([*fitted, *held]) == list(range(400))
    shares = labels[held].sum(0)[:4] / labels.sum(0)[:4]
    assert (np.abs(shares - 0.2) < 0.06).all(), shares
    assert labels[held, 4].sum() == labels[fitted, 4].sum() == 1
    assert 0.15 < len(held) / 400 < 0.25
