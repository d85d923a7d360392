"""The hub's client, kept from waiting: where nobody answers it retries each file for half a minute and more."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 10.0
"""Seconds that the hub, or the proxy on the way there, may take to answer."""


@contextmanager
def quick_to_fail() -> Iterator[None]:
    """Inside, what is in the hub's cache is used, and what is not fails at once if the hub cannot be reached."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or bool(silence())
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def silence() -> str:
    """Why the hub cannot be reached; empty if it answers, be it that one must log in."""
    from huggingface_hub import constants

    asked = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310 - the user's own address
    try:
        urllib.request.build_opener().open(asked, timeout=PATIENCE).close()  # by the proxies of the environment
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        certificate = isinstance(getattr(error, "reason", None), ssl.SSLError)  # the client has a list of its own
        return "" if certificate else f"{constants.ENDPOINT}: {error}"
    return ""
