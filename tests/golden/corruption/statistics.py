"""What is compared between two implementations of a corruption; numpy only, so that old environments can run it."""

import numpy as np

BANDS = 6
NAMES = ("change", "shift", *(f"band{i}" for i in range(BANDS)))
"""Mean absolute change and mean change in grey levels; log10 of the power in rings of frequency, from low on."""


def statistics(clean, corrupted):
    """uint8 [h, w, 3] twice -> the values of NAMES."""
    difference = corrupted.astype(np.float64) - clean
    grey = corrupted.astype(np.float64).mean(axis=2)
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    rows, columns = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.fftfreq(grey.shape[1])
    ring = np.minimum(np.hypot(rows, columns) / 0.5 * BANDS, BANDS - 1).astype(int)
    bands = [np.log10(power[ring == i].mean() + 1) for i in range(BANDS)]
    return np.array([np.abs(difference).mean(), difference.mean(), *bands])


def summary(rows):
    """[picture, run, statistic] -> mean of each, and its standard error over runs (the pictures are given)."""
    rows = np.asarray(rows)
    return rows.mean(axis=(0, 1)), np.sqrt((rows.var(axis=1, ddof=1) / rows.shape[1]).mean(axis=0) / len(rows))
