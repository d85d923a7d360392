"""The tokenizer against open_clip's and transformers', on made-up and on real prompts."""

from __future__ import annotations

import gzip
import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model.clip.tokenizer import END, MERGES, START, TABLE, Tokenizer, clean, table

PIECES = (
    "a photo of a dog", "Café naïve’s", "&amp;lt;b&amp;gt;", "&eacute;", "😀👩🏽‍🚀", "ﬁsh'ſ's", "ΣΑΣ", "日本語テキスト",
    "schÃ¶n", "x" * 300, "1234 5/6", "\x1c\x85", "don't we're I'LL", "\u200b", "İstanbul", "!!!???...", "<b>hi</b>",
    "</w>", "ⅷ²", "\ufeff",
)  # fmt: skip
words = st.one_of(st.text(max_size=40), st.sampled_from(PIECES), st.text(st.characters(codec="ascii"), max_size=60))
prompts = st.lists(words, max_size=6).map(" ".join)


@lru_cache(maxsize=1)
def theirs() -> Any:
    return pytest.importorskip("open_clip.tokenizer").SimpleTokenizer()


@lru_cache(maxsize=1)
def hugging_face() -> Any:
    transformers = pytest.importorskip("transformers")
    merges = gzip.decompress(TABLE.read_bytes()).decode().split("\n")[1 : MERGES + 1]
    return transformers.CLIPTokenizer(vocab=table().ids, merges=[tuple(line.split()) for line in merges])


def hugging_face_ids(texts: list[str]) -> np.ndarray:
    rows = hugging_face()(texts, padding="max_length", truncation=True, max_length=77)["input_ids"]
    ids = np.array(rows)
    ids[np.cumsum(ids == 49407, axis=1) - (ids == 49407) > 0] = 0  # it pads with the end token
    return ids


def comparable(text: str) -> bool:
    """Text on which transformers agrees by design: clean, composed, no final sigma, no long s, no new letters."""
    if any(unicodedata.category(letter) == "Cn" for letter in text):
        return False  # letters newer than Python's tables: the two regex engines may disagree whether they are letters
    return clean(text) == text and unicodedata.is_normalized("NFC", text) and "ς" not in text and "ſ" not in text


def check_ids(text: str) -> None:
    for control in ("<start_of_text>", "<end_of_text>", START, END):
        text = text.replace(control, "")
    np.testing.assert_array_equal(Tokenizer()(text), theirs()(text).numpy())
    if comparable(cleaned := clean(text)):
        np.testing.assert_array_equal(Tokenizer()(cleaned), hugging_face_ids([cleaned]))


@pytest.mark.filterwarnings("ignore")
@given(prompts)
@settings(max_examples=1000, deadline=None, derandomize=True)
def test_ids_equal_on_made_up_texts(text: str) -> None:
    check_ids(text)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@given(prompts)
@settings(max_examples=10_000, deadline=None, derandomize=True)
def test_ids_equal_on_ten_thousand_made_up_texts(text: str) -> None:
    check_ids(text)


@pytest.mark.filterwarnings("ignore")
def test_ids_equal_on_five_thousand_real_prompts() -> None:
    metadata = pytest.importorskip("open_clip.zero_shot_metadata")
    names, templates = metadata.IMAGENET_CLASSNAMES, metadata.OPENAI_IMAGENET_TEMPLATES
    texts = [templates[(row // 1000 * 16 + row) % len(templates)](names[row % len(names)]) for row in range(5000)]
    assert len(set(texts)) > 4900
    ours = Tokenizer()(texts)
    np.testing.assert_array_equal(ours, theirs()(texts).numpy())
    np.testing.assert_array_equal(ours, hugging_face_ids(texts))


def test_known_ids() -> None:
    """Ids that OpenAI's own tokenizer gives (the first row stands in its README's example of use)."""
    rows = Tokenizer()(["a diagram", "a dog", "a cat"])
    assert rows[:, :5].tolist() == [
        [49406, 320, 22697, 49407, 0],
        [49406, 320, 1929, 49407, 0],
        [49406, 320, 2368, 49407, 0],
    ]
    assert rows.shape == (3, 77)
    assert rows.dtype == np.int64
    assert Tokenizer().vocab == 49408


def test_long_text_keeps_its_end_token() -> None:
    row = Tokenizer(context=8)("one two three four five six seven eight")[0]
    assert row[-1] == 49407
    assert (row[:-1] == Tokenizer()("one two three four five six seven eight")[0, :7]).all()
    with pytest.raises(BenchError, match="has 10 tokens with start and end, but the model reads 8"):
        Tokenizer(context=8, truncate=False)("one two three four five six seven eight")


def test_trimmed_drops_shared_padding_only() -> None:
    texts = ["a", "a dog on a mat", ""]
    tokenizer = Tokenizer()
    trimmed, whole = tokenizer.trimmed(texts), tokenizer(texts)
    assert trimmed.shape == (3, 7)
    np.testing.assert_array_equal(trimmed, whole[:, :7])
    assert not whole[:, 7:].any()


@given(st.text(st.characters(categories=("Ll", "Nd", "Zs")), max_size=40))
@settings(max_examples=200, deadline=None)
def test_decode_gives_the_cleaned_words_back(text: str) -> None:
    """Digits and words are tokens of their own, so only the spacing may differ. Longer texts would be cut."""
    assume(len(clean(text).encode()) <= 75)
    tokenizer = Tokenizer()
    assert tokenizer.decode(tokenizer(text)[0]).replace(" ", "") == clean(text).replace(" ", "")


def test_decode_reads_like_text() -> None:
    tokenizer = Tokenizer()
    assert tokenizer.decode(tokenizer("A Photo  of a 😀 dog &amp; cat")[0]) == "a photo of a 😀 dog & cat"


def test_cleaning() -> None:
    assert clean("  Tom &amp;amp; Jerry\n\t’s  schÃ¶n ") == "tom & jerry 's schön"


def test_control_tokens_as_openai_spells_them() -> None:
    assert Tokenizer().encode(f"a {START} b {END}") == [320, 49406, 321, 49407]


def test_empty_and_wrong_input() -> None:
    assert Tokenizer()([]).shape == (0, 77)
    assert Tokenizer()("")[0, :3].tolist() == [49406, 49407, 0]
    with pytest.raises(BenchError, match="must be a str, but int was given: 3"):
        Tokenizer()(["a", 3])  # type: ignore[list-item]
    with pytest.raises(BenchError, match="context=1 leaves no room"):
        Tokenizer(context=1)
