"""Without a name service the hub's client is told so at once."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from huggingface_hub import constants, is_offline_mode

from bench.model.hub import quick_to_fail


def answer(there: bool) -> object:
    def look_up(*args: object) -> list[object]:
        if not there:
            raise socket.gaierror(-2, "Name or service not known")
        return []

    return look_up


@pytest.mark.parametrize(("there", "proxies", "offline"), [
    (True, {}, False), (False, {}, True), (False, {"http": "http://proxy"}, False),
])  # fmt: skip
def test_offline_only_if_nobody_finds_the_hub(
    there: bool, proxies: dict[str, str], offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", answer(there))
    monkeypatch.setattr(urllib.request, "getproxies", lambda: proxies)
    with quick_to_fail():
        assert is_offline_mode() is offline
    assert not is_offline_mode()


def test_a_dead_proxy_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the first port; at the second somebody does."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        alive = server.getsockname()[1]
        monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": f"http://127.0.0.1:{alive}"})
        with quick_to_fail():
            assert not is_offline_mode()
    with quick_to_fail():  # closed now
        assert is_offline_mode()


def test_the_users_own_offline_mode_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket, "getaddrinfo", answer(True))
    with quick_to_fail():
        assert is_offline_mode()
    assert is_offline_mode()
