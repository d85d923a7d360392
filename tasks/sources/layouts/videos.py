"""Videos as pictures: the middle frame of each, as the CLIP paper does for UCF101 and Kinetics."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, reading
from bench.task import Pictures, Records
from tasks.sources.content import SUFFIXES, decode, fingerprint_of_files

if TYPE_CHECKING:
    from PIL.Image import Image

VIDEOS = frozenset({".avi", ".mp4", ".mkv", ".webm", ".mov"})


def still(video: Path) -> Path:
    """The extracted frame beside a video (`v.jpg` for `v.avi`) if there is one, else the video."""
    frames = (video.with_suffix(suffix) for suffix in (".jpg", ".jpeg", ".png"))
    return next((frame for frame in frames if frame.is_file()), video)


def records_of_videos(files: Sequence[Path], keys: Sequence[str], *, root: Path) -> Records:
    """Records of videos or extracted frames; ids are paths relative to `root` without their ending."""
    missing = [file for file in files if not (file.is_relative_to(root) and os.path.isfile(file))]
    if missing or not files:
        raise BenchError(
            f"{len(missing)} of {len(files)} videos are not in {root}"
            + (f", first {missing[0].name}" if missing else "")
            + ". Put the videos there, or their middle frames as .jpg."
        )
    ids = [file.relative_to(root).with_suffix("").as_posix() for file in files]
    pictures = Pictures(len(files), lambda i: picture(files[i]))
    return Records(pictures, list(keys), ids, fingerprint_of_files(files))


def picture(path: Path) -> Image:
    """A picture file, or the middle frame of a video."""
    if path.suffix.lower() not in SUFFIXES:
        return middle_frame(path)
    with reading(path, "a picture"):
        return decode(path.read_bytes(), str(path))


def middle_frame(video: Path) -> Image:
    """Frame n // 2 of the n frames of a video.

    Raises:
        BenchError: PyAV is not installed, or the file is no video.
    """
    try:
        av: Any = importlib.import_module("av")
    except ImportError:
        raise BenchError("Reading videos needs PyAV (`pip install av`), or the middle frames as .jpg files.") from None
    with reading(video, "a video", also=(av.error.FFmpegError,)), av.open(str(video)) as container:
        count = sum(1 for _ in container.decode(video=0))
        container.seek(0)
        for number, frame in enumerate(container.decode(video=0)):
            if number == count // 2:
                found: Image = frame.to_image()
                return found
    raise BenchError(f"{video} holds no frame.")
