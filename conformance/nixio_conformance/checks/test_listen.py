"""listen: who may, and when. How long the queue is stands in test_listen_backlog."""

import socket

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, LOOPBACK, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address

#: Values that are no number: None is how a caller leaves the argument out in the middle of others.
NO_NUMBERS = [pytest.param(None, id="none"), pytest.param("x", id="text"), pytest.param((1,), id="tuple")]


@clause("listen.result.true")
def test_returns_true(case: Case) -> None:
    sock, _ = case.bound()
    expect.true(sock.listen(5), "listen()")


@clause("listen.backlog.required")
def test_backlog_is_required(case: Case) -> None:
    sock, _ = case.bound()
    expect.refused_argument(sock.listen(), "listen()")


@clause("listen.backlog.number")
@pytest.mark.parametrize("backlog", NO_NUMBERS)
def test_backlog_is_a_number(case: Case, backlog: str | None) -> None:
    sock, _ = case.bound()
    expect.refused_argument(sock.listen(backlog), f"listen({backlog!r})")


@clause("listen.backlog.refused-not-listening")
@pytest.mark.parametrize("backlog", NO_NUMBERS)
def test_refused_backlog_does_not_listen(case: Case, backlog: str | None) -> None:
    sock, address = case.bound()
    sock.listen(backlog)
    expect.same(case.peer().attempt(address), "ECONNREFUSED", "a peer that connects")


@clause("listen.again.keeps-pending")
def test_listening_again_keeps_pending_connections(case: Case) -> None:
    sock, address = case.listening(2)
    peer = case.peer().connect(address)
    expect.true(sock.listen(5), "listen() again")
    accepted = expect.socket(expect.returned(sock.accept(), "accept()")[0])
    expect.count(accepted.send(b"?"), 1)
    expect.same(peer.recv(), b"?", "what the first peer received")


@clause("listen.address")
def test_listens_at_its_address(case: Case) -> None:
    sock, address = case.bound()
    sock.listen(5)
    with case.view(sock) as view:
        expect.same(contract_address(case.kind, view.getsockname()), address, "the listener's address")


@clause("listen.waits-not")
def test_does_not_wait(case: Case) -> None:
    sock, _ = case.bound()
    pending = sock.start("listen", 5)
    expect.holds(pending.done(5.0), "listen() while nobody connects", "a return", "it waits")
    expect.true(pending.outcome(), "listen()")


@clause("listen.keeps-mode")
def test_stays_blocking(case: Case) -> None:
    sock, address = case.listening()
    pending = sock.start("accept")
    expect.holds(pending.blocked(), "accept() while nobody connects", "a call that waits", "a call that came back")
    case.peer().connect(address)
    expect.values(pending.outcome(), 3, "accept()")


@clause("listen.unbound.inet")
def test_unbound_inet_gets_an_address(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.listen(5), "listen() without bind()")
    host, port = expect.address(sock.getsockname(), "getsockname()")
    expect.same(host, ANY[case.kind.domain], "the host it listens at")
    if not isinstance(port, int):
        expect.mismatch("the port it listens at", "an int", port)
    case.peer().connect((LOOPBACK[case.kind.domain], port))


@clause("listen.unbound.unix")
def test_unbound_unix_cannot(case: Case) -> None:
    # Linux: EINVAL. POSIX has EDESTADDRREQ for it.
    expect.fails(case.socket().listen(5), "EINVAL", "EDESTADDRREQ", what="listen() without bind()")


@clause("listen.not-stream")
def test_only_streams_listen(case: Case) -> None:
    sock = case.socket() if case.kind.type == "raw" else case.bound()[0]
    expect.fails(sock.listen(5), "EOPNOTSUPP", what="listen()")


@clause("listen.connected")
def test_connected_cannot(either_pair: Pair) -> None:
    expect.fails(either_pair.impl.listen(5), "EINVAL", what="listen() when connected")


@clause("listen.connected.undisturbed")
def test_refusal_leaves_the_connection(either_pair: Pair) -> None:
    either_pair.impl.listen(5)
    either_pair.peer.send(b"?")
    expect.data(either_pair.impl.recv(10), b"?")


@clause("listen.in-use")
def test_taken_address_is_reported(case: Case) -> None:
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
