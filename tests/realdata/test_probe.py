"""The probe's optimum on the bundled model's features of CIFAR-10, over the whole range of penalties."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_logistic_optimum import DECADES, check


@pytest.mark.realdata
@pytest.mark.slow
def test_nothing_is_lower_on_cifar10(folder: Path) -> None:
    import bench
    import tasks
    from bench.model.clip.encoder import ClipEncoder

    encoder = bench.load_model("bundled", device="cpu")
    assert isinstance(encoder, ClipEncoder)
    samples = tasks.select("cifar10")[0].samples().draw(3000)
    features = encoder.penultimate(samples.images)
    labels = np.asarray(samples.labels)
    check(features[:1500], labels[:1500], 10, features[1500:], DECADES, most=500)
