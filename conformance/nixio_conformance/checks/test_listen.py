"""listen: which sockets can listen, and what changes. The length of the queue is in test_listen_backlog."""

import socket

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address
from nixio_conformance.toolkit.reach import port_of

#: Values that are not a number.
NO_NUMBERS = [pytest.param(None, id="none"), pytest.param("x", id="text"), pytest.param((1,), id="tuple")]


@clause("listen.backlog.required")
def test_a_backlog_is_required(case: Case) -> None:
    sock, _ = case.bound()
    expect.refused_argument(sock.listen(), "listen()")


@clause("listen.backlog.number")
@pytest.mark.parametrize("backlog", NO_NUMBERS)
def test_a_backlog_is_a_number(case: Case, backlog: str | None) -> None:
    sock, _ = case.bound()
    expect.refused_argument(sock.listen(backlog), f"listen({backlog!r})")


@clause("listen.backlog.refused-not-listening")
@pytest.mark.parametrize("backlog", NO_NUMBERS)
def test_a_refused_call_does_not_listen(case: Case, backlog: str | None) -> None:
    sock, address = case.bound()
    sock.listen(backlog)
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("listen.again.keeps-pending")
def test_listening_again_keeps_pending_connections(case: Case) -> None:
    sock, address = case.listening(2)
    peer = case.peer().connect(address)
    expect.true(sock.listen(5), "listen() again")
    accepted = expect.accepted(sock.accept())
    expect.count(accepted.send(b"?"), 1)
    expect.same(peer.recv(), b"?", "what the first peer received")


@clause("listen.address")
def test_it_listens_at_its_address(case: Case) -> None:
    sock, address = case.bound()
    sock.listen(5)
    with case.view(sock) as view:
        expect.same(contract_address(case.kind, view.getsockname()), address, "the listener's address")


@clause("listen.waits-not")
def test_it_does_not_wait(case: Case) -> None:
    sock, _ = case.bound()
    pending = sock.start("listen", 5)
    expect.holds(pending.done(5.0), "listen() without a connection", "a call that returns", "a call that waits")
    expect.true(pending.outcome(), "listen()")


@clause("listen.keeps-mode")
def test_the_listener_stays_blocking(case: Case) -> None:
    sock, address = case.listening()
    pending = sock.start("accept")
    expect.waits(pending, "accept() without a connection")
    case.peer().connect(address)
    expect.values(pending.outcome(), 3, "accept()")


@clause("listen.unbound.inet")
def test_an_unbound_ip_socket_gets_a_port(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.listen(5), "listen() without bind()")
    host, _ = expect.address(sock.getsockname(), "getsockname()")
    expect.same(host, ANY[case.kind.domain], "the host that it listens at")
    case.peer().connect((case.loopback, port_of(sock)))


@clause("listen.unbound.unix")
def test_an_unbound_unix_socket_fails(case: Case) -> None:
    # Linux returns EINVAL, POSIX specifies EDESTADDRREQ.
    expect.fails(case.socket().listen(5), "EINVAL", "EDESTADDRREQ", what="listen() without bind()")


@clause("listen.connected")
def test_a_connected_socket_fails(either_pair: Pair) -> None:
    expect.fails(either_pair.impl.listen(5), "EINVAL", what="listen() when connected")


@clause("listen.connected.undisturbed")
def test_a_connected_socket_stays_connected(either_pair: Pair) -> None:
    either_pair.impl.listen(5)
    either_pair.peer.send(b"?")
    expect.data(either_pair.impl.recv(10), b"?")


@clause("listen.in-use")
def test_a_second_listener_at_an_address_fails(case: Case) -> None:
    def reusing() -> ImplSocket:
        sock = case.socket()
        with case.view(sock) as view:
            view.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    first, second = reusing(), reusing()
    address = case.bind(first)
    expect.true(second.bind(*address), "bind() of a second socket")
    expect.true(first.listen(5), "listen()")
    expect.fails(second.listen(5), "EADDRINUSE", what="listen() of the second socket")
