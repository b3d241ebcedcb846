"""Calls that several chapters make: every method with sensible arguments, and calls repeated until they are due."""

from __future__ import annotations

import time
from collections.abc import Callable

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit.expect import WOULD_BLOCK
from nixio_conformance.toolkit.peer import Address

#: The 18 methods, in the document's order.
METHODS = (
    "getsockname",
    "getpeername",
    "bind",
    "connect",
    "listen",
    "accept",
    "sendto",
    "send",
    "write",
    "recvfrom",
    "recv",
    "read",
    "close",
    "shutdown",
    "fileno",
    "setblocking",
    "setopt",
    "getopt",
)


def sensible(method: str, address: Address) -> tuple[Argument, ...]:
    """Arguments for a method that nobody could object to; `address` is one that the socket's family can speak to."""
    given: dict[str, tuple[Argument, ...]] = {
        "bind": address,
        "connect": address,
        "listen": (5,),
        "sendto": (b"x", *address),
        "send": (b"x",),
        "write": (b"x",),
        "recvfrom": (10,),
        "recv": (10,),
        "read": (10,),
        "shutdown": ("rdwr",),
        "setblocking": (False,),
        "setopt": ("socket", "keepalive", 1),
        "getopt": ("socket", "keepalive"),
    }
    return given.get(method, ())


def soon(call: Callable[[], Outcome]) -> Outcome:
    """Repeat a call while it would block: what was sent is on its way even over loopback, if the machine is busy."""
    end = time.monotonic() + PEER
    pause = 0.0002
    while isinstance(outcome := call(), Failure) and outcome.kind == WOULD_BLOCK and time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return outcome
