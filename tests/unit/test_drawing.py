"""Prompts become pictures once: resume after a kill, lost pictures counted, folders, pipelines, image prompts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bench.drawing import KNOWN, Drawn, Prompted, bound, seed_of
from bench.errors import BenchError
from bench.generator import GeneratorCard, Request
from bench.generator.diffusers import Diffusers
from bench.generator.folder import Folder
from bench.generator.renderer import Renderer, upper_half
from bench.known import references
from tasks.compositional import prompts
from tasks.generated import COMPOSITIONAL, compositional
from tests.fixtures.generators import Planted, decoded, half_right
from tests.toys import toy_task

STACKS = [one for one in prompts(meanings=1, categories=["stacks"]) if one.scene is not None]
SUITE = Prompted(lambda: STACKS, samples=2)


def test_the_truth_of_every_picture_is_its_own(tmp_path: Path) -> None:
    drawn = Drawn(SUITE, Planted(), tmp_path)
    task = COMPOSITIONAL.renamed("compositional", load=drawn)
    samples = task.samples()
    assert len(samples) == 2 * len(STACKS) == len(set(samples.ids))
    for picture, captions, right in zip(samples.images, samples.attributes["captions"], samples.labels, strict=True):
        assert decoded(picture)["text"] == captions[right]
    assert json.loads(samples.attributes["slots"][0]) == {slot.name: slot.value for slot in STACKS[0].slots}


def test_a_killed_run_draws_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.drawing.BATCH", 4)
    killed = Planted(stop_after=10)
    with pytest.raises(KeyboardInterrupt):
        Drawn(SUITE, killed, tmp_path).asked()
    again, seen = Planted(), []
    drawn = Drawn(SUITE, again, tmp_path, progress=lambda stage, done, total: seen.append((done, total)))
    assert (drawn.asked()["status"] == "ok").all()
    assert len(again.drawn) == 2 * len(STACKS) - 8  # two whole batches were kept
    assert not set(again.drawn) & set(killed.drawn[:8])
    assert seen[-1] == (2 * len(STACKS) - 8, 2 * len(STACKS) - 8)  # what is drawn now
    third = Planted()
    first = Drawn(SUITE, third, tmp_path)("test")
    assert third.drawn == []
    assert first.fingerprint == drawn("test").fingerprint


def test_a_damaged_picture_is_drawn_again(tmp_path: Path) -> None:
    drawn = Drawn(SUITE, Planted(), tmp_path)
    victim = Path(drawn.asked()["path"][3])
    victim.write_bytes(victim.read_bytes()[:60])
    again = Planted()
    assert (Drawn(SUITE, again, tmp_path).asked()["status"] == "ok").all()
    assert len(again.drawn) == 1


@dataclass
class Moody:
    """Raises for some prompts, gives nothing, a blank, or no picture at all for others."""

    card: GeneratorCard = field(default_factory=lambda: GeneratorCard("moody", "planted"))
    calls: int = 0

    def generate(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image | None]:
        self.calls += 1
        if any("bottom to top" in one for one in prompts):
            raise RuntimeError("out of paint")
        return [self._one(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]

    def _one(self, prompt: str, seed: int) -> Image.Image | None:
        if "sitting on" in prompt:
            return None
        if "top to bottom" in prompt:
            return Image.new("RGB", (16, 16), "navy")
        pixels = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        return "not a picture" if seed == -1 else Image.fromarray(pixels)  # type: ignore[return-value]


def test_lost_pictures_are_counted_and_end_nothing(tmp_path: Path) -> None:
    drawn = Drawn(SUITE, Moody(), tmp_path)
    asked = drawn.asked()
    number = len(STACKS) // 4 * 2  # four wordings, two samples
    assert asked["status"].value_counts().to_dict() == {
        "failed": number,
        "missing": number,
        "blank": number,
        "ok": number,
    }
    assert "out of paint" in asked.loc[asked["status"] == "failed", "reason"].iloc[0]
    assert len(drawn("test").ids) == number
    with pytest.raises(BenchError, match="gave no picture"):
        Drawn(Prompted(lambda: [p for p in STACKS if "sitting on" in p.text]), Moody(), tmp_path)("test")


def test_seeds_are_of_prompt_and_sample_whatever_is_drawn_besides() -> None:
    seeds = {seed_of(one, sample, 0) for one in STACKS for sample in range(8)}
    assert len(seeds) == 8 * len(STACKS)
    assert seed_of(STACKS[0], 1, 0) == seed_of(STACKS[0], 1, 0) != seed_of(STACKS[0], 1, 5)


def test_a_limit_keeps_whole_meanings(tmp_path: Path) -> None:
    drawn = Drawn(SUITE, Planted(), tmp_path, limit=20)
    assert 0 < len(drawn.asked()) <= 20
    kept = {one.group for one in drawn.prompts}
    assert [one for one in STACKS if one.group in kept] == drawn.prompts


def test_known_pictures_need_no_generator_and_show_prompts_and_foils() -> None:
    records = SUITE(KNOWN)
    shown = references(STACKS)
    assert len(records.images) == len(shown) == len({one.group for one in STACKS}) + sum(one.foil >= 0 for one in shown)
    assert [one.foil + 1 for one in shown] == records.attributes["correct"].tolist()
    right = [
        captions[i] for captions, i in zip(records.attributes["captions"], records.attributes["correct"], strict=True)
    ]
    assert right == [one.shown.text for one in shown]
    with pytest.raises(BenchError, match="needs a generator"):
        SUITE("test")


def test_annotated_pictures_are_known_truth_too(tmp_path: Path) -> None:
    clock = next(one for one in prompts() if one.example == "pentagonal green clock")
    Image.new("RGB", (8, 8), "green").save(tmp_path / "clock.png")
    (tmp_path / "known.csv").write_text(f"file,id\nclock.png,{clock.id}\n")
    (task,) = compositional(meanings=1, annotated=str(tmp_path / "known.csv"))
    records = task.load(KNOWN)
    assert records.ids[-1] == f"{clock.id}@-1 annotated"
    assert records.images[len(records.ids) - 1].size == (8, 8)


class TestFolder:
    def manifest(self, folder: Path, text: str, name: str = "m.csv") -> Folder:
        (folder / name).write_text(text)
        return Folder(folder / name)

    def test_by_id_and_by_words_in_any_order(self, tmp_path: Path) -> None:
        one, other = STACKS[0], STACKS[1]
        for name in ("a", "b", "c"):
            Image.fromarray(np.random.default_rng(ord(name)).integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(
                tmp_path / f"{name}.png"
            )
        folder = self.manifest(
            tmp_path, f'file,prompt,id,sample\nb.png,"{one.text}",,\na.png,"{one.text}",,\nc.png,,{other.id},1\n'
        )
        assert folder.file(Request(one, 7, 0)) == tmp_path / "b.png"
        assert folder.file(Request(one, 7, 1)) == tmp_path / "a.png"
        assert folder.file(Request(other, 7, 0)) is None
        assert folder.file(Request(other, 7, 1)) == tmp_path / "c.png"
        lines = self.manifest(tmp_path, json.dumps({"file": "c.png", "id": other.id}) + "\n", "m.jsonl")
        assert lines.file(Request(other, 7, 0)) == tmp_path / "c.png"

    def test_missing_blank_and_broken_are_counted(self, tmp_path: Path) -> None:
        Image.new("RGB", (9, 9), "white").save(tmp_path / "blank.png")
        (tmp_path / "broken.png").write_bytes(b"\x89PNG no")
        ids = [one.id for one in STACKS[:3]]
        folder = self.manifest(tmp_path, f"file,id\nblank.png,{ids[0]}\nbroken.png,{ids[1]}\ngone.png,{ids[2]}\n")
        counts = Drawn(SUITE, folder, tmp_path / "store").asked()["status"].value_counts().to_dict()
        assert counts == {"blank": 1, "failed": 1, "missing": 2 * len(STACKS) - 2}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("file\na.png\n", "line 2 needs file, and id or prompt"),
            ("file,id,sample\na.png,x,0\nb.png,x,0\n", "is there twice"),
            ("file,id,sample\na.png,x,first\n", "must be a whole number 0, 1, 2"),
        ],
    )
    def test_a_bad_manifest_says_where(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(BenchError, match=message):
            self.manifest(tmp_path, text).file(Request(STACKS[0], 0))

    def test_no_manifest(self, tmp_path: Path) -> None:
        with pytest.raises(BenchError, match="Cannot read the manifest"):
            Folder(tmp_path / "none.csv").file(Request(STACKS[0], 0))
        with pytest.raises(BenchError, match="line 1 is no JSON"):
            self.manifest(tmp_path, "{", "m.jsonl").file(Request(STACKS[0], 0))

    def test_other_files_are_another_generator(self, tmp_path: Path) -> None:
        folder = self.manifest(tmp_path, "file,id\na.png,x\n")
        before = folder.card.identity
        Image.new("RGB", (9, 9), "white").save(tmp_path / "a.png")
        assert self.manifest(tmp_path, "file,id\na.png,x\n").card.identity != before


class TestDiffusers:
    def test_one_generator_a_picture(self) -> None:
        told: list[dict[str, object]] = []

        def pipeline(**given):  # type: ignore[no-untyped-def]
            told.append(given)
            return SimpleNamespace(
                images=[Image.new("RGB", (8, 8), (dice.initial_seed() % 256, 0, 0)) for dice in given["generator"]]
            )

        made = Diffusers("org/model", pipeline=pipeline, settings={"num_inference_steps": 2}).generate(
            ["a", "b"], [3, 5]
        )
        assert [one.getpixel((0, 0))[0] for one in made] == [3, 5]  # type: ignore[index]
        assert told[0]["prompt"] == ["a", "b"]
        assert told[0]["num_inference_steps"] == 2

    def test_too_many_pictures_are_refused_and_settings_are_identity(self) -> None:
        twice = Diffusers("m", pipeline=lambda **given: SimpleNamespace(images=[None] * 4))
        with pytest.raises(BenchError, match="4 pictures for 2 prompts"):
            twice.generate(["a", "b"], [0, 1])
        cards = {Diffusers("m", settings={"guidance_scale": scale}).card.identity for scale in (1.0, 7.5)}
        assert len(cards) == 2


def test_an_image_prompt_is_kept_as_the_upper_half_of_the_truth(tmp_path: Path) -> None:
    again = [one for one in prompts(meanings=1, categories=["sketch"]) if one.given is not None]
    top = upper_half(again[0], size=64, seed=5)
    whole = Renderer(64).draw([Request(again[0], 5)])[0]
    assert top is not None
    assert whole is not None
    assert np.array_equal(np.asarray(whole)[:32], np.asarray(top))
    given: list[tuple[int, int]] = []

    class GoesOn(Moody):
        def below(self, prompts, tops, seeds):  # type: ignore[no-untyped-def]
            given.extend(one.size for one in tops)
            return [self._one("x", seed) for seed in seeds]

    asked = Drawn(Prompted(lambda: again, samples=1), GoesOn(), tmp_path).asked()
    assert given == [(128, 64)] * len(again)
    assert (asked["status"] == "ok").all()


def test_only_prompts_take_a_generator(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="toys has pictures of its own"):
        bound([toy_task()], Planted(), folder=tmp_path)
    (task,) = bound([COMPOSITIONAL], Planted(half_right), folder=tmp_path)
    assert "half_right" in task.notes
