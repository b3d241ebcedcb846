"""Sockets for the tests of the reference: on the loopback, with timeouts, closed after each test."""

from __future__ import annotations

import socket as standard
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_reference import Socket, socket

TIMEOUT = 10  # seconds
LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Close what is entered here after the test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def make(stack: ExitStack) -> Make:
    """Create sockets that wait for ten seconds at most."""

    def create(domain: str = "inet", kind: str = "stream", protocol: str | int | None = None) -> Socket:
        if domain == "inet6" and not has_inet6():
            pytest.skip("this host has no ::1")
        sock = stack.enter_context(socket(domain, kind, protocol))
        sock.setopt("socket", "rcvtimeo", TIMEOUT)
        sock.setopt("socket", "sndtimeo", TIMEOUT)
        return sock

    return create


@pytest.fixture
def pair(make: Make, stack: ExitStack, tmp_path: Path) -> Callable[..., Pair]:
    """Connect two sockets of a domain and type; the datagram sockets of inet are connected to each other."""

    def connect(domain: str = "inet", kind: str = "stream") -> Pair:
        near, far = make(domain, kind), make(domain, kind)
        far.bind(LOOPBACK.get(domain, str(tmp_path / "far")), 0)
        if kind == "stream":
            far.listen(1)
            near.connect(*far.getsockname())
            return near, stack.enter_context(far.accept()[0])
        near.connect(*far.getsockname())
        if domain != "unix":
            far.connect(*near.getsockname())
        return near, far

    return connect


def has_inet6() -> bool:
    """Return whether this host has the IPv6 loopback."""
    try:
        with standard.socket(standard.AF_INET6, standard.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
