"""`bench-tasks new`: a working task from a folder of pictures, a table or a hub repository.

Classes are inferred from what is there. The file it writes is at most ten lines long and is meant to be edited.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError
from tasks.sources.content import is_hidden
from tasks.sources.folder import USUAL_SPLITS, pictures_by_class
from tasks.sources.table import read_table

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
IMAGE_COLUMNS = ("image", "path", "file", "file_name", "filename", "img")
LABEL_COLUMNS = ("label", "class", "category", "species", "target", "y")
SPLIT_COLUMNS = ("split", "part", "set")


class Draft(NamedTuple):
    """What was inferred: the reader's source text, class keys as the data has them, and pictures a split."""

    reader: str
    keys: list[str]
    splits: dict[str, int]
    origin: str


def draft(source: str) -> Draft:
    """Infer a task from a folder, a table, or the id of a hub repository (`owner/name`)."""
    path = Path(source).expanduser()
    if path.is_dir():
        return from_folder_of_pictures(path.resolve())
    if path.is_file() and path.suffix in TABLES:
        return from_a_table(path.resolve())
    if path.exists():
        raise BenchError(f"{source} is no folder and no table ({', '.join(TABLES)}).")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        return from_a_hub(source)
    raise BenchError(f"There is nothing at {source}. Give a folder with one folder a class, a table, or a hub id.")


def from_folder_of_pictures(path: Path) -> Draft:
    """`path/<class>/*`, or `path/<split>/<class>/*`."""
    inside = [one for one in sorted(path.iterdir()) if one.is_dir() and not is_hidden(one)]
    parts = {one.name: one for one in inside if one.name in USUAL_SPLITS} or {"test": path}
    keys: set[str] = set()
    counts = {}
    for name, folder in parts.items():
        files = pictures_by_class(folder)
        keys |= {file.relative_to(folder).parts[0] for file in files}
        counts[name] = len(files)
    return Draft(f"from_folder({str(path)!r}, classes=CLASSES)", sorted(keys), counts, path.name)


def from_a_table(path: Path) -> Draft:
    """A table with a picture column and a label column of a usual name."""
    table = read_table(path)
    image, label = (column(path, list(table.columns), usual) for usual in (IMAGE_COLUMNS, LABEL_COLUMNS))
    split = next((str(one) for one in table.columns if str(one).lower() in SPLIT_COLUMNS), None)
    counts = (
        {"test": len(table)}
        if split is None
        else {str(name): int(count) for name, count in table[split].value_counts().items()}
    )
    extra = f", split={split!r}" if split else ""
    reader = f"from_table({str(path)!r}, image={image!r}, label={label!r}{extra}, classes=CLASSES)"
    return Draft(reader, sorted({str(one) for one in table[label]}), counts, path.name)


def from_a_hub(repo: str) -> Draft:
    """A hub repository whose label column has class names."""
    from tasks.sources.hub import from_huggingface

    features, counts = from_huggingface(repo).describe()
    label = next(
        (name for name in features if name.lower() in LABEL_COLUMNS and hasattr(features[name], "names")), None
    )
    image = next((name for name in features if type(features[name]).__name__ == "Image"), None)
    if label is None or image is None:
        raise BenchError(
            f"{repo} has the columns {', '.join(features) or 'none'}; a picture column and a label column "
            "with class names were looked for. Write the task by hand with from_huggingface(...)."
        )
    source = f"from_huggingface({repo!r}, image={image!r}, label={label!r}, classes=CLASSES)"
    return Draft(source, list(features[label].names), counts, repo)


def write(name: str, found: Draft, folder: Path) -> Path:
    """Write the plugin and return its path.

    Raises:
        BenchError: a name that cannot be one, or a file that exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise BenchError(f"{name!r} cannot be the name of a task: use small letters, digits and _, a letter first.")
    path = folder / f"{name}.py"
    if path.exists():
        raise BenchError(f"{path} exists. Remove it, or choose another name.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(source_text(name, found), encoding="utf-8")
    return path


def source_text(name: str, found: Draft) -> str:
    """The plugin's text."""
    reader = found.reader.split("(", 1)[0]
    test = next(
        (one for one in ("test", "val", "validation", "valid") if one in found.splits), next(iter(found.splits))
    )
    scored = f", test={test!r}" if test != "test" else ""
    return (
        f'"""Task {name}, written by bench-tasks new. Edit the names: they are the words of the prompts."""\n'
        "from bench.task import Task\n"
        f"from tasks.sources import {reader}\n"
        "from tasks.text import named\n"
        f"CLASSES = named({spoken(found.keys)!r})\n"
        f"{name.upper()} = Task(\n"
        f'    name={name!r}, family="mine", load={found.reader}, classes=CLASSES,\n'
        '    templates=("a photo of a {}.", "a picture of a {}."),\n'
        f'    splits={found.splits!r}{scored}, licence="unknown", reference={found.origin!r},\n'
        ")\n"
    )


def spoken(keys: Sequence[str]) -> list[str]:
    """Class keys as words: `golden_retriever` -> 'golden retriever'; as they are if two would become one."""
    words = [" ".join(re.sub(r"[_\s]+", " ", key).split()) for key in keys]
    return words if len({word.lower() for word in words}) == len(keys) else list(keys)


def column(path: Path, columns: Sequence[object], usual: tuple[str, ...]) -> str:
    """The first of the usual names that is a column."""
    lower = {str(column).lower(): str(column) for column in columns}
    found = next((lower[name] for name in usual if name in lower), None)
    if found is None:
        raise BenchError(
            f"{path} has the columns {', '.join(map(str, columns))}; one of {', '.join(usual)} was looked "
            "for. Rename a column, or write the task by hand with from_table(...)."
        )
    return found
