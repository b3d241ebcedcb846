"""Checks which address bind and connect used: a peer can reach a bound socket, and a connected socket its peer."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.peer import Address, Peer, family_of, type_of
from nixio_fixtures import Kind

#: How many ports to try: another program may take a free port before the implementation binds it.
ATTEMPTS = 5
#: Ports to draw until one has only octal digits, as four in ten do.
_DRAWS = 100


def reached(case: Case, sock: ImplSocket, address: Address, kind: Kind | None = None) -> None:
    """Check that a new peer reaches the bound (datagram) or listening (stream) socket at this address.

    `kind` is the peer's; by default the case's own.
    """
    peer = case.peer(kind)
    if peer.kind.type == "stream":
        peer.connect(address)
        expect.accepted(sock.accept())
    else:
        peer.sendto(b"to whom", address)
        expect.data(sock.recv(64), b"to whom")


def reaches(case: Case, sock: ImplSocket, destination: Peer) -> None:
    """Check that a socket is connected to this peer (bound or listening): what it sends arrives there."""
    if destination.kind.type == "stream":
        destination = case.keep(destination.accept())
    expect.count(sock.send(b"to you"), 6)
    expect.same(destination.recv(), b"to you", "what the peer received")


def listens(sock: ImplSocket, kind: Kind) -> ImplSocket:
    """Make a bound stream socket listen; a datagram socket stays as it is. Returns the socket."""
    if kind.type == "stream":
        expect.true(sock.listen(4), "listen()")
    return sock


def peer_at(case: Case, host: str | bytes, port: int | None = 0) -> Peer:
    """A new socket of the suite to connect to at this host and port, or path."""
    peer = case.peer().bind(host, port)
    return peer.listen() if peer.kind.type == "stream" else peer


def port_of(sock: ImplSocket) -> int:
    """The port that getsockname() returns for a bound socket."""
    _, port = expect.address(sock.getsockname(), "getsockname()")
    if type(port) is not int or not 0 < port < 65536:
        expect.mismatch("the port of getsockname() after bind()", "an int from 1 to 65535", port)
    return port


def bound_to_any(case: Case) -> tuple[ImplSocket, int]:
    """A new socket of the implementation, bound to all addresses and a free port, and that port."""
    sock = case.socket()
    expect.true(sock.bind(None, 0), "bind()")
    return sock, port_of(sock)


def free_port(case: Case, host: str) -> int:
    """A port of the case's kind that no program uses at this address; another one may take it at any moment."""
    peer = case.peer().bind(host)
    port = peer.address[1]
    peer.close()
    return port or 0


def _port_of_octal_digits(case: Case) -> int:
    """A free port of loopback without the digits 8 and 9: with a 0 in front, an octal reading is another number."""
    for _ in range(_DRAWS):
        with socket.socket(family_of(case.kind), type_of(case.kind)) as unused:
            unused.bind((case.loopback, 0))
            port: int = unused.getsockname()[1]
        if not set("89") & set(str(port)):
            return port
    return port


@dataclass
class Attempt:
    """A call of bind() or connect() with the port in one of the spellings."""

    sock: ImplSocket
    outcome: Outcome
    #: Raises `Mismatch` if the socket is not bound to, or connected to, that host and port.
    right_address: Callable[[], None]


def attempt(case: Case, method: str, spell: Callable[[int], Argument]) -> Attempt:
    """Call bind() with a free port of loopback, or connect() with a peer's, in this spelling."""
    return attempt_connect(case, spell) if method == "connect" else attempt_bind(case, spell)


def attempt_bind(case: Case, spell: Callable[[int], Argument]) -> Attempt:
    """Bind a new socket to a free port of loopback in this spelling."""
    for _ in range(ATTEMPTS):
        port = _port_of_octal_digits(case)
        sock = case.socket()
        outcome = sock.bind(case.loopback, spell(port))
        if not (isinstance(outcome, Failure) and outcome.name == "EADDRINUSE"):
            break
    return Attempt(sock, outcome, lambda: expect.at(sock.getsockname(), (case.loopback, port), "getsockname()"))


def attempt_connect(case: Case, spell: Callable[[int], Argument]) -> Attempt:
    """Connect a new socket to a peer on loopback whose port is given in this spelling."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(expect.Mismatch):  # another program took the port first
            peer = peer_at(case, case.loopback, _port_of_octal_digits(case))
            break
    else:
        peer = case.destination()
    sock = case.socket()
    outcome = sock.connect(case.loopback, spell(peer.address[1] or 0))
    return Attempt(sock, outcome, lambda: reaches(case, sock, peer))


def uses_loopback(case: Case, method: str, host: str) -> None:
    """Check that bind() or connect() with this spelling of the loopback address succeeds and uses that address."""
    sock = case.socket()
    if method == "bind":
        expect.true(sock.bind(host, 0), "bind()")
        reached(case, listens(sock, case.kind), (case.loopback, port_of(sock)))
    else:
        peer = case.destination()
        expect.true(sock.connect(host, peer.address[1]), "connect()")
        reaches(case, sock, peer)


def uses_name(case: Case, method: str, name: str | bytes, port: Argument = None) -> None:
    """Check that bind() or connect() of a UNIX socket with this name and port succeeds and uses that name.

    `name` is a path or an abstract name.
    """
    sock = case.socket()
    if method == "bind":
        expect.true(sock.bind(name, port), "bind()")
        reached(case, listens(sock, case.kind), (name, None))
    else:
        peer = peer_at(case, name)
        expect.true(sock.connect(name, port), "connect()")
        reaches(case, sock, peer)
