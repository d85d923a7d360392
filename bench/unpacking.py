"""Decompression bombs, refused before they fill the memory: data that would unpack to far more than real data does.

Deflate can reach a factor of 1,030. The pictures of MNIST unpack to 5 times their size, its labels to 2, vectors to
hardly more than 1; only dSprites, white shapes on black, reaches 117, and is streamed.
"""

from __future__ import annotations

FACTOR, HARMLESS = 100, 1 << 28
"""Data may unpack to so many times its size; and to a quarter of a GiB in any case."""


def check_unpacked(packed: int, unpacked: int) -> None:
    """ValueError if `packed` bytes claim to hold `unpacked` ones and that cannot be meant."""
    if unpacked > max(HARMLESS, FACTOR * packed):
        many = f"{unpacked:,}" if unpacked < 1 << 60 else "more than there is room for"
        raise ValueError(
            f"its {packed:,} bytes would unpack to {many}, more than {FACTOR} times as many: a decompression bomb"
        )
