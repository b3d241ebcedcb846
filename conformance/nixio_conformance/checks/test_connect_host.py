"""connect: the peer for a given or omitted host."""

from __future__ import annotations

import socket
import struct

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.timeouts import PEER
from nixio_conformance.host import capabilities
from nixio_conformance.toolkit import expect, names, options
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import reaches
from nixio_fixtures import Kind

WHAT = "connect()"


@clause("connect.host.given")
def test_the_host_decides_between_peers_with_the_same_port(case: Case, kind: Kind) -> None:
    right = case.peer().bind(case.own_address())
    wrong = case.peer().bind(case.own_address(), right.address[1])
    if kind.type == "stream":
        right.listen()
        wrong.listen()
    sock = case.socket()
    expect.true(sock.connect(*right.address), WHAT)
    reaches(case, sock, right)


@clause("connect.host.default")
def test_without_a_host_it_is_localhost(case: Case, kind: Kind) -> None:
    peer = case.destination()
    sock = case.socket()
    outcome = sock.connect(None, peer.address[1])
    if not isinstance(outcome, Returned) and "resolver" in outcome.tokens:
        # The name may be looked up. If this host's resolver does not know it, the resolver's failure is right.
        unknown = names.resolve(kind, "localhost")
        if isinstance(unknown, socket.gaierror) and unknown.errno == outcome.number:
            return
    expect.true(outcome, WHAT)
    reaches(case, sock, peer)


@clause("connect.host.mapped")
def test_an_ipv4_mapped_address_is_understood(case: Case) -> None:
    peer = case.destination(case.ipv4_kind())
    sock = case.socket()
    expect.true(sock.connect("::ffff:127.0.0.1", peer.address[1]), WHAT)
    reaches(case, sock, peer)


@clause("connect.host.name")
def test_a_name_is_resolved(case: Case, kind: Kind) -> None:
    name, _ = names.local_name(kind)
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(name, peer.address[1]), WHAT)
    reaches(case, sock, peer)


@clause("connect.host.empty")
def test_an_empty_host_is_this_host_or_refused(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    outcome = sock.connect("", peer.address[1])
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "resolver", "argument", what=WHAT)
        return
    expect.true(outcome, WHAT)
    reaches(case, sock, peer)


@clause("connect.raw.without-port")
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_a_raw_socket_is_connected_without_a_port(case: Case, kind: Kind, port: tuple[None, ...]) -> None:
    has_own = kind.domain == "inet" and not capabilities.current()["loopback-net"]
    address = case.own_address() if has_own else case.loopback
    sock = case.socket()
    expect.true(sock.connect(address, *port), WHAT)
    message = echo_request(kind)
    with options.fresh(kind) as receiver:
        receiver.settimeout(PEER)
        receiver.bind((address, 0))
        expect.count(sock.send(message), len(message))
        expect.holds(arrives(receiver, message[4:]), "the message at the host", "that it arrives", "nothing")


def arrives(receiver: socket.socket, ending: bytes) -> bool:
    """Whether a message that ends with these bytes arrives. Messages of other programs are ignored."""
    try:
        while not receiver.recv(1024).endswith(ending):
            pass
    except TimeoutError:
        return False
    return True


def echo_request(kind: Kind) -> bytes:
    """An ICMP echo request. The system sets the checksum for IPv6; IPv4's is not checked here."""
    return struct.pack("!BBHHH", 8 if kind.domain == "inet" else 128, 0, 0, 0, 0) + b"nixio-conformance"
