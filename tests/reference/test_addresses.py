"""Addresses: the walk over what a resolver finds, ports and services, paths, and what each error becomes."""

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
from nixio_reference._address import PATH_MAX, path_address, port_number, port_or_service, walk

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127/8 and abstract names")

FOREIGN = "192.0.2.1"  # for documentation (RFC 5737): no host's own, so bind fails with EADDRNOTAVAIL


class Resolver:
    """A resolver that finds the addresses it was given, in their order, and keeps what it was asked."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.addresses = addresses
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, host: Any, port: Any, family: int = 0, kind: int = 0, proto: int = 0, flags: int = 0) -> Any:
        """Answer as socket.getaddrinfo does."""
        self.asked.append((host, port, family, kind, proto, flags))
        kinds = {True: standard.AF_INET6, False: standard.AF_INET}
        return [(kinds[":" in address[0]], kind, 0, "", address) for address in self.addresses]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Resolver]:
    """Put a resolver in place."""

    def install(*addresses: tuple[str, int]) -> Resolver:
        found = Resolver(*addresses)
        monkeypatch.setattr(standard, "getaddrinfo", found)
        return found

    return install


def listening(make: Make) -> tuple[str, int]:
    """Return the address of a socket that listens."""
    sock = make()
    sock.bind("127.0.0.1", 0)
    sock.listen(5)
    return standard_address(sock)


def refusing(make: Make) -> tuple[str, int]:
    """Return an address that is taken and does not listen, so that nobody else can make it listen."""
    sock = make()
    sock.bind("127.0.0.1", 0)
    return standard_address(sock)


def calls(*functions: Callable[[], object]) -> tuple[Callable[[], object], ...]:
    """Return the functions, so that they have a type."""
    return functions


def standard_address(sock: Socket) -> tuple[str, int]:
    """Return a socket's own address."""
    host, port = sock.getsockname()
    assert isinstance(host, str)
    assert port is not None
    return host, port


def test_bind_takes_the_first_address_that_works(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver((FOREIGN, 0), ("127.0.0.1", 0), ("0.0.0.0", 0))
    sock = make()
    assert sock.bind("name", 0) is True
    assert sock.getsockname()[0] == "127.0.0.1"


def test_connect_takes_the_first_address_that_works(make: Make, resolver: Callable[..., Resolver]) -> None:
    first, second, third = refusing(make), listening(make), listening(make)
    resolver(first, second, third)
    sock = make()
    assert sock.connect("name", 1) is True
    assert sock.getpeername() == second


def test_the_walk_keeps_descriptor_and_options(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver(refusing(make), listening(make))
    sock = make()
    sock.setopt("socket", "keepalive", 1)
    number, inode = sock.fileno(), os.fstat(sock.fileno()).st_ino
    sock.connect("name", 1)
    assert (sock.fileno(), os.fstat(sock.fileno()).st_ino) == (number, inode)
    assert sock.getopt("socket", "keepalive") == 1


def test_the_last_failure_is_reported_and_the_socket_stays_usable(
    make: Make, resolver: Callable[..., Resolver]
) -> None:
    taken = listening(make)
    resolver(taken, (FOREIGN, 0))
    sock = make()
    with pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
        sock.bind("name", 0)
    resolver((FOREIGN, 0), taken)
    with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
        sock.bind("name", 0)
    assert sock.bind("127.0.0.1", 0) is True


def test_the_walk_keeps_the_order() -> None:
    tried: list[int] = []

    def attempt(number: int) -> None:
        tried.append(number)
        raise OSError(errno.ECONNREFUSED, f"number {number}")

    with pytest.raises(OSError, match=r"number 2"):
        walk(attempt, [3, 1, 2])
    assert tried == [3, 1, 2]


@pytest.mark.parametrize("number", [errno.EINPROGRESS, errno.EALREADY, errno.EISCONN, errno.EBADF])
def test_some_errors_end_the_walk(number: int) -> None:
    tried: list[str] = []

    def attempt(address: str) -> None:
        tried.append(address)
        raise OSError(number, os.strerror(number))

    with pytest.raises(OSError, match=os.strerror(number)):
        walk(attempt, ["first", "second"])
    assert tried == ["first"]


def test_a_connection_in_progress_ends_the_walk(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver(listening(make), listening(make))
    sock = make()
    sock.setblocking(False)
    with pytest.raises(BlockingIOError) as failure:
        sock.connect("name", 1)
    assert failure.value.errno == errno.EINPROGRESS


def test_a_connected_socket_stays_with_its_peer(make: Make, resolver: Callable[..., Resolver]) -> None:
    peer = listening(make)
    sock = make()
    sock.connect(*peer)
    resolver(refusing(make), refusing(make))
    with pytest.raises(OSError, match=os.strerror(errno.EISCONN)):
        sock.connect("name", 1)


def test_resolution_is_for_the_sockets_family_and_type(make: Make, resolver: Callable[..., Resolver]) -> None:
    found = resolver(("::1", 0), ("127.0.0.1", 0))
    sock = make("inet", "dgram")
    sock.bind("name", "service")
    assert sock.getsockname()[0] == "127.0.0.1"
    assert found.asked == [
        ("name", "service", standard.AF_INET, standard.SOCK_DGRAM, 0, standard.AI_PASSIVE),
    ]


def test_no_address_is_a_resolver_failure(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver()
    with pytest.raises(standard.gaierror):
        make().connect("name", 1)


def test_the_resolvers_own_system_error_comes_through(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*asked: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(standard, "getaddrinfo", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        make().connect("name", 1)


@pytest.mark.parametrize("domain", ["inet", "inet6"])
def test_default_hosts(make: Make, domain: str) -> None:
    server, client = make(domain), make(domain)
    server.bind(None, 0)
    assert server.getsockname()[0] == {"inet": "0.0.0.0", "inet6": "::"}[domain]
    server.listen(1)
    client.connect(None, server.getsockname()[1])
    assert client.getpeername() == ({"inet": "127.0.0.1", "inet6": "::1"}[domain], server.getsockname()[1])


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "\ud800", "", "no-such-name.invalid."])
def test_names_that_do_not_exist(make: Make, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = standard.getaddrinfo

    def offline(name: Any, *rest: Any) -> Any:
        if name == "no-such-name.invalid.":  # tests ask no real resolver
            raise standard.gaierror(standard.EAI_NONAME, "")
        return real(name, *rest)

    monkeypatch.setattr(standard, "getaddrinfo", offline)
    sock = make("inet", "dgram")
    for call in calls(lambda: sock.bind(host, 0), lambda: sock.connect(host, 9), lambda: sock.sendto(b"x", host, 9)):
        with pytest.raises(standard.gaierror):
            call()


@pytest.mark.parametrize("host", [b"127.0.0.1", 2130706433, ["127.0.0.1"], True])
def test_a_host_is_text(make: Make, host: Any) -> None:
    sock = make("inet", "dgram")
    for call in calls(lambda: sock.bind(host, 0), lambda: sock.connect(host, 9), lambda: sock.sendto(b"x", host, 9)):
        with pytest.raises(TypeError):
            call()


def test_a_host_with_nul_is_no_shorter_host(make: Make) -> None:
    with pytest.raises(ValueError, match="NUL"):
        make().bind("127.0.0.1\0junk", 0)


def test_a_name_is_no_destination(make: Make) -> None:
    with pytest.raises(standard.gaierror):
        make("inet", "dgram").sendto(b"x", "localhost", 9)


def test_a_closed_socket_is_that_before_its_host_is_unknown(make: Make) -> None:
    sock = make("inet", "dgram")
    sock.close()
    for call in calls(lambda: sock.bind("", 0), lambda: sock.connect("", 9), lambda: sock.sendto(b"x", "", 9)):
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            call()


@pytest.mark.parametrize("port", [0, 80, 65535, "0", "80", "00080", "65535"])
def test_ports(port: int | str) -> None:
    assert port_or_service(port) == port_number(port) == int(port)


@pytest.mark.parametrize("port", [-1, 65536, 70000, 2**16 + 80, 2**32 + 80, "65536", "9" * 5000])
def test_no_port_wraps_to_another(port: int | str) -> None:
    with pytest.raises(ValueError, match="port"):
        port_or_service(port)
    with pytest.raises(ValueError, match="port"):
        port_number(port)


@pytest.mark.parametrize("port", ["", " ", " 80", "80 ", "+80", "-1", "8\0", "8_0", "\u0668\u0660", "ht tp"])
def test_text_that_is_no_port(port: str) -> None:
    with pytest.raises(ValueError, match="port"):
        port_or_service(port)


@pytest.mark.parametrize("port", [None, True, 80.0, b"80", [80]])
def test_types_that_are_no_port(make: Make, port: Any) -> None:
    sock = make("inet", "dgram")
    for call in calls(
        lambda: sock.bind(None, port), lambda: sock.connect(None, port), lambda: sock.sendto(b"", "::", port)
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("port", ["0x50", "no-such-service", "d\u00e9j\u00e0"])
def test_services_that_do_not_exist(make: Make, port: str) -> None:
    with pytest.raises(standard.gaierror):
        make().connect("127.0.0.1", port)
    with pytest.raises(ValueError, match="port"):
        make("inet", "dgram").sendto(b"x", "127.0.0.1", port)


def test_unix_paths_are_exact(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "p" * PATH_MAX
    server, client = make("unix", "dgram"), make("unix", "dgram")
    server.bind(name, -1)  # any port is ignored
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert server.getsockname() == (name, None)
    assert client.sendto(b"x", Path(name)) == 1
    assert server.recvfrom(9) == (b"x", "", None)
    with pytest.raises(OSError, match="too long") as failure:
        make("unix").bind(name + "p")
    assert failure.value.errno == errno.ENAMETOOLONG


def test_unix_paths_that_are_not_utf8(make: Make, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff"
    server = make("unix", "dgram")
    server.bind(path)
    assert server.getsockname() == (os.fsdecode(path), None)
    assert make("unix", "dgram").connect(os.fsdecode(path)) is True


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("", ValueError),
        (b"", ValueError),
        ("a\0b", ValueError),
        ("\ud800", ValueError),
        (None, TypeError),
        (7, TypeError),
    ],
)
def test_what_is_no_path(path: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as failure:
        path_address(path)
    assert not isinstance(failure.value, UnicodeError)


@linux_only
def test_abstract_names_are_bytes_and_exact(make: Make) -> None:
    name = b"\0nixio-" + os.urandom(8).hex().encode() + b"\0\xff"
    server, client = make("unix"), make("unix")
    server.bind(name)
    server.listen(1)
    assert server.getsockname() == (name, None)
    with pytest.raises(ConnectionRefusedError):
        client.connect(name + b"\0")
    client.connect(name)
    assert client.getpeername() == (name, None)


def test_the_sender_on_a_stream_is_the_peer(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "stream")
    near.send(b"data")
    assert far.recvfrom(0) == (b"", *near.getsockname())
    assert far.recvfrom(9) == (b"data", *near.getsockname())
    near, far = pair("unix", "stream")
    far.send(b"data")
    assert near.recvfrom(9) == (b"data", *far.getsockname())


def test_the_sender_on_a_stream_without_peer_is_nobody(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "stream")
    near.shutdown()
    far.shutdown()
    far.recv(1)
    assert far.recvfrom(9) == (b"", "", None)


def test_shortcuts_open_a_socket_of_the_address_family(make: Make, resolver: Callable[..., Resolver]) -> None:
    found = resolver(("2001:db8::1", 0, 0, 0), ("127.0.0.1", 0))
    with nixio_reference.bind("name", 0) as server:
        assert server.getsockname()[0] == "127.0.0.1"
        assert server.getopt("socket", "reuseaddr") == 1
        assert found.asked[0][2] == standard.AF_UNSPEC
        server.listen(1)
        resolver(refusing(make), standard_address(server))
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


def test_shortcuts_leave_no_socket_after_a_failure(make: Make, resolver: Callable[..., Resolver]) -> None:
    resolver((FOREIGN, 0), listening(make))
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
        nixio_reference.bind("name", 0)
    with pytest.raises(ValueError, match="domain"):
        nixio_reference.bind("name", 0, "packet")
    with pytest.raises(ValueError, match="socktype"):
        nixio_reference.connect("name", 0, None, "seqpacket")
    following = os.open(os.devnull, os.O_RDONLY)
    os.close(following)
    assert following == spare
