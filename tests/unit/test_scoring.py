"""Scorers and what is made of their readings, against planted generators and planted models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.drawing import Drawn, Prompted
from bench.generator.prompts import Prompt
from bench.generator.scenes import Scene, Thing, draw
from bench.generator.verdicts import is_right, verdict
from bench.scoring import Material, Reading, UnavailableError, bindings, wordings
from bench.scoring.clip import ClipReader, wins
from bench.scoring.exact import Exact
from bench.scoring.judged import Judged, judge
from bench.scoring.ocr import Ocr
from bench.scoring.vqa import TransformersAnswerer, Vqa
from tasks.compositional import prompts
from tests.fixtures.generators import (
    Encoded,
    Planted,
    SentenceEncoder,
    colour_blind,
    encoded,
    facts_of,
    half_right,
    kind_of,
    order_blind,
    perfect,
    text_blind,
    without_colours,
)

WORLD = [one for one in prompts(meanings=2) if one.scene is not None and one.category != "context"]


def judged(facts: Callable, folder: Path, samples: int = 2) -> Judged:  # type: ignore[type-arg]
    drawn = Drawn(Prompted(lambda: WORLD, samples=samples), Planted(facts), folder)
    asked = drawn.asked()
    there = np.flatnonzero(asked["status"] == "ok").tolist()
    material = Material(
        [WORLD[asked["prompt_index"][i]] for i in there], [Image.open(asked["path"][i]) for i in there], np.zeros
    )  # type: ignore[arg-type]
    return judge([Exact(Encoded())], WORLD, asked, there, material)


def expected(facts: Callable, kinds: set[str]) -> pd.DataFrame:  # type: ignore[type-arg]
    """Credit of every slot by the planted facts alone."""
    return pd.DataFrame(
        {
            "id": f"{one.id}#{sample}",
            "slot": slot.name,
            "kind": slot.kind,
            "credit": float(facts(one, sample)[slot.name] == slot.value),
        }
        for one in WORLD
        for sample in range(2)
        for slot in one.slots
        if slot.kind in kinds
    )


class TestPlantedGenerators:
    def test_perfect(self, tmp_path: Path) -> None:
        found = judged(perfect, tmp_path)
        assert (found.pictures["credit"] == 1).all()
        assert (found.slots["credit"] == 1).all()
        assert len(found.pictures) == 2 * len(WORLD)

    def test_half_right(self, tmp_path: Path) -> None:
        found = judged(half_right, tmp_path)
        assert found.pictures["credit"].mean() == 0.5
        assert found.slots["credit"].mean() == 0.5
        assert (found.pictures["status"] == "missing").mean() == 0.5
        by_sample = found.pictures.groupby("sample")["credit"].mean()
        assert by_sample.tolist() == [1.0, 0.0]

    def test_colour_blind(self, tmp_path: Path) -> None:
        """Right in colour exactly where red was asked for, right in all else; all right where only red was."""
        found = judged(colour_blind, tmp_path)
        colours = found.slots["kind"].isin(["colour", "order"])
        assert (found.slots["credit"][colours] == (found.slots["asked"][colours] == "red")).all()
        assert (found.slots["credit"][~colours] == 1).all()
        only_red = {
            one.id: all(slot.value == "red" for slot in one.slots if slot.kind in ("colour", "order")) for one in WORLD
        }
        assert (found.pictures["credit"] == found.pictures["prompt"].map(only_red)).all()

    def test_order_blind(self, tmp_path: Path) -> None:
        """Nothing but stacks and relations suffers, and those exactly by how often the fixed answer is right."""
        found = judged(order_blind, tmp_path)
        kinds = {"order", "relation"}
        hurt = found.slots["kind"].isin(kinds)
        wanted = expected(order_blind, kinds).set_index(["id", "slot"])["credit"]
        got = found.slots[hurt].set_index(["id", "slot"])["credit"]
        pd.testing.assert_series_equal(got.sort_index(), wanted.sort_index())
        assert 0 < got.mean() < 1
        assert (found.slots["credit"][~hurt] == 1).all()

    def test_text_blind(self, tmp_path: Path) -> None:
        """Always the first option: exactly the share of prompts that ask for it, slot by slot of single things."""
        found = judged(text_blind, tmp_path)
        own = found.slots[found.slots["category"].isin(["attributes", "texture", "bindings", "counts"])]
        first = {
            (f"{one.id}#{sample}", slot.name): float(slot.value == next(iter(slot.options)))
            for one in WORLD
            for sample in range(2)
            for slot in one.slots
        }
        assert [first[key] for key in zip(own["id"], own["slot"], strict=True)] == own["credit"].tolist()
        single = found.pictures[found.pictures["category"] == "attributes"]
        asked = {one.id: all(slot.value == next(iter(slot.options)) for slot in one.slots) for one in WORLD}
        assert (single["credit"] == single["prompt"].map(asked)).all()


class TestExactReader:
    def one(self, category: str, **wanted: str) -> Prompt:
        return next(p for p in WORLD if p.category == category and all(p.slot(k).value == v for k, v in wanted.items()))

    def read(self, prompt: Prompt, things: list[Thing]) -> Reading:
        return Exact(Encoded())._one(prompt, encoded(Scene("x", tuple(things))))

    def test_two_equally_good_assignments_share(self) -> None:
        prompt = next(p for p in WORLD if p.scene is not None and p.scene.kind == "two")
        a, b = (prompt.slot(f"{which}.shape").value for which in ("first", "second"))
        reading = self.read(prompt, [Thing("ring" if "ring" not in (a, b) else "cross", "grey", 0.2, 0.5)])
        assert reading.all_right(prompt) == 0
        twins = self.read(
            prompt, [Thing(a, prompt.slot("first.colour").value), Thing(a, prompt.slot("second.colour").value, 0.8)]
        )
        assert twins.credit(prompt.slot("first.colour")) == 1
        assert twins.credit(prompt.slot("second.shape")) == 0

    def test_bindings_exchanged(self) -> None:
        prompt = next(p for p in WORLD if p.scene is not None and p.scene.kind == "pair")
        first, second = prompt.scene.things  # type: ignore[union-attr]
        swapped = [
            Thing(first.shape, second.colour, first.x, first.y),
            Thing(second.shape, first.colour, second.x, second.y),
        ]
        reading = self.read(prompt, swapped)
        assert [reading.credit(prompt.slot(name)) for name in ("first.shape", "second.shape", "relation")] == [1, 1, 1]
        assert [reading.credit(prompt.slot(name)) for name in ("first.colour", "second.colour")] == [0, 0]

    def test_more_than_was_asked_for_is_not_all_right(self) -> None:
        prompt = next(p for p in WORLD if p.scene is not None and p.scene.kind == "single")
        it = prompt.scene.things[0]  # type: ignore[union-attr]
        reading = self.read(prompt, [it, Thing(it.shape, it.colour, 0.1, 0.1, 0.05)])
        assert reading.credit(prompt.slot("shape")) == 1
        assert reading.all_right(prompt) == 0
        assert self.read(prompt, []).all_right(prompt) == 0

    def test_agrees_with_the_verdicts_of_the_generators_own_card(self) -> None:
        """Two implementations over one reader: on true pictures, and on those of foils under the prompt."""
        chosen = [p for p in WORLD if p.scene.kind not in ("two", "again", "hybrid")][::7]  # type: ignore[union-attr]
        for place, prompt in enumerate(chosen):
            for scene in (prompt.scene, prompt.foils[0].scene):
                assert scene is not None
                picture = draw(scene, size=64, seed=place)
                ours = Exact()._one(prompt, picture).all_right(prompt)
                assert ours == is_right(verdict(prompt.scene, picture)), (prompt.id, scene)  # type: ignore[arg-type]


class TestClip:
    def setup_method(self) -> None:
        self.prompts = [one for one in WORLD if one.category in ("attributes", "counts")][:40]
        self.pictures = [encoded(one.scene, one.text) for one in self.prompts]  # type: ignore[arg-type]

    def wins_of(self, encoder: SentenceEncoder) -> pd.DataFrame:
        found = wins(self.prompts, encoder.encode_images(self.pictures), encoder.encode_texts)
        return pd.DataFrame(
            {"kind": self.prompts[one.picture].foils[one.foil].kind, "credit": one.credit} for one in found
        )

    def test_a_model_that_knows_wins_all_and_one_that_is_blind_ties(self) -> None:
        assert (self.wins_of(SentenceEncoder())["credit"] == 1).all()
        assert (self.wins_of(SentenceEncoder(blind=lambda text: ""))["credit"] == 0.5).all()

    def test_a_colour_blind_model_ties_on_colours_only(self) -> None:
        found = self.wins_of(SentenceEncoder(blind=without_colours)).groupby("kind")["credit"].agg(["min", "max"])
        assert found.loc["colour"].tolist() == [0.5, 0.5]
        assert found.drop(index="colour").to_numpy().tolist() == [[1, 1]] * (len(found) - 1)

    def test_slots_read_by_statements_share_what_cannot_be_told_apart(self) -> None:
        first = [one for one in self.prompts if one.id.endswith("/1")]  # statements are the plainest wording
        material = Material(
            first, [], lambda: SentenceEncoder(without_colours).encode_texts([one.text for one in first])
        )
        readings = ClipReader(SentenceEncoder(without_colours).encode_texts, "m").read(material)
        for prompt, reading in zip(first, readings, strict=True):
            for slot in prompt.slots:
                assert reading.credit(slot) == (1 / 8 if slot.kind == "colour" else 1)
            assert reading.all_right(prompt) == 1 / 8

    def test_on_a_picture_of_a_foil_the_foil_must_win(self) -> None:
        one = self.prompts[0]
        vectors = SentenceEncoder().encode_texts([one.text, one.foils[1].text])
        found = list(wins([one, one], vectors, SentenceEncoder().encode_texts, shown=[-1, 1]))
        assert [(win.picture, win.foil, win.credit) for win in found][-1] == (1, 1, 1.0)
        wrong = list(wins([one], vectors[:1], SentenceEncoder().encode_texts, shown=[1]))
        assert wrong[0].credit == 0


class TestOtherReaders:
    def test_ocr_reads_whole_words(self) -> None:
        front = next(one for one in prompts() if one.example == "store front 'openai'")
        said = iter(["  OpenAI!\n", "open air", "coffee", ""])
        material = Material([front] * 4, [Image.new("RGB", (4, 4))] * 4, np.zeros)  # type: ignore[arg-type]
        readings = Ocr(look=lambda picture: next(said)).read(material)
        assert [reading.credit(front.slot("word")) for reading in readings] == [1, 0, 0, 0]
        assert [next(iter(reading.slots["word"])) for reading in readings] == ["openai", "open", "coffee", ""]

    def test_vqa_chooses_among_the_options(self) -> None:
        front = next(one for one in WORLD if one.category == "attributes")

        class Fixed:
            identity = "planted"

            def answer(self, picture, question, options):  # type: ignore[no-untyped-def]
                return np.array([one == "red" for one in options], dtype=float)

        reading = Vqa(Fixed()).read(Material([front], [Image.new("RGB", (4, 4))], np.zeros))[0]  # type: ignore[arg-type]
        assert reading.slots["colour"] == {"red": 1.0}
        assert reading.slots["shape"] == {"": 1.0}  # nothing to say is not a guess

    def test_the_adapter_takes_probabilities_of_the_models_own_answers(self) -> None:
        import torch

        labels = {0: "Red", 1: "blue", 2: "cat"}
        model = lambda **given: SimpleNamespace(logits=torch.tensor([[2.0, 1.0, 5.0]]))
        holder = type("Model", (), {"__call__": staticmethod(model), "config": SimpleNamespace(id2label=labels)})()
        answerer = TransformersAnswerer("x", holder, lambda picture, question, return_tensors: {"asked": question})
        scores = answerer.answer(Image.new("RGB", (4, 4)), "What colour?", ["red", "green", "blue"])
        assert scores[1] == 0
        assert scores[0] / scores[2] == pytest.approx(np.e)

    def test_a_model_that_is_not_there_is_unavailable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "transformers", None)  # as if the library were not installed
        with pytest.raises(UnavailableError, match="cannot be loaded"):
            TransformersAnswerer(str(tmp_path / "none")).answer(Image.new("RGB", (4, 4)), "?", ["a"])


class TestWordingsAndBindings:
    def test_fragile_and_firm(self) -> None:
        def pictures(credits: dict[str, list[float]]) -> pd.DataFrame:
            return pd.DataFrame(
                [
                    {"category": "c", "meaning": "m", "prompt": prompt, "credit": value}
                    for prompt, values in credits.items()
                    for value in values
                ]
            )

        fragile = wordings.consistency(pictures({"a": [1, 1], "b": [0, 0]})).set_index("what")["value"]
        assert fragile.to_dict() == {"across": 0, "always": 0, "within": 1}
        firm = wordings.consistency(pictures({"a": [1, 1], "b": [1, 1]})).set_index("what")["value"]
        assert firm.to_dict() == {"across": 1, "always": 1, "within": 1}
        chance = wordings.consistency(pictures({"a": [1, 0], "b": [0, 1]})).set_index("what")["value"]
        assert chance.to_dict() == {"across": 0.5, "always": 0.25, "within": 0}

    def test_whose_colour_is_it(self, tmp_path: Path) -> None:
        def rotated(prompt: Prompt, number: int) -> dict[str, str]:
            facts = facts_of(prompt)
            if prompt.category != "bindings":
                return facts
            return dict(zip(facts, [*list(facts.values())[1:], next(iter(facts.values()))], strict=True))

        found = bindings.whose(judged(rotated, tmp_path).slots)
        own = found[(found["category"] == "bindings")].set_index("whose")["value"]
        assert own.to_dict() == {"another's": 1.0}
        others = found[found["category"] == "position"]
        assert set(others["whose"]) == {"own"}

    def test_confusion_sums_to_the_slots(self, tmp_path: Path) -> None:
        slots = judged(colour_blind, tmp_path).slots
        found = bindings.confusion(slots)
        assert found["count"].sum() == pytest.approx(len(slots))
        colours = found[found["kind"] == "colour"]
        assert set(colours["read"]) == {"red"}


def test_planted_kinds_are_all_read() -> None:
    assert {kind_of(one).name for one in WORLD} >= {"pair", "many", "hybrid", "again", "figure in four"}
