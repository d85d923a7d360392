"""Texts that begin alike: a tree has each of them and no token twice, and the vectors are those of texts alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape
from bench.model.clip.tokenizer import padded
from bench.model.clip.tree import Row, Tree, cut, grown, reach

END = 63
SHAPE = ClipShape(24, 32, VitShape(64, 2, 8, 2, 256), TextShape(40, 64, 64, 2, 3, 256))


def prompts(classes: int, templates: int, *, seed: int = 0) -> list[Row]:
    """Templates of three to eight tokens before a name of one to three, and one token behind it."""
    random = np.random.default_rng(seed)
    begins = [tuple(random.integers(1, 60, random.integers(3, 9)).tolist()) for _ in range(templates)]
    names = [tuple(random.integers(1, 60, random.integers(1, 4)).tolist()) for _ in range(classes)]
    return [(62, *begin, *name, 61, END) for begin in begins for name in names]


def trees(texts: list[Row], knots: int) -> list[tuple[list[Row], Tree]]:
    """Each tree with its texts."""
    rows, start, found = sorted(set(texts)), 0, []
    while start < len(rows):
        end = reach(rows, start, knots)
        found.append((rows[start:end], grown(rows[start:end])))
        start = end
    return found


def read(tree: Tree, end: int) -> Row:
    """The text that a knot sees, in the order of its places."""
    seen = np.flatnonzero(tree.sees[end])
    assert sorted(tree.places[seen]) == list(range(len(seen)))
    return tuple(tree.tokens[seen[np.argsort(tree.places[seen])]].tolist())


def tensors(tree: Tree) -> list[torch.Tensor]:
    return [torch.from_numpy(part) for part in tree]


some = st.lists(st.lists(st.integers(0, 4), max_size=6).map(lambda ids: (62, *ids, END)), max_size=60)


@given(some, st.integers(1, 40))
def test_every_text_can_be_read_from_one_tree(texts: list[Row], knots: int) -> None:
    made = trees(texts, knots)
    assert [row for rows, _ in made for row in rows] == sorted(set(texts))
    for rows, tree in made:
        assert [read(tree, end) for end in tree.ends] == rows
        beginnings = {row[: i + 1] for row in rows for i in range(len(row))}
        assert len(tree.tokens) == len(beginnings) <= max(knots, len(rows[0]))
        assert {read(tree, knot) for knot in range(len(tree.tokens))} == beginnings


@given(some)
def test_a_tree_is_as_large_as_it_may_be(texts: list[Row]) -> None:
    made = trees(texts, 20)
    for (rows, _), (following, _) in pairwise(made):
        assert len(grown([*rows, following[0]]).tokens) > 20


def test_texts_are_cut_where_they_are_read() -> None:
    assert cut([62, 5, END]) == (62, 5, END)
    assert cut([62, 5, END, 7, END]) == (62, 5, END)


def test_what_many_begin_with_is_computed_once() -> None:
    texts = prompts(200, 20)
    assert sum(len(tree.tokens) for _, tree in trees(texts, 384)) < 0.6 * sum(map(len, set(texts)))


@pytest.mark.parametrize("knots", [1, 60, 10_000])
def test_vectors_are_those_of_texts_alone(knots: int) -> None:
    torch.manual_seed(0)
    model = Clip(SHAPE).eval()
    texts = [*prompts(24, 4), (62, 5, END), (62, END), (5, 5, END)]
    with torch.inference_mode():
        for rows, tree in trees(texts, knots):
            found = model.encode_tree(*tensors(tree))
            alone = torch.cat([model.encode_text(torch.tensor([row])) for row in rows])
            torch.testing.assert_close(found, alone, rtol=1e-4, atol=5e-6)


def test_an_end_token_inside_is_where_a_text_is_read() -> None:
    torch.manual_seed(0)
    model = Clip(SHAPE).eval()
    texts = [(62, 5, END, 7 + i % 9, i, END) for i in range(40)] + [(62, 5, END), (62, 6, END, END)]
    with torch.inference_mode():
        (rows, tree), = trees([cut(row) for row in texts], 100)  # fmt: skip
        assert rows == [(62, 5, END), (62, 6, END)]
        found = model.encode_tree(*tensors(tree))
        torch.testing.assert_close(found[0], model.encode_text(torch.tensor([texts[3]]))[0], rtol=1e-4, atol=5e-6)


def test_gradients_flow_as_of_rows() -> None:
    torch.manual_seed(0)
    model = Clip(SHAPE)
    rows = sorted(prompts(4, 1))
    tokens, tree = torch.from_numpy(padded(rows)), tensors(grown(rows))
    found = []
    for encode in (lambda: model.encode_text(tokens), lambda: model.encode_tree(*tree)):
        model.zero_grad()
        encode().square().sum().backward()
        found.append({name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, one in found[0].items():
        torch.testing.assert_close(one, found[1][name], rtol=0, atol=1e-5 * float(one.abs().max()), msg=name)
