"""The recipe as a whole: it learns, it repeats itself, it goes on where it stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.model.clip.checkpoint import load_checkpoint
from bench.training.clip import SHAPE, Run, Settings, normalise, rate_factor


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_twenty_steps_learn_and_repeat_and_resume(tiny: Path, settings: Settings, tmp_path: Path) -> None:
    first = Run(settings, tiny, tmp_path / "a")
    losses = first.train()
    assert len(losses) == 20
    assert sum(losses[-3:]) < 0.75 * sum(losses[:3])

    again = Run(settings, tiny, tmp_path / "b")
    assert again.train() == losses

    broken = Run(settings, tiny, tmp_path / "c")
    head = broken.train(until=8)
    tail = Run(settings, tiny, tmp_path / "c").train()
    assert head + tail == losses
    for key, value in first.mean.items():
        assert torch.equal(value, again.mean[key])

    model, card = load_checkpoint(tmp_path / "a")
    assert card.shape == settings.shape
    assert card.more is not None
    assert card.more["steps"] == 20
    assert not (tmp_path / "a" / "last.pt.part").exists()
    assert float((model.logit_scale - first.mean["logit_scale"]).abs()) < 1e-2  # stored in half precision


def test_another_seed_is_another_run(tiny: Path, settings: Settings, tmp_path: Path) -> None:
    short = replace(settings, steps=2)
    assert Run(short, tiny, tmp_path / "a").train() != Run(replace(short, seed=1), tiny, tmp_path / "b").train()


def test_the_clock_ends_the_schedule_early(tiny: Path, settings: Settings, tmp_path: Path) -> None:
    run = Run(replace(settings, minutes=1.0), tiny, tmp_path)
    assert run.progress() == 0
    run.seconds = 30.0
    assert run.progress() == 0.5
    run.seconds = 61.0
    assert run.train() == []


def test_rate_warms_up_and_falls() -> None:
    assert rate_factor(0, 0.0, 10) == pytest.approx(0.1)
    assert rate_factor(9, 0.0, 10) == pytest.approx(1.0)
    assert rate_factor(10, 0.5, 10) == pytest.approx(0.505)
    assert rate_factor(99, 1.0, 10) == pytest.approx(0.01)


def test_normalise_maps_the_mean_to_zero() -> None:
    from bench.model.clip.preprocess import OPENAI_MEAN

    pixels = torch.tensor(OPENAI_MEAN)[None, :, None, None].expand(1, 3, 2, 2)
    assert float(normalise(pixels).abs().max()) < 1e-6


def test_the_bundled_shape_fits_the_wheel() -> None:
    from bench.model.clip.architecture import Clip

    with torch.device("meta"):
        model = Clip(SHAPE)
    assert sum(parameter.numel() for parameter in model.parameters()) * 2 < 25e6
