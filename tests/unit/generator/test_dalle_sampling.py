"""Sampling, completion, reranking: the cache changes nothing, seeds belong to pictures, known tokens stay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.generator.dalle.completion import Rectangle, complete
from bench.generator.dalle.rerank import best
from bench.generator.dalle.sampling import Sampling, draw_codes
from bench.generator.dalle.transformer import Cache
from tests.unit.generator.tiny import TINY, tiny_codes, tiny_transformer, tiny_words


def test_cached_logits_equal_uncached() -> None:
    model, words, codes = tiny_transformer(), tiny_words(3), tiny_codes(3)
    wanted = model(words, codes)[1]
    with torch.no_grad():
        cache = Cache(model.shape, 3, model.start)
        found = [model.stream(model.prefix(words), cache)[:, -1:]]
        for place in range(TINY.image - 1):
            found.append(model.stream(model.image_vectors(codes[:, place : place + 1], place), cache))
        assert (model.to_codes(torch.cat(found, dim=1)) - wanted).abs().max() < 1e-5


@pytest.mark.parametrize("how", [Sampling(), Sampling(0.7, top_k=4), Sampling(top_p=0.8), Sampling(0)])
def test_cached_samples_equal_uncached(how: Sampling) -> None:
    model, words = tiny_transformer(), tiny_words(4)
    with_cache = draw_codes(model, words, [3, 4, 5, 6], how)
    without = draw_codes(model, words, [3, 4, 5, 6], how, cached=False)
    assert torch.equal(with_cache.codes, without.codes)
    assert (with_cache.log_likelihood - without.log_likelihood).abs().max() < 1e-5


def test_likelihood_is_the_models() -> None:
    model, words = tiny_transformer(), tiny_words(2)
    drawn = draw_codes(model, words, [1, 2], Sampling(top_k=3))
    wanted = torch.log_softmax(model(words, drawn.codes)[1], -1).gather(2, drawn.codes[:, :, None])[:, :, 0]
    assert torch.allclose(drawn.log_likelihood, wanted, atol=1e-5)


def test_a_picture_depends_on_its_seed_and_not_on_its_batch() -> None:
    model, words = tiny_transformer(), tiny_words(3)
    together = draw_codes(model, words, [7, 8, 7], Sampling()).codes
    alone = [draw_codes(model, words[n : n + 1], [seed], Sampling()).codes for n, seed in enumerate([7, 8, 7])]
    assert torch.equal(together, torch.cat(alone))
    same = words[:1].expand(2, -1)
    assert not torch.equal(*draw_codes(model, same, [1, 2], Sampling()).codes)


def test_sampled_frequencies_are_the_models_probabilities() -> None:
    model, words = tiny_transformer(), tiny_words(1)
    wanted = torch.softmax(model(words, tiny_codes(1))[1][0, 0], 0).detach().numpy()
    many = draw_codes(model, words.expand(4000, -1), range(4000), Sampling()).codes[:, 0]
    found = np.bincount(many.numpy(), minlength=TINY.codes) / 4000
    assert np.abs(found - wanted).max() < 4 * np.sqrt(0.25 / 4000)


def test_cuts_keep_what_they_say() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.1, 0.25, 0.15]]))
    assert torch.allclose(Sampling(top_k=2).probabilities(logits), torch.tensor([[2 / 3, 0, 1 / 3, 0]]).double())
    # 0.5 + 0.25 falls short of 0.8, so the third is needed as well
    assert (Sampling(top_p=0.8).probabilities(logits) > 0).tolist() == [[True, False, True, True]]
    assert (Sampling(top_p=0.5).probabilities(logits) > 0).tolist() == [[True, False, False, False]]
    sharper = Sampling(0.5).probabilities(logits)
    assert torch.allclose(sharper, (logits * 2).softmax(-1).double(), atol=1e-6)


@pytest.mark.parametrize("how", [Sampling(-1), Sampling(top_k=0), Sampling(top_p=0), Sampling(top_p=1.5)])
def test_senseless_settings_are_refused(how: Sampling) -> None:
    with pytest.raises(BenchError, match="give"):
        how.check()


def test_seeds_and_captions_must_agree() -> None:
    with pytest.raises(BenchError, match="one seed a picture"):
        draw_codes(tiny_transformer(), tiny_words(2), [1], Sampling())


class TestCompletion:
    @pytest.mark.parametrize(
        ("rectangle", "native"),
        [(Rectangle(2, 0, 4, 4), True), (Rectangle(1, 2, 4, 4), True), (Rectangle(1, 1, 3, 3), False)],
    )
    def test_known_tokens_stay_and_it_says_whether_it_was_native(self, rectangle: Rectangle, native: bool) -> None:
        model, words, codes = tiny_transformer(), tiny_words(8), tiny_codes(8).view(8, 4, 4)
        done = complete(model, words, codes, rectangle, range(8), Sampling())
        unknown = rectangle.unknown(4)
        assert torch.equal(done.codes[:, ~unknown], codes[:, ~unknown])
        assert not torch.equal(done.codes[:, unknown], codes[:, unknown])
        assert done.native is native
        wanted = torch.log_softmax(model(words, done.codes.flatten(1))[1], -1)
        wanted = wanted.gather(2, done.codes.flatten(1)[:, :, None]).sum((1, 2))
        assert torch.allclose(done.log_likelihood, wanted, atol=1e-4)

    def test_what_is_drawn_depends_on_the_known_tokens(self) -> None:
        model, words, codes = tiny_transformer(), tiny_words(16), tiny_codes(16).view(16, 4, 4)
        changed = codes.clone()
        changed[:, :2] = (changed[:, :2] + 5) % TINY.codes
        lower = Rectangle(2, 0, 4, 4)
        found = [complete(model, words, one, lower, range(16), Sampling()).codes[:, 2:] for one in (codes, changed)]
        assert not torch.equal(*found)

    @pytest.mark.parametrize("rectangle", [Rectangle(2, 0, 2, 4), Rectangle(0, 0, 5, 4), Rectangle(-1, 0, 2, 2)])
    def test_rectangles_beyond_the_grid_are_refused(self, rectangle: Rectangle) -> None:
        with pytest.raises(BenchError, match="no rectangle of the grid"):
            rectangle.unknown(4)


class TestReranking:
    def test_best_first(self) -> None:
        class Fixed:
            def encode_images(self, images: object) -> np.ndarray:
                return np.array([[0.1], [0.9], [0.5], [0.9]])

            def encode_texts(self, texts: object) -> np.ndarray:
                return np.array([[1.0]])

        assert best(Fixed(), "a", [None] * 4, keep=3) == [1, 3, 2]  # type: ignore[list-item]
        with pytest.raises(BenchError, match="keep=5"):
            best(Fixed(), "a", [None] * 4, keep=5)  # type: ignore[list-item]
