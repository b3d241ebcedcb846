"""connect: which address a host stands for."""

from __future__ import annotations

import socket
import struct

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import capabilities
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import LOOPBACK, Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import arrives
from nixio_fixtures import Kind

WHAT = "connect()"


@clause("connect.host.given")
def test_host_given(case: Case, kind: Kind) -> None:
    right = case.peer().bind(case.own_address())
    wrong = case.peer().bind(case.own_address(), right.address[1])
    if kind.type == "stream":
        right.listen()
        wrong.listen()
    sock = case.socket()
    expect.true(sock.connect(*right.address), WHAT)
    arrives(case, sock, right)


@clause("connect.host.default")
def test_host_default(case: Case, kind: Kind) -> None:
    peer = case.destination()
    sock = case.socket()
    outcome = sock.connect(None, peer.address[1])
    if not isinstance(outcome, Returned) and "resolver" in outcome.tokens:
        # A port may look the name up. Where this host's resolver does not know it, that is what there is to say.
        unknown = names.resolve(kind, "localhost")
        if isinstance(unknown, socket.gaierror) and unknown.errno == outcome.number:
            return
    expect.true(outcome, WHAT)
    arrives(case, sock, peer)


@clause("connect.host.spellings")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("0:0:0:0:0:0:0:1", id="long"),
        pytest.param("::0001", id="zeros"),
        pytest.param("::0.0.0.1", id="dotted"),
    ],
)
def test_host_spellings(case: Case, host: str) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(host, peer.address[1]), WHAT)
    arrives(case, sock, peer)


@clause("connect.host.mapped")
def test_host_mapped(case: Case) -> None:
    peer = case.destination(case.ipv4_kind())
    sock = case.socket()
    expect.true(sock.connect("::ffff:127.0.0.1", peer.address[1]), WHAT)
    arrives(case, sock, peer)


@clause("connect.host.name")
def test_host_name(case: Case, kind: Kind) -> None:
    name, _ = names.local_name(kind)
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(name, peer.address[1]), WHAT)
    arrives(case, sock, peer)


@clause("connect.host.unknown")
def test_host_unknown(case: Case) -> None:
    port = case.destination().address[1]
    expect.fails(case.socket().connect(names.NO_HOST, port), "resolver", what=WHAT)


@clause("connect.host.unencodable")
@pytest.mark.parametrize(
    "name", [pytest.param("x" * 64 + ".test", id="long-label"), pytest.param("a..b", id="no-label")]
)
def test_host_unencodable(case: Case, name: str) -> None:
    port = case.destination().address[1]
    expect.fails(case.socket().connect(name, port), "resolver", "argument", what=WHAT)


@clause("connect.host.other-family")
def test_host_other_family(case: Case, kind: Kind) -> None:
    other = LOOPBACK["inet6" if kind.domain == "inet" else "inet"]
    port = case.destination().address[1]
    expect.fails(case.socket().connect(other, port), "resolver", "argument", "EAFNOSUPPORT", what=WHAT)


@clause("connect.host.nul")
def test_host_nul(case: Case) -> None:
    port = case.destination().address[1]
    expect.fails(case.socket().connect(f"{case.loopback}\0.test", port), "resolver", "argument", what=WHAT)


@clause("connect.host.empty")
def test_host_empty(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    outcome = sock.connect("", peer.address[1])
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "resolver", "argument", what=WHAT)
        return
    expect.true(outcome, WHAT)
    arrives(case, sock, peer)


@clause("connect.host.types")
@pytest.mark.parametrize(
    "host", [pytest.param(True, id="true"), pytest.param(False, id="false"), pytest.param(("127.0.0.1",), id="list")]
)
def test_host_types(case: Case, host: Argument) -> None:
    port = case.destination().address[1]
    expect.refused_argument(case.socket().connect(host, port), WHAT)


@clause("connect.raw.without-port")
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_raw_without_port(case: Case, kind: Kind, port: tuple[None, ...]) -> None:
    several = kind.domain == "inet" and not capabilities.current()["loopback-net"]
    address = case.own_address() if several else case.loopback
    sock = case.socket()
    expect.true(sock.connect(address, *port), WHAT)
    message = _echo(kind)
    with options.fresh(kind) as receiver:
        receiver.settimeout(PEER)
        receiver.bind((address, 0))
        expect.count(sock.send(message), len(message))
        expect.holds(_receives(receiver, message[4:]), "the message at the host", "that it arrives", "nothing")


def _receives(receiver: socket.socket, tail: bytes) -> bool:
    """Whether a message with this end arrives, among those of other programs."""
    try:
        while not receiver.recv(1024).endswith(tail):
            pass
    except TimeoutError:
        return False
    return True


def _echo(kind: Kind) -> bytes:
    """An ICMP echo request; the system adds the checksum for IPv6, and nobody looks at IPv4's here."""
    return struct.pack("!BBHHH", 8 if kind.domain == "inet" else 128, 0, 0, 0, 0) + b"nixio-conformance"
