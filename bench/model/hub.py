"""The hub's client, kept from waiting: without a name service, or behind a dead proxy, it retries each file for half a
minute.
"""

from __future__ import annotations

import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 5.0
"""Seconds that a proxy may take to answer."""


@contextmanager
def quick_to_fail() -> Iterator[None]:
    """Inside, what is in the hub's cache is used, and what is not fails at once if the hub cannot be reached."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not _reachable(urllib.parse.urlparse(constants.ENDPOINT).hostname or "")
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _reachable(host: str) -> bool:
    proxies = urllib.request.getproxies()
    try:
        if "https" in proxies:  # the proxy finds the host, not this machine
            proxy = urllib.parse.urlparse(proxies["https"])
            socket.create_connection((proxy.hostname or "", proxy.port or 443), timeout=PATIENCE).close()
        elif not proxies:
            socket.getaddrinfo(host, 443)
    except (OSError, ValueError):
        return False
    return True
