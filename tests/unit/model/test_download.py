"""Downloads from servers that break off, talk nonsense or send something else: one clear error, and nothing is left."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.model.clip.download import fetch_openai
from bench.model.clip.published import Published
from tests.unit.model.test_clip_load import SHAPE

BODY = b"weights " * 100
HASH = hashlib.sha256(BODY).hexdigest()
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """The address of a server that answers one request with these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/small.pt"
        thread.join(10)


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def get(answer: bytes, sha256: str = HASH) -> Path:
        with server(answer) as url:
            return fetch_openai(Published("openai/small", SHAPE, 0, url, sha256), cache=tmp_path / "cache")

    return get


@pytest.mark.parametrize(("answer", "said"), [
    (OK + b"Content-Length: 1000\r\n\r\n" + BODY, "ConnectionError: only 800 of 1,000 bytes came"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n320\r\n" + BODY + b"\r\n320\r\nwei", "IncompleteRead"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nmany\r\n" + BODY, "IncompleteRead"),
    (b"hello\r\n\r\n", "BadStatusLine: hello"),
    (b"", "RemoteDisconnected"),
    (OK + b"X: y\r\n" * 200 + b"\r\n", "HTTPException: got more than 100 headers"),
])  # fmt: skip
def test_a_failed_download_says_what_to_do(
    answer: bytes, said: str, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(BenchError, match=r"openai/small could not be fetched .* or name it where it is") as error:
        fetch(answer)
    assert said in str(error.value)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("length", [b"lots", b"-5", b"", b"9" * 5000])
def test_a_length_that_makes_no_sense_leaves_it_to_the_hash(
    length: bytes, fetch: Callable[..., Path], tmp_path: Path
) -> None:
    answer = OK + b"Content-Length: " + length + b"\r\n\r\n"
    with pytest.raises(BenchError, match=r"has SHA-256 .* Try again"):
        fetch(answer + BODY[:-1])
    assert list((tmp_path / "cache").iterdir()) == []
    assert fetch(answer + BODY).read_bytes() == BODY


def test_other_content_is_refused(fetch: Callable[..., Path], tmp_path: Path) -> None:
    whole = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    with pytest.raises(BenchError, match=f"has SHA-256 {HASH}, not {'0' * 64}. Try again"):
        fetch(whole, "0" * 64)
    assert list((tmp_path / "cache").iterdir()) == []
    assert fetch(whole).read_bytes() == BODY


def test_nothing_is_drawn_into_a_log(fetch: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    fetch(OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    assert capfd.readouterr() == ("", "")
