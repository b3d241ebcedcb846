"""Where a socket of the port is, shown by reaching it there; and ports of this host that are free."""

from __future__ import annotations

from collections.abc import Callable

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_fixtures import Kind

#: Ports to try when another program takes one between the suite's look and the port's bind.
ATTEMPTS = 5


def reached(case: Case, sock: ImplSocket, address: Address, kind: Kind | None = None) -> None:
    """What is sent to the address, or connects to it, arrives at the (listening) socket."""
    peer = case.peer(kind)
    if peer.kind.type == "stream":
        peer.connect(address)
        expect.socket(expect.returned(sock.accept(), "accept()")[0], "accept()")
    else:
        peer.sendto(b"to whom", address)
        expect.data(sock.recv(64), b"to whom")


def listens(sock: ImplSocket, kind: Kind) -> ImplSocket:
    """Have a bound socket listen, if its kind does."""
    if kind.type == "stream":
        expect.true(sock.listen(4), "listen()")
    return sock


def port_of(sock: ImplSocket) -> int:
    """The port that a socket of the port is bound to."""
    _, port = expect.address(sock.getsockname(), "getsockname()")
    if type(port) is not int or not 0 < port < 65536:
        expect.mismatch("the port of getsockname() after bind()", "an int from 1 to 65535", port)
    return port


def free_port(case: Case, host: str) -> int:
    """A port of the case's kind that was free a moment ago."""
    peer = case.peer().bind(host)
    port = peer.address[1]
    peer.close()
    return port or 0


def bind_free(case: Case, spell: Callable[[int], Argument]) -> tuple[ImplSocket, int, Outcome]:
    """Bind a new socket to a free port of loopback in some spelling: the socket, the port, and the outcome."""
    for _ in range(ATTEMPTS):
        port = free_port(case, case.loopback)
        sock = case.socket()
        outcome = sock.bind(case.loopback, spell(port))
        if not (isinstance(outcome, Failure) and outcome.name == "EADDRINUSE"):
            break
    return sock, port, outcome


def arrives(case: Case, sock: ImplSocket, destination: Peer) -> None:
    """A connected socket of the port is connected to this peer: what is sent arrives there."""
    if destination.kind.type == "stream":
        destination = case.keep(destination.accept())
    expect.count(sock.send(b"to you"), 6)
    expect.same(destination.recv(), b"to you", "what the peer received")
