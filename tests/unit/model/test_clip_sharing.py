"""Texts that begin alike: each is in one batch, and the vectors are those of texts encoded one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape
from bench.model.clip.sharing import FEW, Batch, Row, batches
from bench.model.clip.tokenizer import padded

END = 63
SHAPE = ClipShape(24, 32, VitShape(64, 2, 8, 2, 256), TextShape(40, 64, 64, 2, 3, 256))


def computed(made: list[Batch]) -> int:
    """Tokens that go through the tower."""
    return sum(one.shared + len(one.rows) * (max(map(len, one.rows)) - one.shared) for one in made)


def prompts(classes: int, templates: int, *, seed: int = 0) -> list[Row]:
    """Templates of three to eight tokens before a name of one to three, and one token behind it."""
    random = np.random.default_rng(seed)
    begins = [tuple(random.integers(1, 60, random.integers(3, 9)).tolist()) for _ in range(templates)]
    names = [tuple(random.integers(1, 60, random.integers(1, 4)).tolist()) for _ in range(classes)]
    return [(62, *begin, *name, 61, END) for begin in begins for name in names]


rows = st.lists(st.lists(st.integers(0, 4), max_size=6).map(lambda ids: (62, *ids, END)), max_size=60)


@given(rows, st.integers(1, 9))
def test_every_text_is_in_one_batch_and_begins_as_promised(texts: list[Row], size: int) -> None:
    made = list(batches(texts, size=size))
    assert sorted(row for one in made for row in one.rows) == sorted(set(texts))
    for one in made:
        assert 0 < len(one.rows) <= size
        assert len({row[: one.shared] for row in one.rows}) == 1
        assert all(one.shared <= row.index(END) for row in one.rows)


def test_the_batches_do_not_depend_on_the_order() -> None:
    texts = prompts(50, 5)
    shuffled = [texts[i] for i in np.random.default_rng(1).permutation(len(texts))]
    assert list(batches(shuffled, size=64)) == list(batches(texts, size=64))


def test_what_many_begin_with_is_computed_once() -> None:
    texts = prompts(200, 20)
    plain = sum(map(len, set(texts)))
    assert computed(list(batches(texts, size=256))) < 0.6 * plain
    assert computed([Batch(sorted(set(texts)), 0)]) > 1.2 * plain


def test_a_single_text_and_none() -> None:
    assert list(batches([], size=4)) == []
    assert list(batches([(62, 3, END)], size=4)) == [Batch([(62, 3, END)], 0)]


@pytest.mark.parametrize("inside", [False, True])
def test_vectors_are_those_of_texts_alone(inside: bool) -> None:
    """`inside`: some have an end token in their middle, which is where they are read."""
    torch.manual_seed(0)
    model = Clip(SHAPE).eval()
    texts = prompts(FEW + 8, 4)
    if inside:
        texts += [(62, 5, END, 7 + i % 9, i, END) for i in range(40)] + [(62, 5, END)]
    made = list(batches(texts, size=32))
    assert any(one.shared > 2 for one in made)
    with torch.inference_mode():
        for one in made:
            found = model.encode_text(torch.from_numpy(padded(one.rows)), shared=one.shared)
            alone = torch.cat([model.encode_text(torch.tensor([row])) for row in one.rows])
            torch.testing.assert_close(found, alone, rtol=1e-4, atol=5e-6)


def test_gradients_flow_as_without_sharing() -> None:
    torch.manual_seed(0)
    model = Clip(SHAPE)
    tokens = torch.from_numpy(padded(prompts(4, 1)))
    found = []
    for shared in (0, 3):
        model.zero_grad()
        model.encode_text(tokens, shared=shared).square().sum().backward()
        found.append({name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, one in found[0].items():
        torch.testing.assert_close(one, found[1][name], rtol=0, atol=1e-5 * float(one.abs().max()), msg=name)
