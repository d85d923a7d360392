"""A pinned hub copy is named by its commit and by the repository's own split: two splits never share stored vectors."""

from pathlib import Path

from tasks.sources import from_huggingface

COMMIT = "a" * 40


def fingerprint(**splits: str) -> str:
    reader = from_huggingface("somebody/something", revision=COMMIT, splits=splits)
    return reader._fingerprint([], Path("not/here"), "test")


def test_our_name_of_a_split_does_not_hide_the_repositorys() -> None:
    assert fingerprint(test="validation") != fingerprint(test="test")
    assert fingerprint() == fingerprint(test="test")
