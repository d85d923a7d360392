"""The grammar of prompts: deterministic, its slots in its sentences, its foils false in exactly one fact."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from bench.errors import BenchError
from bench.generator.compositions import is_held_out
from bench.generator.prompts import TIERS, Prompt, read
from bench.generator.vocabulary import NUMBERS
from bench.scoring.exact import Exact
from bench.task import digest
from tasks.cli import main
from tasks.compositional import CATEGORIES, EXAMPLES, WORLD, prompts
from tasks.compositional.words import Word
from tests.fixtures.generators import Encoded, encoded, facts_of, kind_of

EVERY = prompts()
GOLDEN = "0576cdb90a150ecef6bfb21326b4e081"
SAID_OTHERWISE = {"fused", "count", "view", "relation", "sense"}
"""Kinds whose value is a name for what the sentence says in words of its own."""


def named(prompt: Prompt) -> str:
    return prompt.id


def test_the_suite_is_pinned() -> None:
    """A changed prompt is a changed benchmark: if it is meant, say so in the changelog and write the hash anew."""
    assert digest(*(one.as_json() for one in EVERY)) == GOLDEN
    assert prompts() == EVERY
    assert [one.text for one in prompts(seed=1)] != [one.text for one in EVERY]


def test_every_category_has_every_tier_paraphrases_and_the_articles_examples() -> None:
    tiers = Counter((one.category, one.tier) for one in EVERY)
    assert {category for category, _ in tiers} == set(CATEGORIES)
    assert [(category, tier) for category in CATEGORIES for tier in TIERS if not tiers[category, tier]] == []
    groups: dict[str, set[str]] = {}
    for one in EVERY:
        groups.setdefault(one.group, set()).add(one.text)
    assert all(len(texts) >= 2 for group, texts in groups.items())
    assert len(EXAMPLES) == len(set(EXAMPLES)) >= 25
    shown = {one.example: one.text for one in EVERY if one.example}
    assert set(shown) == set(EXAMPLES)
    assert shown["avocado armchair"] == "an armchair in the shape of an avocado. an armchair imitating an avocado."
    assert (
        shown["hedgehog in four garments"] == "a hedgehog wearing a red hat, yellow gloves, blue shirt, and green pants"
    )
    assert shown["pentagonal green clock"] == "a pentagonal green clock. a green clock in the shape of a pentagon."


def test_ids_are_unique_and_no_field_is_empty() -> None:
    assert len({one.id for one in EVERY}) == len(EVERY)
    assert len({one.text for one in EVERY}) == len(EVERY)
    assert all(one.text == one.text.strip() and "{" not in one.text and "_" not in one.text for one in EVERY)
    assert all(one.slots and one.foils and one.rule and one.objects >= 1 and one.source for one in EVERY)


def test_articles_are_right() -> None:
    wrong = re.compile(r"\b(a [aeio]|an [bcdfgjklmnpqrstvwz])")
    every = [
        text
        for one in EVERY
        for text in (
            one.text,
            *(foil.text for foil in one.foils),
            *(says for slot in one.slots for says in slot.options.values()),
        )
    ]
    assert [text for text in set(every) if wrong.search(text) and "a one" not in text] == []


def test_slots_are_in_the_sentence() -> None:
    for one in EVERY:
        for slot in one.slots:
            assert slot.value in slot.options
            assert len(slot.options) >= 2 or slot.kind == "object"
            assert len(set(slot.options.values())) == len(slot.options), one.id
            if slot.kind not in SAID_OTHERWISE and one.category != "geography":
                words = {slot.value, Word(slot.value).many, Word(slot.value).adjective}
                noun = {"striped": "stripes", "dotted": "dots"}.get(slot.value, slot.value)
                assert any(word in one.text for word in (*words, noun)), (one.text, slot.name, slot.value)


def test_foils_differ_in_exactly_one_fact() -> None:
    for one in EVERY:
        texts = [one.text, *(foil.text for foil in one.foils)]
        assert len(set(texts)) == len(texts), one.id
        truth = {slot.name: slot for slot in one.slots}
        for foil in one.foils:
            changed = {name: value for name, value in foil.changes.items() if value != truth[name].value}
            assert changed == dict(foil.changes)
            if foil.kind.startswith("swap "):
                (a, new_a), (b, new_b) = changed.items()
                assert (new_a, new_b) == (truth[b].value, truth[a].value)
                assert truth[a].kind == truth[b].kind == foil.kind.removeprefix("swap ")
            else:
                ((name, value),) = changed.items()
                assert truth[name].kind == foil.kind
                assert value not in truth[name].right
            if foil.kind == "count":
                assert abs(NUMBERS.index(foil.changes["count"]) - NUMBERS.index(truth["count"].value)) == 1


def test_wordings_of_a_group_share_slots_but_not_words() -> None:
    groups: dict[str, list[Prompt]] = {}
    for one in EVERY:
        groups.setdefault(one.group, []).append(one)
    for own in groups.values():
        assert len({one.text for one in own}) == len(own)
        assert all(facts_of(one) == facts_of(own[0]) for one in own)


def test_scenes_hold_the_truth_and_foils_scenes_theirs() -> None:
    """By a reader that cannot err: the scene of a prompt has all of its facts, that of a foil not."""
    exact = Exact(Encoded())
    drawable = [one for one in EVERY if one.scene is not None and exact.reads(one, one.slots[0])]
    assert len(drawable) > 300
    for one in drawable:
        assert exact._one(one, encoded(one.scene)).all_right(one) == 1.0, one.id
        for foil in one.foils:
            assert exact._one(one, encoded(foil.scene)).all_right(one) == 0.0, (one.id, foil.text)


def test_the_bundled_generator_never_saw_what_is_asked() -> None:
    for one in EVERY:
        if one.scene is not None and one.scene.kind in ("pair", "few", "tall_stack", "full_outfit", "hybrid"):
            assert is_held_out(one.scene), one.id


def test_the_number_of_meanings_is_what_was_asked_for() -> None:
    for count in (1, 3):
        found = Counter(one.group.rsplit("/", 1)[0] for one in {p.group: p for p in prompts(meanings=count)}.values())
        for kind in ("counts/many", "position/pair", "stacks/stack of four"):
            assert found[kind] == WORLD * count
        assert found["attributes/cup"] == count
        assert found["attributes/clock"] == count + 1  # and the article's own


def test_json_lines_come_back(tmp_path, capsys) -> None:
    assert (
        main(["export", "compositional", "--out", str(tmp_path / "p.jsonl"), "--meanings", "1", "--category", "stacks"])
        == 0
    )
    assert "meanings" in capsys.readouterr().out
    lines = (tmp_path / "p.jsonl").read_text().splitlines()
    assert read(lines) == prompts(meanings=1, categories=["stacks"])
    assert main(["export", "cifar10"]) == 2
    assert "pictures, not prompts" in capsys.readouterr().err
    with pytest.raises(BenchError, match="Line 2 is not a prompt"):
        read([lines[0], '{"id": 1}'])


def test_unknown_names_are_refused() -> None:
    with pytest.raises(BenchError, match="stacks"):
        prompts(categories=["stack"])
    with pytest.raises(BenchError, match="tier"):
        prompts(tiers=["heavy"])


def test_pictures_of_a_kind_depend_on_the_seed_only() -> None:
    one = next(p for p in EVERY if p.category == "position" and p.scene is not None)
    build = kind_of(one).build
    first, again, other = (build(facts_of(one), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
