"""Each corruption against its published definition, written here once more in the plainest way.

Random ones are given the same draws, so that pictures can be compared and not only their statistics.
"""

from __future__ import annotations

import colorsys
import io
import math

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

from bench.audit.corruption import SEVERITIES, corrupt
from bench.audit.corruption.blur import disk, trail
from bench.audit.corruption.digital import COSINES_FROM, smooth_field
from bench.audit.corruption.draws import Draws
from bench.audit.corruption.registry import CORRUPTIONS
from bench.audit.corruption.weather import plasma
from tests.unit.corruption.pictures import scene


def settings(name: str, severity: int, which: str = "imagenet"):
    return CORRUPTIONS[name].settings(severity, which)


def close(found: np.ndarray, levels: np.ndarray, *, share: float = 0.01) -> None:
    """`found` is `levels` rounded down, but for rounding errors: never off by more than 1, seldom off at all."""
    off = np.abs(found.astype(int) - np.floor(levels.clip(0, 255) + 1e-3).astype(int))
    assert off.max() <= 1
    assert (off > 0).mean() <= share


def flat(value: int, side: int = 200) -> np.ndarray:
    return np.full((side, side, 3), value, dtype=np.uint8)


@pytest.mark.parametrize(("name", "scale"), [("gaussian_noise", 255), ("speckle_noise", 128)])
def test_noise_is_normal_with_the_stated_deviation(name: str, scale: int) -> None:
    noisy = corrupt(flat(128), name, 1).ravel()
    deviation = settings(name, 1) * scale
    values = np.arange(256)
    expected = stats.norm.cdf((values + 1 - 128) / deviation)  # rounded down: v holds [v, v + 1)
    reached = np.searchsorted(np.sort(noisy), values, side="right") / noisy.size
    assert np.abs(reached - expected)[:-1].max() < 1.63 / math.sqrt(noisy.size)  # Kolmogorov's bound at 1 %


@pytest.mark.parametrize("value", [3, 128, 250])
@pytest.mark.parametrize("severity", [2, 5])
def test_shot_noise_is_poisson(value: int, severity: int) -> None:
    photons = settings("shot_noise", severity)
    noisy = corrupt(flat(value), "shot_noise", severity).ravel()
    counts = np.arange(photons + 1)
    chances = stats.poisson.pmf(counts, value / 255 * photons)
    chances[-1] = stats.poisson.sf(photons - 1, value / 255 * photons)
    shades = (np.minimum(counts / photons, 1) * 255).astype(np.uint8)
    found = np.array([(noisy == shade).sum() for shade in shades])
    assert found.sum() == noisy.size
    often = chances * noisy.size > 20
    spread = np.sqrt(noisy.size * chances * (1 - chances))[often] + 2e-4 * noisy.size  # and the table's slices
    assert (np.abs(found - chances * noisy.size)[often] / spread).max() < 4


@pytest.mark.parametrize("severity", SEVERITIES)
def test_impulse_noise_is_half_black_half_white(severity: int) -> None:
    noisy = corrupt(flat(128), "impulse_noise", severity)
    amount, spread = settings("impulse_noise", severity), 4 * math.sqrt(1 / noisy.size)
    assert abs((noisy == 0).mean() - amount / 2) < spread
    assert abs((noisy == 255).mean() - amount / 2) < spread
    assert ((noisy == 128) | (noisy == 0) | (noisy == 255)).all()
    hit = noisy[..., :2] != 128
    assert abs((hit[..., 0] & hit[..., 1]).mean() - amount**2) < spread, "channels must be hit independently"


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("which", ["imagenet", "tiny_imagenet", "cifar"])
def test_gaussian_blur(severity: int, which: str) -> None:
    image, sigma = scene(), settings("gaussian_blur", severity, which)
    expected = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="nearest", truncate=4)
    close(corrupt(image, "gaussian_blur", severity, which=which), expected)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_defocus_blur(severity: int) -> None:
    image, kernel = scene(), disk(*settings("defocus_blur", severity)).astype(float)
    expected = np.stack([ndimage.correlate(image[..., c].astype(float), kernel, mode="mirror") for c in range(3)], -1)
    close(corrupt(image, "defocus_blur", severity), expected)
    assert abs(kernel.sum() - 1) < 0.02  # the originals soften within a square, which leaves 1.3 % too much at 8


def test_disk_is_a_disk() -> None:
    kernel = disk(3, 0.1)
    reach = len(kernel) // 2
    inside = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= 3
    assert kernel == pytest.approx(inside / inside.sum())


def dragged(image: np.ndarray, radius: float, sigma: float, angle: float) -> np.ndarray:
    """ImageMagick's motion blur, pixel by pixel."""
    height, width = image.shape[:2]
    steps = 2 * math.ceil(radius) + 1
    weights = np.array([math.exp(-(i**2) / (2 * sigma**2)) for i in range(steps)])
    total = np.zeros(image.shape)
    for i, weight in enumerate(weights / weights.sum()):
        right = math.ceil(i * math.cos(math.radians(angle)) - 0.5)
        down = math.ceil(i * math.sin(math.radians(angle)) - 0.5)
        rows = (np.arange(height) + down).clip(0, height - 1)
        columns = (np.arange(width) + right).clip(0, width - 1)
        total += weight * image[rows][:, columns]
    return total


@pytest.mark.parametrize("angle", [-135, -90, -45, -31.4, 0, 17, 45])
def test_trail(angle: float) -> None:
    image = scene(40, 33)
    assert trail(image, 20, 15, angle=angle) == pytest.approx(dragged(image, 20, 15, angle), abs=1e-2)


def test_motion_blur_rounds_to_the_nearest() -> None:
    image = scene()
    angle = Draws(7, "motion_blur", image).between(-45, 45)
    assert -45 <= angle <= 45
    found = corrupt(image, "motion_blur", 3, seed=7)
    assert np.abs(found - dragged(image, 15, 8, angle)).max() < 0.51


def clipped_zoom(image: np.ndarray, factor: float) -> np.ndarray:
    """The originals' helper, for any shape: the middle of scipy's zoom of the middle."""
    parts, trims = [], []
    for length in image.shape[:2]:
        part = math.ceil(length / factor)
        parts.append(slice((length - part) // 2, (length - part) // 2 + part))
    large = ndimage.zoom(image[tuple(parts)], (factor, factor, 1), order=1)
    for axis, length in enumerate(image.shape[:2]):
        start = (large.shape[axis] - length) // 2
        trims.append(slice(start, start + length))
    return large[tuple(trims)]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_zoom_blur(severity: int) -> None:
    image, factors = scene(64, 50), settings("zoom_blur", severity)
    layers = [clipped_zoom(image.astype(float), factor) for factor in factors]
    close(corrupt(image, "zoom_blur", severity), (image + sum(layers)) / (len(layers) + 1), share=0.1)


def test_official_zoom_factors_run_to_the_end_that_rounding_lets_in() -> None:
    assert settings("zoom_blur", 1)[-1] == pytest.approx(1.11)
    assert len(settings("zoom_blur", 1)) == 12
    assert settings("zoom_blur", 2)[-1] == pytest.approx(1.15)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_glass_blur_is_the_published_loop(severity: int) -> None:
    """Pixel by pixel, with the published line on numpy views; only the draws are ours."""
    image = scene(30, 36)
    sigma, shift, passes = settings("glass_blur", severity)
    blurred = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="nearest", truncate=4)
    x = np.floor(blurred + 1e-3).astype(np.uint8)
    draws = Draws(0, "glass_blur", image)
    for _ in range(passes):
        drawn = draws.levels(30 - 2 * shift, 36 - 2 * shift).astype(int) * (2 * shift) ** 2 >> 16
        for h in range(30 - shift, shift, -1):
            for w in range(36 - shift, shift, -1):
                dy, dx = (step - shift for step in divmod(int(drawn[h - shift - 1, w - shift - 1]), 2 * shift))
                x[h, w], x[h + dy, w + dx] = x[h + dy, w + dx], x[h, w]
    expected = ndimage.gaussian_filter(x.astype(float), (sigma, sigma, 0), mode="nearest", truncate=4)
    close(corrupt(image, "glass_blur", severity), expected, share=0.02)


def test_plasma_is_diamond_square_on_a_torus() -> None:
    side, decay, image = 16, 1.7, scene(4, 4)
    noise = Draws(1, "fog", image).symmetric(side * side)
    field = np.zeros((side, side))
    step, size, used = side, 100.0, 1
    while step >= 2:
        half = step // 2
        at = range(0, side, step)
        count = len(at) ** 2
        first, second, third = noise[used : used + 3 * count].reshape(3, len(at), len(at)) * size * size
        for i, y in enumerate(at):
            for j, x in enumerate(at):
                corners = [field[a % side, b % side] for a in (y, y + step) for b in (x, x + step)]
                field[y + half, x + half] = sum(corners) / 4 + first[i, j]
        for i, y in enumerate(at):
            for j, x in enumerate(at):
                around = field[y, x] + field[y, (x + step) % side] + field[y + half, x + half]
                field[y, x + half] = (around + field[(y - half) % side, x + half]) / 4 + second[i, j]
                around = field[y, x] + field[(y + step) % side, x] + field[y + half, x + half]
                field[y + half, x] = (around + field[y + half, (x - half) % side]) / 4 + third[i, j]
        step, size, used = half, size / decay, used + 3 * count
    field = (field - field.min()) / (field.max() - field.min())
    assert plasma(side, decay, Draws(1, "fog", image)) == pytest.approx(field, abs=1e-5)


def test_fog_veils_and_keeps_the_brightest_value() -> None:
    image = scene(50, 60)
    amount, decay = settings("fog", 3)
    veil = plasma(64, decay, Draws(0, "fog", image))[:50, :60, None]
    brightest = image.max() / 255
    close(corrupt(image, "fog", 3), (image / 255 + amount * veil) * brightest / (brightest + amount) * 255)


@pytest.mark.parametrize("severity", [1, 4])
def test_snow(severity: int) -> None:
    image = scene(60, 48)
    mean, deviation, zoom, threshold, radius, sigma, kept = settings("snow", severity)
    draws = Draws(0, "snow", image)
    noise = np.zeros((60, 48, 1))  # only the middle of it is enlarged, so only that is drawn
    rows, columns = math.ceil(60 / zoom), math.ceil(48 / zoom)
    top, left = (60 - rows) // 2, (48 - columns) // 2
    noise[top : top + rows, left : left + columns, 0] = draws.normal(rows, columns) * deviation + mean
    layer = clipped_zoom(noise, zoom)[..., 0]
    layer[layer < threshold] = 0
    layer = (layer.clip(0, 1) * 255).astype(np.uint8)
    layer = np.rint(dragged(layer, radius, sigma, draws.between(-135, -45))) / 255
    x = image / 255
    grey = x @ np.array([0.299, 0.587, 0.114])
    x = kept * x + (1 - kept) * np.maximum(x, grey[..., None] * 1.5 + 0.5)
    expected = x + (layer + np.rot90(layer, 2))[..., None]
    found = corrupt(image, "snow", severity)
    assert np.abs(found - np.floor(expected.clip(0, 1) * 255)).max() <= 2
    assert np.abs(found - expected.clip(0, 1) * 255 + 0.5).mean() < 0.6


@pytest.mark.parametrize("severity", SEVERITIES)
def test_brightness_and_saturation_are_changes_in_hsv(severity: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    image[0, :10] = 0
    image[1] = image[1, :, :1]  # greys
    added, (factor, plus) = settings("brightness", severity), settings("saturate", severity)
    bright, saturated = np.zeros(image.shape), np.zeros(image.shape)
    for place in np.ndindex(20, 30):
        hue, saturation, value = colorsys.rgb_to_hsv(*(image[place] / 255))
        bright[place] = colorsys.hsv_to_rgb(hue, saturation, min(value + added, 1))
        saturated[place] = colorsys.hsv_to_rgb(hue, min(saturation * factor + plus, 1), value)
    close(corrupt(image, "brightness", severity), bright * 255)
    close(corrupt(image, "saturate", severity), saturated * 255)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_contrast(severity: int) -> None:
    image, factor = scene(), settings("contrast", severity)
    means = image.mean(axis=(0, 1))
    close(corrupt(image, "contrast", severity), (image - means) * factor + means, share=0)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("which", ["imagenet", "tiny_imagenet", "cifar"])
@pytest.mark.parametrize("shape", [(64, 64), (31, 57)])
def test_pixelate_and_jpeg_are_pillow_to_the_bit(severity: int, which: str, shape: tuple[int, int]) -> None:
    image = scene(*shape)
    picture, scale = Image.fromarray(image), settings("pixelate", severity, which)
    small = picture.resize((int(shape[1] * scale), int(shape[0] * scale)), Image.Resampling.BOX)
    assert (corrupt(image, "pixelate", severity, which=which) == small.resize(shape[::-1], Image.Resampling.BOX)).all()
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=settings("jpeg_compression", severity, which))
    assert (corrupt(image, "jpeg_compression", severity, which=which) == np.asarray(Image.open(file))).all()


@pytest.mark.parametrize("sigma", [2.44, COSINES_FROM, 19.52, 170.8])
def test_smooth_field_has_the_covariance_of_filtered_noise(sigma: float) -> None:
    """By 400 fields: at a corner, an edge, inside, and between neighbours; the filter's own covariance is exact."""
    height, width = 24, 20
    places = np.array([0, 9, 12 * width + 10, 12 * width + 11, 23 * width + 19])
    filtered = np.eye(height * width).reshape(-1, height, width)
    responses = ndimage.gaussian_filter(filtered, (0, sigma, sigma), mode="reflect", truncate=3)
    weights = responses.reshape(height * width, -1)[:, places]
    exact = weights.T @ weights / 3  # even noise between -1 and 1 has variance 1/3
    image = scene(4, 4)
    fields = np.stack([smooth_field(height, width, sigma, Draws(i, "x", image)).ravel()[places] for i in range(400)])
    found = fields.T @ fields / len(fields)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert (np.abs(found - exact) / scale).max() < 4 * math.sqrt(2 / 400)


def test_elastic_transform_moves_twice() -> None:
    """Affine map, then the field: with the draws of a narrow field, which is filtered and not summed from waves."""
    image = scene(60, 60)
    amplitude, sigma, jitter = settings("elastic_transform", 4)
    draws = Draws(3, "elastic_transform", image)
    points = np.array([[50, 50], [50, 10], [10, 10]], dtype=float)  # centre 30, a third of 60
    moved = points + draws.symmetric(3, 2) * jitter
    matrix = np.linalg.solve(np.c_[moved, np.ones(3)], points).T  # from the result back to the picture
    rows, columns = np.mgrid[:60, :60].astype(float)
    x, y = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2], matrix[1, 0] * columns + (
        matrix[1, 1] * rows + matrix[1, 2])  # fmt: skip
    mapped = np.stack([ndimage.map_coordinates(image[..., c].astype(float), (y, x), order=1, mode="mirror")
                       for c in range(3)], -1)  # fmt: skip
    right, down = (ndimage.gaussian_filter(draws.symmetric(60, 60).astype(float), sigma, mode="reflect", truncate=3)
                   * amplitude for _ in range(2))  # fmt: skip
    expected = np.stack([ndimage.map_coordinates(mapped[..., c], (rows + down, columns + right), order=1,
                                                 mode="reflect") for c in range(3)], -1)  # fmt: skip
    found = corrupt(image, "elastic_transform", 4, seed=3).astype(float)
    inner = slice(4, -4)  # OpenCV's and scipy's ideas of the border differ by half a pixel in the affine map
    assert np.abs(found - expected)[inner, inner].mean() < 1.5
    assert np.corrcoef(found[inner, inner].ravel(), expected[inner, inner].ravel())[0, 1] > 0.998
