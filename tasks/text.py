"""Class names and prompt templates, kept as text files with one item a line under `tasks/data/`.

Class names, `classnames/<set>.txt`: `key<TAB>name | synonym | synonym`, or only `name` where the key in the data is
the name itself. Templates, `templates/<set>.txt`: one template a line with one `{}` for the name. Blank lines and
lines that begin with `#` are skipped. Another language lies beside the English file: `classnames/<set>.zh.txt`.
Label sets of audits, `labelsets/<set>.txt`: `label<TAB>category`.
`data/NOTICE.md` says where each list comes from and under which licence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bench.audit.label_sets import LabelSet, read
from bench.errors import BenchError, unknown
from bench.task import ClassName

DATA = Path(__file__).parent / "data"
SEPARATOR = " | "


def classes(name: str, *, language: str = "en", folder: Path = DATA) -> tuple[ClassName, ...]:
    """The classes of `classnames/<name>.txt`, in file order. The order carries no meaning for the labels.

    Raises:
        BenchError: no such file, an empty name, or two classes with one key.
    """
    return _classes(_find(folder / "classnames", name, language))


@cache
def _classes(path: Path) -> tuple[ClassName, ...]:
    found = tuple(_class_name(line, f"{path.name}, line {number}") for number, line in _lines(path))
    keys = [one.key for one in found]
    twice = sorted(key for key, count in Counter(keys).items() if count > 1)
    if not found or twice:
        raise BenchError(f"{path}: " + (f"keys that occur twice: {', '.join(twice)}." if twice else "no class."))
    return found


def templates(name: str, *, language: str = "en", folder: Path = DATA) -> tuple[str, ...]:
    """The templates of `templates/<name>.txt`, in file order.

    Raises:
        BenchError: no such file, no template in it, or a template without exactly one `{}`.
    """
    path = _find(folder / "templates", name, language)
    found = []
    for number, line in _lines(path):
        if line.count("{}") != 1:
            raise BenchError(f"{path.name}, line {number}: a template has exactly one {{}}; this is {line!r}.")
        found.append(line)
    if not found:
        raise BenchError(f"{path}: no template.")
    return tuple(found)


def labelset(name: str, *, folder: Path = DATA) -> LabelSet:
    """A label set by its name, or from a file of your own (`audit.harm.name=my_labels.txt`).

    Raises:
        BenchError: neither a known name nor a file, or a file that cannot be read.
    """
    own, path = Path(name).expanduser(), folder / "labelsets" / f"{name}.txt"
    if path.is_file():
        return read(path)
    if own.suffix or own.is_file():
        return read(own)
    known = [one.stem for one in (folder / "labelsets").glob("*.txt")]
    raise unknown("label set", name, known, hint="The path of a file of yours will do, too.")


def labelsets(names: Iterable[str], *, folder: Path = DATA) -> tuple[LabelSet, ...]:
    """Several of them."""
    return tuple(labelset(name, folder=folder) for name in names)


def class_map(name: str, *, folder: Path = DATA) -> dict[str, tuple[str, ...]]:
    """`shifts/<name>.txt`: key of a target's class -> keys of the source's classes, one `key<TAB>key key` a line."""
    path = folder / "shifts" / f"{name}.txt"
    if not path.is_file():
        raise unknown("class map", name, [one.stem for one in (folder / "shifts").glob("*.txt")])
    split = [line.partition("\t") for _, line in _lines(path)]
    return {key: tuple(rest.split()) for key, _, rest in split}


def named(names: Iterable[str]) -> tuple[ClassName, ...]:
    """Classes whose key in the data is their name: `named(["cat", "dog"])`."""
    return tuple(ClassName(name, (name,)) for name in names)


def languages(name: str, *, folder: Path = DATA) -> tuple[str, ...]:
    """Languages that class names *and* templates of this set can be had in, English first."""
    both = [
        {_language(path) for path in (folder / kind).glob(f"{name}*.txt") if _stem(path) == name}
        for kind in ("classnames", "templates")
    ]
    return tuple(sorted(both[0] & both[1], key=lambda one: (one != "en", one)))


@cache
def _lines(path: Path) -> tuple[tuple[int, str], ...]:
    text = path.read_text(encoding="utf-8-sig")
    return tuple(
        (number, line)
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not line.startswith("#")
    )


def _class_name(line: str, where: str) -> ClassName:
    key, tab, rest = line.rstrip("\r").partition("\t")
    names = tuple(rest.split(SEPARATOR)) if tab else tuple(key.split(SEPARATOR))
    if not key or any(not name.strip() for name in names):
        raise BenchError(f"{where}: a class needs a key and at least one name, and this is {line!r}.")
    return ClassName(key if tab else names[0], names)


def _find(folder: Path, name: str, language: str) -> Path:
    path = folder / (f"{name}.txt" if language == "en" else f"{name}.{language}.txt")
    if path.is_file():
        return path
    known = {_stem(one) for one in folder.glob("*.txt") if _language(one) == language}
    raise unknown(f"{folder.name} file ({language})", name, known, hint=f"Add it as {path}.")


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _language(path: Path) -> str:
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 else "en"
