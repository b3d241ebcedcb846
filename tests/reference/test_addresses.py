"""Addresses: what the resolver is asked, which of its answers is used, and what its errors become."""

from __future__ import annotations

import errno
import os
import socket as standard
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nixio_reference
from nixio_reference import Socket
from nixio_reference._address import try_each

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]

FOREIGN = "192.0.2.1"  # reserved for documentation (RFC 5737): no host has it, so bind fails with EADDRNOTAVAIL


class Resolver:
    """A resolver with fixed answers. It records its questions."""

    def __init__(self, *addresses: tuple[Any, ...]) -> None:
        self.addresses = addresses
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, host: Any, port: Any, family: int = 0, kind: int = 0, proto: int = 0, flags: int = 0) -> Any:
        self.asked.append((host, port, family, kind, proto, flags))
        families = {True: standard.AF_INET6, False: standard.AF_INET}
        return [(families[":" in address[0]], kind, 0, "", address) for address in self.addresses]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Resolver]:
    """Replace the standard library's resolver."""

    def install(*addresses: tuple[Any, ...]) -> Resolver:
        installed = Resolver(*addresses)
        monkeypatch.setattr(standard, "getaddrinfo", installed)
        return installed

    return install


def bound(make: Make, backlog: int | None = None) -> tuple[Any, Any]:
    """Return the address of a socket that listens, or without a backlog does not, so that connecting is refused."""
    sock = make()
    sock.bind("127.0.0.1", 0)
    if backlog is not None:
        sock.listen(backlog)
    return sock.getsockname()


# -- which address ---------------------------------------------------------------------------------------------------


def test_bind_and_connect_use_the_first_address_that_works(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver((FOREIGN, 0), ("127.0.0.1", 0), ("0.0.0.0", 0))
    server = make()
    assert server.bind("name", 0) is True
    assert server.getsockname()[0] == "127.0.0.1"
    addresses = bound(make), bound(make, 5), bound(make, 5)
    resolver(*addresses)
    client = make()
    assert client.connect("name", 1) is True
    assert client.getpeername() == addresses[1]


@pytest.mark.parametrize(
    ("number", "tried"),
    [
        (errno.ECONNREFUSED, [3, 1, 2]),
        (errno.EINPROGRESS, [3]),
        (errno.EALREADY, [3]),
        (errno.EISCONN, [3]),
        (errno.EBADF, [3]),
        (errno.EINTR, [3]),
    ],
)
def test_which_errors_end_the_attempts(number: int, tried: list[int]) -> None:
    attempts: list[int] = []

    def attempt(address: int) -> None:
        attempts.append(address)
        raise OSError(number, f"address {address}")

    with pytest.raises(OSError, match=f"address {tried[-1]}"):
        try_each(attempt, [3, 1, 2])
    assert attempts == tried


# -- the resolver ----------------------------------------------------------------------------------------------------


def test_the_resolver_is_asked_for_the_family_and_type(make: Make, resolver: Callable[..., Resolver]) -> None:
    installed = resolver(("::1", 0), ("127.0.0.1", 0))
    sock = make("inet", "dgram")
    sock.bind("name", "service")
    assert sock.getsockname()[0] == "127.0.0.1"
    assert installed.asked == [
        ("name", "service", standard.AF_INET, standard.SOCK_DGRAM, 0, standard.AI_PASSIVE),
    ]


def test_the_resolver_is_not_asked_for_numeric_addresses(make: Make, resolver: Callable[..., Resolver]) -> None:
    installed = resolver()
    sock = make("inet", "dgram")
    sock.bind("127.0.0.1", "0000")
    sock.connect("127.0.0.1", f"00{sock.getsockname()[1]}")
    sock.sendto(b"x", "127.0.0.1", f"00{sock.getsockname()[1]}")
    assert sock.recv(1) == b"x"
    assert installed.asked == []


def test_no_address_is_an_error_of_the_resolver(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver()
    with pytest.raises(standard.gaierror):
        make().connect("name", 1)


def test_a_system_error_of_the_resolver_is_raised(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(standard, "getaddrinfo", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        make().connect("name", 1)


def test_a_closed_socket_asks_no_resolver(make: Make, resolver: Callable[..., Resolver]) -> None:
    installed = resolver()
    sock = make("inet", "dgram")
    sock.close()
    for method, arguments in (("bind", ("name", 0)), ("connect", ("name", 9)), ("sendto", (b"x", "name", 9))):
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            getattr(sock, method)(*arguments)
    assert [flags for *_, flags in installed.asked] == [standard.AI_NUMERICHOST]  # sendto() asks no name server


@pytest.mark.parametrize(("domain", "protocol"), [("inet", "icmp"), ("inet6", "icmpv6")])
def test_raw_sockets_have_hosts_and_no_services(
    make: Make, domain: str, protocol: str, resolver: Callable[..., Resolver]
) -> None:
    try:
        sock = make(domain, "raw", protocol)
    except PermissionError:
        pytest.skip("raw sockets are not permitted here (they need CAP_NET_RAW)")
    wildcard, host = {"inet": ("0.0.0.0", "127.0.0.1"), "inet6": ("::", "::1")}[domain]
    assert sock.bind() is True
    assert sock.getsockname()[0] == wildcard
    assert sock.connect() is True
    assert sock.getsockname()[0] == host
    installed = resolver((host, 0))
    assert sock.connect("name", 7) is True
    assert installed.asked[0][:2] == ("name", None)
    assert sock.getpeername() == (host, 7)
    with pytest.raises(standard.gaierror) as failure:
        sock.bind(host, "http")
    assert failure.value.errno == standard.EAI_SERVICE


# -- destinations of sendto ------------------------------------------------------------------------------------------


def test_each_message_goes_to_its_own_destination(make: Make) -> None:
    """sendto caches the last destination: a different host, port or type of port is a different one."""
    near, far, other = make("inet", "dgram"), make("inet", "dgram"), make("inet", "dgram")
    far.bind("127.0.0.1", 0)
    other.bind("127.0.0.1", 0)
    host, port = far.getsockname()
    for data, sock in ((b"1", far), (b"2", other), (b"3", far), (b"4", far), (b"5", other)):
        near.sendto(data, *sock.getsockname())
    assert [far.recv(9) for _ in range(3)] == [b"1", b"3", b"4"]
    assert [other.recv(9) for _ in range(2)] == [b"2", b"5"]
    assert near.sendto(b"6", host, port) == 1
    for bad in (float(str(port)), None):
        with pytest.raises(TypeError):
            near.sendto(b"x", host, bad)  # type: ignore[arg-type]
    with pytest.raises(standard.gaierror):
        near.sendto(b"x", "localhost", port)
    near.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        near.sendto(b"x", host, port)


def test_the_zone_of_a_destination_is_resolved_each_time(make: Make, resolver: Callable[..., Resolver]) -> None:
    near, far = make("inet6", "dgram"), make("inet6", "dgram")
    far.bind("::1", 0)
    host, port = "fe80::1%zone", far.getsockname()[1]
    installed = resolver(("::1", port, 0, 0))
    for _ in range(2):
        near.sendto(b"x", host, port)
    assert len(installed.asked) == 2


# -- paths -----------------------------------------------------------------------------------------------------------


def test_paths_of_other_types(make: Make, tmp_path: Path) -> None:
    server, path = make("unix", "dgram"), os.fsencode(tmp_path) + b"/\xff"
    server.bind(path)
    assert server.getsockname() == (os.fsdecode(path), None)
    assert make("unix", "dgram").connect(os.fsdecode(path)) is True
    assert make("unix", "dgram").sendto(b"x", Path(os.fsdecode(path)), -1) == 1  # any port is ignored
    assert server.recvfrom(9) == (b"x", "", None)


def test_abstract_names_exist_on_linux_only(make: Make) -> None:
    name = b"\0nixio-" + os.urandom(8).hex().encode()
    if sys.platform == "linux":
        assert make("unix").bind(name.ljust(108, b"\xff")) is True
    with pytest.raises(OSError if sys.platform == "linux" else ValueError):
        make("unix").bind(name.ljust(109, b"\xff"))


# -- senders ---------------------------------------------------------------------------------------------------------


def test_the_sender_on_a_stream_is_the_peer(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "stream")
    near.send(b"data")
    assert far.recvfrom(0) == (b"", *near.getsockname())
    assert far.recvfrom(9) == (b"data", *near.getsockname())
    near, far = pair("unix", "stream")
    far.send(b"data")
    assert near.recvfrom(9) == (b"data", *far.getsockname())


def test_the_sender_on_a_stream_without_a_peer_is_unnamed(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "stream")
    near.shutdown()
    far.shutdown(None)
    far.recv(1)
    assert far.recvfrom(9) == (b"", "", None)


# -- bind() and connect() of the module ------------------------------------------------------------------------------


def test_shortcuts_open_a_socket_of_the_family_of_the_address(make: Make, resolver: Callable[..., Resolver]) -> None:
    installed = resolver(("2001:db8::1", 0, 0, 0), ("127.0.0.1", 0))
    with nixio_reference.bind("name", 0) as server:
        assert server.getsockname()[0] == "127.0.0.1"
        assert server.getopt("socket", "reuseaddr") == 1
        assert installed.asked[0][2] == standard.AF_UNSPEC
        server.listen(1)
        resolver(bound(make), server.getsockname())
        with nixio_reference.connect("name", 1) as client:
            assert client.getpeername() == server.getsockname()


def test_shortcuts_with_a_family(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with (
        nixio_reference.bind(path, None, "unix", "dgram") as server,
        nixio_reference.connect(path, None, "unix", "dgram") as client,
    ):
        client.send(b"x")
        assert server.recv(9) == b"x"


def test_shortcuts_leave_no_socket_open_after_a_failure(make: Make, resolver: Callable[..., Resolver]) -> None:
    taken = bound(make, 5)
    resolver((FOREIGN, 0), taken)
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    for family, host in ((None, "name"), ("inet", taken[0])):
        with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
            nixio_reference.bind(host, taken[1], family)
    following = os.open(os.devnull, os.O_RDONLY)
    os.close(following)
    assert following == spare
