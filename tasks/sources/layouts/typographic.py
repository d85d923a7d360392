"""RTA-100 (Azuma, Matsui 2023, arXiv 2304.04512): photographs of objects with a wrong word stuck on them.

The file name says both: `rta100/label=dog_text=cat.png` is a dog with a note that says "cat".
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import BenchError
from bench.task import Records
from tasks.sources.content import is_picture
from tasks.sources.layouts.captions import captioned

NAME = re.compile(r"label=(?P<label>[^_=]+)_text=(?P<text>[^_=]+)")


def rta100(root: Path, split: str) -> Records:
    """Two captions a picture: what it shows (the first, right) and what is written on it."""
    base = root / "rta100"
    names = sorted(one.relative_to(base).as_posix() for one in base.rglob("*") if is_picture(one))
    parsed = [NAME.match(Path(name).stem) for name in names]
    if odd := [name for name, found in zip(names, parsed, strict=True) if found is None]:
        raise BenchError(
            f"{base}: {len(odd)} of {len(names)} file names are not like label=dog_text=cat.png, first {odd[0]!r}."
        )
    return captioned(base, names, [[found["label"], found["text"]] for found in parsed if found is not None])
