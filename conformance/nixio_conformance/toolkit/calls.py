"""Calls that checks of several methods make: any method with valid arguments, and calls repeated until data arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit.expect import WOULD_BLOCK
from nixio_conformance.toolkit.peer import Address
from nixio_fixtures import load

#: The methods of a socket, in the document's order: those of the tables without the factory.
METHODS = tuple(method.name for method in load().methods if method.name != "socket")


def valid_arguments(method: str, address: Address) -> tuple[Argument, ...]:
    """Arguments that a method accepts on any kind of socket, in the method's order; empty if it needs none.

    `address` is a host and a port, or a path and None, that the socket's family can use.
    """
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


def retry_would_block(call: Callable[[], Outcome]) -> Outcome:
    """Repeat a call of a non-blocking socket while it fails with would-block, for at most the peer's timeout.

    Even over loopback, what a peer sent may arrive a moment later on a busy machine. Returns the last outcome.
    """
    end = time.monotonic() + PEER
    pause = 0.0002
    while isinstance(outcome := call(), Failure) and outcome.kind == WOULD_BLOCK and time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return outcome
