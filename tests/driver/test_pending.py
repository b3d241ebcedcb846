"""Calls that are left pending: a blocking accept or recv is tested for real."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from nixio_conformance.driver.errors import AgentHung
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import PENDING, Transcript

Host = Callable[[str], Session]

PORT = """
    import socket as _socket

    class Socket:
        def __init__(self):
            self.sock = _socket.socket()
            self.sock.bind(("127.0.0.1", 0))
            self.sock.listen()
        def getsockname(self):
            return self.sock.getsockname()
        def accept(self):
            connection, address = self.sock.accept()
            accepted = Socket.__new__(Socket)
            accepted.sock = connection
            return accepted, *address
        def recv(self, size):
            return self.sock.recv(size)
        def close(self):
            self.sock.close()

    def socket(domain, type, protocol=None):
        return Socket()
"""


@pytest.fixture
def session(host: Host) -> Session:
    return host(PORT)


@pytest.fixture
def port(session: Session) -> ImplSocket:
    outcome = session.open("inet", "stream")
    assert isinstance(outcome, Returned)
    (found,) = outcome.values
    assert isinstance(found, ImplSocket)
    return found


@pytest.fixture
def client(port: ImplSocket) -> Iterator[socket.socket]:
    """Not connected yet; its address is the port's."""
    with socket.socket() as made:
        made.settimeout(10)
        yield made


def address(port: ImplSocket) -> tuple[str, int]:
    outcome = port.getsockname()
    assert isinstance(outcome, Returned)
    host, number = outcome.values
    assert isinstance(host, str)
    assert isinstance(number, int)
    return host, number


def accepted(port: ImplSocket, client: socket.socket) -> ImplSocket:
    client.connect(address(port))
    outcome = port.accept()
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[0], ImplSocket)
    return outcome.values[0]


def test_an_accept_waits_until_somebody_connects(port: ImplSocket, client: socket.socket) -> None:
    where = address(port)
    pending = port.start("accept")
    assert pending.blocked()
    assert not pending.done()
    client.connect(where)
    assert pending.done(10)
    outcome = pending.outcome()
    assert isinstance(outcome, Returned)
    assert outcome.values[1:] == client.getsockname()
    assert not pending.blocked()
    assert pending.outcome() is outcome, "an outcome can be asked for again"


def test_a_recv_waits_until_data_comes(port: ImplSocket, client: socket.socket) -> None:
    sock = accepted(port, client)
    pending = sock.start("recv", 100)
    assert pending.blocked()
    client.sendall(b"at last")
    assert pending.outcome() == Returned((b"at last",))


def test_a_recv_of_what_is_there_does_not_block(port: ImplSocket, client: socket.socket) -> None:
    sock = accepted(port, client)
    client.sendall(b"here")
    pending = sock.start("recv", 100)
    assert not pending.blocked()
    assert pending.outcome() == Returned((b"here",))


def test_a_pending_call_that_nobody_ends_hangs(port: ImplSocket) -> None:
    pending = port.start("accept")
    with pytest.raises(AgentHung, match=r"^s1\.accept\(\): the (agent|implementation) took more than"):
        pending.outcome(0.2)


def test_one_call_at_a_time(port: ImplSocket) -> None:
    port.start("accept")
    with pytest.raises(AssertionError, match="a call is pending already"):
        port.start("getsockname")


def test_the_transcript_tells_a_call_that_was_left_pending(
    session: Session, port: ImplSocket, client: socket.socket
) -> None:
    where = address(port)
    pending = port.start("accept")
    step = session.transcript.steps[-1]
    assert step.result == PENDING
    connecting = session.transcript.begin("peer", "peer1", "connect", (where,))
    client.connect(where)
    session.transcript.end(connecting, "")
    pending.outcome()
    assert step.overlapped
    assert not connecting.overlapped
    assert step.assigns[0] == "s2"


def test_a_case_that_ends_with_a_pending_call_leaves_the_next_one_alone(session: Session, port: ImplSocket) -> None:
    port.start("accept")
    session.end_case()
    session.begin_case(Transcript())
    assert isinstance(session.open("inet", "stream"), Returned)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell what a process sleeps in")
def test_blocking_is_seen_and_not_waited_out(
    port: ImplSocket, session: Session, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if "in-process" in request.node.name:
        pytest.skip("another thread's sleep is not looked at")
    monkeypatch.setattr("nixio_conformance.driver.blocking.GRACE", float("inf"))
    assert port.start("accept").blocked()
