"""Sockets for the tests of the reference: on the loopback, with a deadline, closed at the end."""

from __future__ import annotations

import socket as standard
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_reference import Socket, socket

DEADLINE = 10
LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Close at the end whatever is put on it."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def make(stack: ExitStack) -> Make:
    """Create sockets that wait for ten seconds at most."""

    def create(domain: str = "inet", kind: str = "stream", protocol: str | int | None = None) -> Socket:
        if domain == "inet6" and not has_inet6():
            pytest.skip("this host has no ::1")
        sock = stack.enter_context(socket(domain, kind, protocol))
        sock.setopt("socket", "rcvtimeo", DEADLINE)
        sock.setopt("socket", "sndtimeo", DEADLINE)
        return sock

    return create


@pytest.fixture
def pair(make: Make, stack: ExitStack, tmp_path: Path) -> Callable[..., Pair]:
    """Connect two sockets of a domain and type."""

    def connect(domain: str = "inet", kind: str = "stream") -> Pair:
        near, listener = make(domain, kind), make(domain, kind)
        listener.bind(LOOPBACK.get(domain, str(tmp_path / "listener")), 0)
        if kind == "stream":
            listener.listen(1)
        near.connect(*listener.getsockname())
        if kind == "stream":
            return near, stack.enter_context(listener.accept()[0])
        if domain == "unix":
            near.close()
            near = make(domain, kind)
            near.bind(str(tmp_path / "near"))
            near.connect(*listener.getsockname())
        listener.connect(*near.getsockname())
        return near, listener

    return connect


def has_inet6() -> bool:
    """Tell whether this host has the IPv6 loopback."""
    try:
        with standard.socket(standard.AF_INET6, standard.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
