"""CLIP's byte-pair tokenizer: text to token ids, by the published merge table.

Sources: Sennrich et al. 2016 (arXiv 1508.07909) for byte-pair encoding, Radford et al. 2021 (arXiv 2103.00020),
section 2.4, for its use here. The table `bpe_simple_vocab_16e6.txt.gz` is OpenAI's (MIT licence, see `NOTICE`).

Ids equal those of OpenAI's and open_clip's tokenizers. transformers' CLIPTokenizer gives the same ids for text
that `clean` leaves as it is: it repairs no mojibake, straightens no quotes, expands no HTML entities, composes
characters (NFC) after the cleaning instead of before, lower-cases a final Greek sigma like any other, reads `'ſ` as no
`'s`, and may know letters of another Unicode version. Text that spells out a control token (`<|endoftext|>`) becomes
that token, as with OpenAI; open_clip spells it otherwise.
"""

import gzip
import html
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import ftfy
import numpy as np
import numpy.typing as npt
import regex

from bench.errors import BenchError

TABLE = Path(__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
MERGES = 49152 - 256 - 2  # the file holds more; the published vocabulary stops here

# IGNORECASE on lowered text still matters: it lets 's match the long s, as in the original.
WORDS = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)

Ids = npt.NDArray[np.int64]


class Table(NamedTuple):
    """The merge table, ready for use."""

    ids: dict[str, int]
    """Piece of a word to token id; a piece that ends a word carries `</w>`."""
    pieces: list[str]
    """Token id to piece."""
    ranks: dict[tuple[str, str], int]
    """Pair of pieces to its rank: the lowest is merged first."""
    letters: list[str]
    """Byte to the printable character that stands for it."""


def byte_letters() -> list[str]:
    """One printable character for each of the 256 bytes: itself where it prints, else one from 256 upwards."""
    spare = iter(range(256, 512))
    return [chr(byte) if _prints(byte) else chr(next(spare)) for byte in range(256)]


def _prints(byte: int) -> bool:
    return 0x21 <= byte <= 0x7E or (0xA1 <= byte <= 0xFF and byte != 0xAD)


@lru_cache(maxsize=1)
def table() -> Table:
    """The published table; read from the package on first use."""
    lines = gzip.decompress(TABLE.read_bytes()).decode("utf-8").split("\n")
    pairs = [_pair(line) for line in lines[1 : MERGES + 1]]  # the first line is a version note
    letters = byte_letters()
    single = sorted(letters, key=lambda letter: (ord(letter) > 255, ord(letter)))  # ids follow this order
    pieces = single + [letter + WORD_END for letter in single] + [a + b for a, b in pairs] + [START, END]
    ids = {piece: number for number, piece in enumerate(pieces)}
    return Table(ids, pieces, {pair: rank for rank, pair in enumerate(pairs)}, letters)


def _pair(line: str) -> tuple[str, str]:
    first, second = line.split()
    return first, second


def clean(text: str) -> str:
    """Mend the encoding, expand HTML entities (twice, as the original), squeeze white space, lower the case."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


def merge(pieces: list[str], ranks: dict[tuple[str, str], int]) -> list[str]:
    """Join the best-ranked pair, everywhere from the left, until no pair is in the table."""
    while len(pieces) > 1:
        pairs = set(pairwise(pieces))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        pieces = _join(pieces, best)
    return pieces


def _join(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    place, last = 0, len(pieces) - 1
    while place <= last:
        if place < last and (pieces[place], pieces[place + 1]) == pair:
            out.append(pair[0] + pair[1])
            place += 2
        else:
            out.append(pieces[place])
            place += 1
    return out


@lru_cache(maxsize=2**17)
def _word_ids(word: str) -> tuple[int, ...]:
    ids, _, ranks, letters = table()
    if word in (START, END):
        return (ids[word],)
    pieces = [letters[byte] for byte in word.encode("utf-8", "surrogatepass")]
    pieces[-1] += WORD_END
    return tuple(ids[piece] for piece in merge(pieces, ranks))


class Tokenizer:
    """Texts to rows of token ids: start, words, end, then zeros up to `context`.

    A text longer than `context` is cut and its last token replaced by the end token; with `truncate=False` it is
    an error instead.
    """

    def __init__(self, context: int = 77, *, truncate: bool = True) -> None:
        if context < 2:
            raise BenchError(f"context={context} leaves no room for the start and end tokens; give 2 or more.")
        self.context = context
        self.truncate = truncate

    @property
    def vocab(self) -> int:
        """Number of token ids: 49,408."""
        return len(table().pieces)

    def __call__(self, texts: str | Sequence[str]) -> Ids:
        """Token ids, int64 [n, context]."""
        return padded(self.rows(texts), self.context)

    def trimmed(self, texts: str | Sequence[str]) -> Ids:
        """As a call, without the columns that are padding in every row: int64 [n, longest]."""
        return padded(self.rows(texts))

    def rows(self, texts: str | Sequence[str]) -> list[list[int]]:
        """Token ids of each text with start and end, cut to `context`, without padding."""
        return [self._row(text) for text in ([texts] if isinstance(texts, str) else texts)]

    def encode(self, text: str) -> list[int]:
        """Ids of the cleaned text, without start and end, of any length."""
        return [number for word in WORDS.findall(clean(text)) for number in _word_ids(word)]

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The cleaned text of one row: control tokens and padding left out, a space after every word."""
        _, pieces, _, letters = table()
        start, end = len(pieces) - 2, len(pieces) - 1
        row = [int(number) for number in ids]
        row = row[: row.index(end)] if end in row else row
        bytes_of = {letter: byte for byte, letter in enumerate(letters)}
        spelled = "".join(pieces[number] for number in row if number != start)
        spans = spelled.split(WORD_END)
        words = [bytes(bytes_of[letter] for letter in span).decode("utf-8", "replace") for span in spans]
        return " ".join(words).strip()

    def _row(self, text: Any) -> list[int]:
        if not isinstance(text, str):
            raise BenchError(f"a text must be a str, but {type(text).__name__} was given: {text!r:.80}.")
        start, end = self.vocab - 2, self.vocab - 1
        row = [start, *self.encode(text), end]
        if len(row) <= self.context:
            return row
        if not self.truncate:
            raise BenchError(
                f"{text!r:.80} has {len(row)} tokens with start and end, but the model reads {self.context}. "
                "Shorten it, or allow truncate=True."
            )
        return [*row[: self.context - 1], end]


def padded(rows: Sequence[Sequence[int]], columns: int | None = None) -> Ids:
    """Rows of ids -> int64 [n, columns], as many columns as the longest row has unless given; zeros behind its end."""
    out = np.zeros((len(rows), columns or max(map(len, rows), default=2)), dtype=np.int64)
    for line, row in zip(out, rows, strict=True):
        line[: len(row)] = row
    return out
