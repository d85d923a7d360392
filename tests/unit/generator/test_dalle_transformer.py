"""The transformer: who sees whom by gradient, the published counts and size, and the weighted loss."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from bench.generator.dalle.masks import LayerKind, image_mask, layer_kinds, stream_mask
from bench.generator.dalle.transformer import DalleShape, Transformer
from tests.unit.generator.tiny import TINY, tiny_codes, tiny_transformer, tiny_words

KINDS: tuple[LayerKind, ...] = ("row", "column", "convolution")


class TestMasks:
    def test_published_order(self) -> None:
        kinds = layer_kinds(64)
        assert [kinds.count(kind) for kind in KINDS] == [47, 16, 1]
        assert kinds[-1] == "convolution"
        assert [number for number, kind in enumerate(kinds, start=1) if kind == "column"] == list(range(2, 63, 4))

    def test_row_sees_back_to_its_column_in_the_row_above(self) -> None:
        mask = image_mask("row", 32, 11)
        assert mask[40].nonzero().flatten().tolist() == list(range(8, 41))
        assert mask.sum(1).max() == 33

    def test_column_sees_its_own_column_upwards(self) -> None:
        assert image_mask("column", 32, 11)[70].nonzero().flatten().tolist() == [6, 38, 70]

    def test_convolution_is_the_causal_half_of_its_window(self) -> None:
        seen = image_mask("convolution", 32, 11)[10 * 32 + 16].nonzero().flatten()
        rows, columns = seen // 32, seen % 32
        assert len(seen) == 5 * 11 + 6
        assert (rows.min(), rows.max()) == (5, 10)
        assert (columns.min(), columns.max()) == (11, 21)
        assert seen.max() == 10 * 32 + 16

    def test_convolution_goes_on_in_the_neighbouring_row(self) -> None:
        seen = image_mask("convolution", 32, 11)[10 * 32].nonzero().flatten().tolist()
        assert 10 * 32 - 5 in seen  # five to the left of the first column: the end of the row above
        assert 10 * 32 - 6 not in seen

    @pytest.mark.parametrize("kind", KINDS)
    def test_text_is_causal_and_every_image_token_sees_all_text(self, kind: LayerKind) -> None:
        mask = stream_mask(kind, 5, 4, 3)
        assert mask.shape == (5 + 16, 5 + 16)
        assert torch.equal(mask[:6, :6], torch.ones(6, 6, dtype=torch.bool).tril())
        assert mask[6:, :6].all()
        assert not mask.triu(1).any()


class TestCausality:
    """What an output depends on, by gradient, through a model of one kind of layer."""

    @staticmethod
    def reach(kind: LayerKind, layers: int) -> torch.Tensor:
        """bool [position out, position in]: where the gradient is not zero."""
        model = tiny_transformer(replace(TINY, layers=layers))
        model.kinds = (kind,) * layers
        model.register_buffer(f"mask_{kind}", stream_mask(kind, TINY.text, TINY.side, TINY.kernel), persistent=False)
        x = (
            torch.randn(1, TINY.stream, TINY.width, generator=torch.Generator().manual_seed(3))
            .double()
            .requires_grad_()
        )
        model = model.double()
        out = model.stream(x)
        rows = []
        for place in range(TINY.stream):
            (gradient,) = torch.autograd.grad(out[0, place].square().sum(), x, retain_graph=True)
            rows.append(gradient[0].abs().sum(1) > 0)
        return torch.stack(rows)

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_layer_depends_on_exactly_its_mask(self, kind: LayerKind) -> None:
        assert torch.equal(self.reach(kind, 1), stream_mask(kind, TINY.text, TINY.side, TINY.kernel))

    @pytest.mark.parametrize("kind", KINDS)
    def test_no_output_depends_on_a_later_token(self, kind: LayerKind) -> None:
        reached = self.reach(kind, 3)
        assert not reached.triu(1).any()
        assert reached[TINY.text + 1 :, : TINY.text + 1].all()

    def test_changing_a_token_changes_only_what_comes_after(self) -> None:
        model, words, codes = tiny_transformer(), tiny_words(1), tiny_codes(1)
        before = model(words, codes)[1]
        for place in range(TINY.image):
            changed = codes.clone()
            changed[0, place] = (changed[0, place] + 1) % TINY.codes
            after = model(words, changed)[1]
            assert torch.equal(before[0, : place + 1], after[0, : place + 1])
            if place + 1 < TINY.image:
                assert not torch.equal(before[0, place + 1], after[0, place + 1])


def test_published_size() -> None:
    with torch.device("meta"):
        model = Transformer(DalleShape())
    width, layers = 3968, 64
    blocks = sum(p.numel() for p in model.blocks.parameters())
    assert blocks == layers * (12 * width**2 + 13 * width)
    assert round(layers * 12 * width**2 / 1e9, 2) == 12.09
    tables = 2 * (16384 + 8192) + 2 * 256 + 2 * 32 + 1
    assert sum(p.numel() for p in model.parameters()) == blocks + 2 * width + tables * width == 12_292_812_416
    assert DalleShape().stream == 1280


def test_pads_are_vectors_of_their_position() -> None:
    model, words = tiny_transformer(), tiny_words(3)
    vectors = model.prefix(words)
    for row, ids in enumerate(words):
        for place, word in enumerate(ids):
            wanted = model.pads[place] if word < 0 else model.words.weight[word] + model.places[place]
            assert torch.equal(vectors[row, 1 + place], wanted)


def test_image_vectors_have_row_and_column() -> None:
    model, codes = tiny_transformer(), tiny_codes(2)
    wanted = model.codes.weight[codes] + model.rows.repeat_interleave(4, 0) + model.columns.repeat(4, 1)
    assert torch.allclose(model.image_vectors(codes), wanted)
    assert torch.equal(model.image_vectors(codes[:, 5:7], 5), model.image_vectors(codes)[:, 5:7])


def test_loss_is_an_eighth_text_and_seven_eighths_image() -> None:
    model, words, codes = tiny_transformer(), tiny_words(3), tiny_codes(3)
    of_words, of_codes = model(words, codes)
    text = torch.stack([-F.log_softmax(of_words[n, t], 0)[words[n, t]] for n, t in (words >= 0).nonzero()]).mean()
    image = torch.stack([-F.log_softmax(of_codes[n, i], 0)[codes[n, i]] for n in range(3) for i in range(16)]).mean()
    loss = model.loss(words, codes)
    assert torch.allclose(torch.stack(loss), torch.stack([text / 8 + image * 7 / 8, text, image]), atol=1e-5)
