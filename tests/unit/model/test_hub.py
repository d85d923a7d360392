"""Where the hub doesn't answer, its client is told so at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from huggingface_hub import constants, is_offline_mode

from bench.errors import BenchError
from bench.model import hub
from bench.model.clip.download import fetch_hub
from bench.model.hub import quick_to_fail

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class LogIn(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_error(401)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "PATIENCE", 0.3)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), LogIn)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes calls, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_hub_that_answers_is_asked(answering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", answering)
    with quick_to_fail():
        assert not is_offline_mode()


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("kind", ["closed", "silent", "without a name"])
def test_one_that_does_not_is_left_alone(
    kind: str, proxied: bool, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = {"closed": closed(), "silent": silent, "without a name": "http://nowhere.invalid"}[kind]
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid" if proxied else dead)
    if proxied:
        monkeypatch.setenv("http_proxy", dead)
    with quick_to_fail():
        assert is_offline_mode()
    assert not is_offline_mode()


def test_a_proxy_that_answers_is_asked(answering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("http_proxy", answering)
    with quick_to_fail():
        assert not is_offline_mode()


def test_the_users_own_offline_mode_stays(answering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", answering)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with quick_to_fail():
        assert is_offline_mode()
    assert is_offline_mode()


def test_weights_on_a_hub_that_never_answers_are_not_waited_for(
    silent: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(constants, "ENDPOINT", silent)
    began = time.monotonic()
    with pytest.raises(BenchError, match=r"laion/some is not in the cache and the hub cannot be reached \(http://127"):
        fetch_hub("laion/some", None, cache=tmp_path)
    assert time.monotonic() - began < 10
