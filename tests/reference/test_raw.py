"""Raw sockets, where this host lets us: no ports, so bind and connect take a host alone."""

from __future__ import annotations

import errno
import os
import socket as standard
import struct
from collections.abc import Callable
from typing import Any

import pytest

from nixio_reference import Socket, socket

Make = Callable[..., Socket]
ICMP = {"inet": "icmp", "inet6": "icmpv6"}


@pytest.fixture(params=["inet", "inet6"])
def raw(request: pytest.FixtureRequest, make: Make) -> Socket:
    """Create a raw socket for ICMP."""
    try:
        return make(request.param, "raw", ICMP[request.param])
    except PermissionError:
        pytest.skip("raw sockets are not permitted here (they need CAP_NET_RAW)")


def loopback(sock: Socket) -> str:
    """Return the loopback of a socket's family."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}[str(sock.getsockname()[0])]


def is_connected(sock: Socket) -> bool:
    """Tell it by the path's MTU: getpeername calls a socket without a peer's port not connected (Linux)."""
    try:
        return int(sock.getopt("ipv6" if ":" in str(sock.getsockname()[0]) else "ip", "mtu")) > 0
    except OSError as error:
        assert error.errno == errno.ENOTCONN  # noqa: PT017
        return False


@pytest.mark.parametrize("port", [(), (None,), (0,), ("0",)])
def test_bind_and_connect_without_a_port(raw: Socket, port: tuple[Any, ...]) -> None:
    host = loopback(raw)
    assert raw.bind(host, *port) is True
    assert raw.getsockname()[0] == host
    assert raw.connect(host, *port) is True
    assert is_connected(raw)


def test_a_port_is_kept_by_the_system(raw: Socket) -> None:
    host = loopback(raw)
    raw.connect(host, 7)
    assert raw.getpeername() == (host, 7)


def test_default_hosts(raw: Socket) -> None:
    host = loopback(raw)
    assert raw.bind() is True
    assert not is_connected(raw)
    assert raw.connect() is True
    assert raw.getsockname()[0] == host
    assert is_connected(raw)


def test_names(raw: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    host = loopback(raw)
    asked: list[Any] = []
    real = standard.getaddrinfo

    def resolver(name: Any, *rest: Any) -> Any:
        asked.append((name, rest[0]))
        return real(host, *rest)

    monkeypatch.setattr(standard, "getaddrinfo", resolver)
    assert raw.connect("name", 0) is True
    assert asked == [("name", None)]


def test_there_are_no_services(raw: Socket) -> None:
    with pytest.raises(standard.gaierror) as failure:
        raw.bind(loopback(raw), "http")
    assert failure.value.errno == standard.EAI_SERVICE
    with pytest.raises(ValueError, match="port"):
        raw.bind(loopback(raw), 65536)


def test_an_echo(make: Make) -> None:
    try:
        sock = make("inet", "raw", "icmp")
    except PermissionError:
        pytest.skip("raw sockets are not permitted here (they need CAP_NET_RAW)")
    mark = os.urandom(16)
    body = struct.pack("!BBHHH", 253, 0, 0, 0, 0) + mark  # type 253 is for experiments (RFC 3692): nobody answers it
    sock.bind("127.0.0.1")
    assert sock.sendto(body, "127.0.0.1", 0) == len(body)
    while True:
        data, host, port = sock.recvfrom(8192)
        if data.endswith(mark):
            break
    assert (host, port) == ("127.0.0.1", 0)


def test_the_system_chooses_no_protocol() -> None:
    with pytest.raises(OSError, match=r"not supported|not permitted"):
        socket("inet", "raw")
