"""The middle frame of a video, when PyAV is installed; and the errors when it is not, or the file is no video."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from tasks.sources.layouts.videos import middle_frame, records_of_videos, still


def write_video(path: Path, shades: list[int]) -> None:
    av = pytest.importorskip("av", reason="videos need PyAV")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for shade in shades:
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_the_middle_frame(tmp_path: Path, count: int) -> None:
    shades = [20 + 25 * i for i in range(count)]
    write_video(tmp_path / "v.avi", shades)
    picture = middle_frame(tmp_path / "v.avi")
    assert picture.size == (64, 64)
    assert abs(float(np.asarray(picture).mean()) - shades[count // 2]) < 6


def test_no_video(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="videos need PyAV")
    (tmp_path / "v.avi").write_bytes(b"<html>")
    with pytest.raises(BenchError, match="cannot be read as a video"):
        middle_frame(tmp_path / "v.avi")


def test_without_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BenchError, match="pip install av"):
        middle_frame(tmp_path / "v.avi")


def test_an_extracted_frame_is_preferred(tmp_path: Path) -> None:
    video = tmp_path / "v.avi"
    assert still(video) == video
    (tmp_path / "v.png").write_bytes(b"x")
    assert still(video) == tmp_path / "v.png"
    with pytest.raises(BenchError, match=r"1 of 1 videos are not in .*first v\.avi"):
        records_of_videos([video], ["a"], root=tmp_path)
