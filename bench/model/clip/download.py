"""Fetching published weights: OpenAI's archives from their address, everything else from the Hugging Face hub.

Both caches are the usual ones (`~/.cache/clip` and the hub's own), so weights that another program fetched are reused.
Without network the error names the file and where to put it.
"""

import http.client
import os
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError, first_line
from bench.model.clip.published import Published
from bench.model.clip.weights import sha256_of
from bench.model.hub import silence

WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin", "model.safetensors", "pytorch_model.bin")
"""Files of a hub repository that may hold a CLIP, in order of preference."""
CONFIGS = ("open_clip_config.json", "config.json", "preprocessor_config.json")
CHUNK = 1 << 20
TIMEOUT = 30.0  # seconds without a byte


class HubFile(NamedTuple):
    """A file in the hub's cache, and the commit it belongs to."""

    path: Path
    commit: str


def fetch_openai(model: Published, *, cache: Path | None = None) -> Path:
    """The archive of one of OpenAI's models, hash checked; downloaded unless it is there already."""
    folder = cache or Path.home() / ".cache" / "clip"
    target = folder / model.url.rsplit("/", 1)[1]
    if target.is_file():
        if sha256_of(target) == model.sha256:
            return target
        raise BenchError(
            f"{target} is not the published {model.name}: its SHA-256 is {sha256_of(target)}, not {model.sha256}. "
            "Delete it, so that it is fetched again."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _stream(model.url, target, model.sha256)
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(
            f"{model.name} could not be fetched ({type(error).__name__}: {first_line(error)}). Put the file from "
            f"{model.url} at {target}, or name it where it is: model.path=FILE."
        ) from error
    return target


def _stream(url: str, target: Path, sha256: str) -> None:
    from tqdm import tqdm

    handle, part = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        # The address is one of `published`.
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=TIMEOUT) as source:  # noqa: S310
            total = _length(source.headers.get("Content-Length", ""))
            # With disable=None the bar is drawn on terminals only, not into logs.
            with tqdm(total=total, unit="B", unit_scale=True, desc=target.name, disable=None) as bar:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
            if file.tell() < (total or 0):
                raise ConnectionError(f"only {file.tell():,} of {total:,} bytes came")
        if (found := sha256_of(Path(part))) != sha256:
            raise BenchError(f"what came from {url} has SHA-256 {found}, not {sha256}. Try again, or fetch it by hand.")
        os.replace(part, target)  # readers see the whole file or none
    finally:
        Path(part).unlink(missing_ok=True)


def _length(said: str) -> int | None:
    """Bytes to come. None if the server says nothing, or nothing that makes sense: the hash decides."""
    try:
        return int(said)
    except ValueError:
        return None


def fetch_hub(repo: str, revision: str | None, *, cache: Path | None = None) -> HubFile:
    """The weights of a hub repository, with its configuration files beside them; from the cache where possible."""
    for offline in (True, False):
        if not offline:
            _check_reachable(repo, revision)
        for name in WEIGHTS:
            if path := _hub_file(repo, name, revision, cache, offline=offline):
                for config in CONFIGS:
                    _hub_file(repo, config, revision, cache, offline=offline)
                return HubFile(path, path.parent.name)
    raise BenchError(f"the hub repository {repo!r} has none of {', '.join(WEIGHTS)}: no CLIP that this loader knows.")


def _hub_file(repo: str, name: str, revision: str | None, cache: Path | None, *, offline: bool) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(hf_hub_download(repo, name, revision=revision, cache_dir=cache, local_files_only=offline))
    except LocalEntryNotFoundError as error:
        if offline:
            return None
        raise _unreachable(repo, name, revision, error) from error
    except EntryNotFoundError:
        return None
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise BenchError(
            f"the hub has no {repo!r} at revision {revision or 'main'}, or it is not public. Check the name, "
            "or name a file: model.path=FILE."
        ) from error
    except Exception as error:  # connection errors differ with the version of the hub's client
        raise _unreachable(repo, name, revision, error) from error


def _check_reachable(repo: str, revision: str | None) -> None:
    from huggingface_hub import constants

    reason = "" if constants.HF_HUB_OFFLINE else silence()
    if reason:
        raise _unreachable(repo, WEIGHTS[0], revision, OSError(reason))


def _unreachable(repo: str, name: str, revision: str | None, error: Exception) -> BenchError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
    return BenchError(
        f"{repo} is not in the cache and the hub cannot be reached ({reason}). Fetch {name} of revision "
        f"{revision or 'main'} elsewhere, with its JSON files, and name it: model.path=FILE."
    )
