"""Raw material of the pack: members of npm, PyPI and Debian packages, read in place without unpacking them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.errors import BenchError


def package(folder: Path, name: str) -> Path:
    """The package file in `folder` (or below) whose name begins with `name`.

    Raises:
        BenchError: there is none, or more than one version.
    """
    paths = (path for path in folder.rglob(f"{name}[-_][0-9]*") if path.suffix in (".tgz", ".whl", ".deb"))
    found = list({path.name: path for path in sorted(paths)}.values())
    if len(found) != 1:
        what = f"{len(found)} versions" if found else "no file"
        raise BenchError(f"{folder} holds {what} of package {name!r}. It should hold exactly one .tgz, .whl or .deb.")
    return found[0]


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and content of those regular files in a package for which `wanted(name)`, in archive order."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if wanted(name):
                    yield name, archive.read(name)
        return
    source = io.BytesIO(_debian_data(path)) if path.suffix == ".deb" else path.open("rb")
    with source, tarfile.open(fileobj=source, mode="r:*") as archive:
        for member in archive:
            if member.isreg() and wanted(member.name):
                content = archive.extractfile(member)
                assert content is not None
                yield member.name.removeprefix("./"), content.read()


def version(path: Path) -> str:
    """`name version` of a package file, for the notice."""
    name, _, rest = (
        path.stem.removesuffix("_all")
        .replace("-py2.py3-none-any", "")
        .rpartition("_" if path.suffix == ".deb" else "-")
    )
    return f"{name} {rest.replace('%3a', ':')}"


def _debian_data(path: Path) -> bytes:
    """The data archive inside a Debian package, which is an `ar` archive: 60 bytes of header before each member."""
    content = path.read_bytes()
    position = len(b"!<arch>\n")
    while position < len(content):
        header = content[position : position + 60]
        size = int(header[48:58])
        if header[:16].startswith(b"data.tar"):
            return content[position + 60 : position + 60 + size]
        position += 60 + size + size % 2
    raise BenchError(f"{path} is not a Debian package: it has no data archive.")
