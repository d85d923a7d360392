"""The probe's optimum on the bundled model's features of CIFAR-10, over the whole range of penalties."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_logistic_optimum import DECADES, check, check_from_nothing


@pytest.fixture
def known(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features before the projection, and labels."""
    import bench
    import tasks
    from bench.model.clip.encoder import ClipEncoder

    encoder = bench.load_model("bundled", device="cpu")
    assert isinstance(encoder, ClipEncoder)
    samples = tasks.select("cifar10")[0].samples().draw(3000)
    return encoder.penultimate(samples.images), np.asarray(samples.labels)


@pytest.mark.realdata
@pytest.mark.slow
def test_nothing_is_lower_on_cifar10(known: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = known
    check(features[:1500], labels[:1500], 10, features[1500:], DECADES, most=500)


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_scikit_learn_agrees_over_the_whole_range_on_cifar10(known: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = known
    check_from_nothing(features[:200], labels[:200], 10, features[1500:])
