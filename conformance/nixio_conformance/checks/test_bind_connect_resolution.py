"""bind and connect with a name that has several addresses, which the network namespace resolves in a known order."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.netns.network import POOL, UNREACHABLE
from nixio_conformance.netns.resolver_files import SERVICES
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address
from nixio_conformance.toolkit.reach import free_port, peer_at
from nixio_fixtures import Kind

#: Names that resolve to the first two addresses of the pool, each with the index of the first one in its order.
ORDERS = pytest.mark.parametrize(
    ("name", "first"), [("first-second.test", 0), ("second-first.test", 1)], ids=["up", "down"]
)


@pytest.fixture
def pool(kind: Kind) -> tuple[str, ...]:
    """Local addresses that the names resolve to."""
    return POOL[kind.domain]


def local_address(sock: ImplSocket) -> tuple[object, object]:
    return expect.address(sock.getsockname(), "getsockname()")


def peer_of(sock: socket.socket) -> object:
    """The host and port that a socket is connected to, or the error as text."""
    try:
        return sock.getpeername()[:2]
    except OSError as error:
        return f"none: {error}"


def service_port(kind: Kind) -> int:
    """The port of the service `nixio-test`, for the kind's protocol."""
    return SERVICES["nixio-test", "tcp" if kind.type == "stream" else "udp"]


def keepalive(sock: socket.socket) -> int:
    """The system's value of SO_KEEPALIVE, 0 or 1."""
    return int(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0)


@clause("bind.resolution.first")
@ORDERS
def test_bind_uses_the_first_address(case: Case, pool: tuple[str, ...], name: str, first: int) -> None:
    sock = case.socket()
    expect.true(sock.bind(name, 0), "bind()")
    expect.same(local_address(sock)[0], pool[first], "the address that was bound")


@clause("bind.resolution.next")
@pytest.mark.parametrize("reason", ["in-use", "foreign"])
def test_bind_tries_the_next_address(case: Case, pool: tuple[str, ...], reason: str) -> None:
    """The first address is in use, or is not a local address."""
    port = peer_at(case, pool[0]).address[1] if reason == "in-use" else free_port(case, pool[0])
    name, bound = ("first-second.test", pool[1]) if reason == "in-use" else ("foreign-first.test", pool[0])
    sock = case.socket()
    expect.true(sock.bind(name, port), "bind()")
    expect.same(local_address(sock), (bound, port), "the address that was bound")


@clause("bind.resolution.third")
def test_bind_tries_the_third_address(case: Case, pool: tuple[str, ...]) -> None:
    port = peer_at(case, pool[2]).address[1]
    peer_at(case, pool[3], port)
    sock = case.socket()
    expect.true(sock.bind("three.test", port), "bind()")
    expect.same(local_address(sock), (pool[4], port), "the address that was bound")


@clause("bind.resolution.last-failure")
@pytest.mark.parametrize(
    ("name", "error"),
    [("foreign-last.test", "EADDRNOTAVAIL"), ("foreign-first.test", "EADDRINUSE")],
    ids=["not-available", "in-use"],
)
def test_bind_reports_the_last_failure(case: Case, pool: tuple[str, ...], name: str, error: str) -> None:
    port = peer_at(case, pool[0]).address[1]
    expect.fails(case.socket().bind(name, port), error, what="bind() to a name of which no address can be bound")


@clause("bind.resolution.usable-after-failure")
def test_bind_leaves_the_socket_usable(case: Case, pool: tuple[str, ...]) -> None:
    port = peer_at(case, pool[0]).address[1]
    sock = case.socket()
    number = expect.integer(sock.fileno(), "fileno()")
    expect.fails(sock.bind("foreign-last.test", port), what="bind() to a name of which no address can be bound")
    expect.true(sock.bind(pool[1], 0), "bind() to an address that is free")
    expect.same(expect.integer(sock.fileno(), "fileno()"), number, "the descriptor's number")


@clause("bind.resolution.same-descriptor")
def test_bind_keeps_the_descriptor(case: Case, pool: tuple[str, ...]) -> None:
    port = peer_at(case, pool[0]).address[1]
    sock = case.socket()
    with case.view(sock) as before:
        before.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        expect.true(sock.bind("first-second.test", port), "bind()")
        _, bound = contract_address(case.kind, before.getsockname())
        expect.same(bound, port, "the port of the original socket")
        expect.same(keepalive(before), 1, "an option that was set before")


@clause("bind.resolution.service")
def test_bind_resolves_a_service(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.loopback, "nixio-test"), "bind()")
    expect.same(local_address(sock)[1], service_port(kind), "the port that was bound")


@clause("connect.resolution.first")
@ORDERS
def test_connect_uses_the_first_address(case: Case, pool: tuple[str, ...], name: str, first: int) -> None:
    port = peer_at(case, pool[first]).address[1]
    peer_at(case, pool[1 - first], port)
    sock = case.socket()
    expect.true(sock.connect(name, port), "connect()")
    expect.at(sock.getpeername(), (pool[first], port), "the address that was connected to")


@clause("connect.resolution.first-only")
def test_connect_tries_no_address_after_success(case: Case, pool: tuple[str, ...]) -> None:
    port = peer_at(case, pool[0]).address[1]
    other = peer_at(case, pool[1], port)
    sock = case.socket()
    expect.true(sock.connect("first-second.test", port), "connect()")
    # A connection made before this one would be the first in the queue.
    later = case.peer().connect(other.address)
    first = case.keep(other.accept())
    expect.same(first.remote, later.address, "the first connection to the second address")


@clause("connect.resolution.next")
@ORDERS
def test_connect_tries_the_next_address(case: Case, pool: tuple[str, ...], name: str, first: int) -> None:
    listener = peer_at(case, pool[1 - first])
    sock = case.socket()
    expect.true(sock.connect(name, listener.address[1]), "connect()")
    peer = case.keep(listener.accept())
    expect.count(sock.send(b"through"), 7)
    expect.same(peer.recv_exactly(7), b"through", "what the second address received")


@clause("connect.resolution.next-unusable")
def test_connect_tries_the_next_after_an_unreachable_address(case: Case, pool: tuple[str, ...]) -> None:
    """Another host cannot be reached from a loopback address: the system fails at once, without a refusal."""
    listener = peer_at(case, pool[0])
    sock = case.socket()
    expect.true(sock.bind(case.loopback, 0), "bind()")
    expect.true(sock.connect("foreign-first.test", listener.address[1]), "connect()")
    expect.at(sock.getpeername(), listener.address, "the address that was connected to")


@clause("connect.resolution.third")
def test_connect_tries_the_third_address(case: Case, pool: tuple[str, ...]) -> None:
    listener = peer_at(case, pool[4])
    sock = case.socket()
    expect.true(sock.connect("three.test", listener.address[1]), "connect()")
    peer = case.keep(listener.accept())
    expect.same(peer.remote, local_address(sock), "the address that is connected to the third address")


@clause("connect.resolution.last-failure")
def test_connect_reports_the_last_failure(case: Case, pool: tuple[str, ...], kind: Kind) -> None:
    """The first address refuses, the last cannot be reached: two different errors."""
    port = free_port(case, pool[0])
    outcome = case.socket().connect("unreachable-last.test", port)
    what = f"connect() to {pool[0]}, which refuses, and {UNREACHABLE[kind.domain]}, which cannot be reached"
    expect.fails(outcome, "EHOSTUNREACH", "ENETUNREACH", what=what)


@clause("connect.resolution.usable-after-failure")
def test_connect_leaves_the_socket_usable(case: Case, pool: tuple[str, ...]) -> None:
    sock = case.socket()
    number = expect.integer(sock.fileno(), "fileno()")
    expect.fails(
        sock.connect("first-second.test", free_port(case, pool[0])),
        what="connect() to a name of which all addresses refuse",
    )
    listener = peer_at(case, pool[5])
    expect.true(sock.connect(*listener.address), "connect() to an address that accepts")
    expect.same(expect.integer(sock.fileno(), "fileno()"), number, "the descriptor's number")


@clause("connect.resolution.same-descriptor")
def test_connect_keeps_the_descriptor(case: Case, pool: tuple[str, ...]) -> None:
    listener = peer_at(case, pool[1])
    sock = case.socket()
    with case.view(sock) as before:
        before.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        expect.true(sock.connect("first-second.test", listener.address[1]), "connect()")
        expect.same(peer_of(before), listener.address, "the peer of the original socket")
        expect.same(keepalive(before), 1, "an option that was set before")


@clause("connect.resolution.in-progress")
@pytest.mark.parametrize("name", ["first-second.test", "foreign-first.test"], ids=["answers", "silent"])
def test_a_connect_in_progress_tries_no_further_address(case: Case, pool: tuple[str, ...], name: str) -> None:
    """An address that answers may be connected at once; one that does not stays in progress."""
    port = peer_at(case, pool[0]).address[1]
    sock = case.socket()
    expect.true(sock.setblocking(False), "setblocking()")
    outcome = sock.connect(name, port)
    if name == "first-second.test" and isinstance(outcome, Returned):
        expect.true(outcome, "non-blocking connect()")
        return
    expect.fails(outcome, "EINPROGRESS", what="non-blocking connect()")


@clause("connect.resolution.service")
def test_connect_resolves_a_service(case: Case, kind: Kind) -> None:
    listener = peer_at(case, case.loopback, service_port(kind))
    sock = case.socket()
    expect.true(sock.connect(case.loopback, "nixio-test"), "connect()")
    expect.at(sock.getpeername(), listener.address, "the address that was connected to")
