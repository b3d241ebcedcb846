"""Calls that are left pending: blocking accept and recv."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.errors import AgentHung
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import PENDING, Transcript

Host = Callable[[str], Session]

SOURCE = """
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
    return host(SOURCE)


@pytest.fixture
def listener(session: Session) -> ImplSocket:
    return open_socket(session)


@pytest.fixture
def client(listener: ImplSocket) -> Iterator[socket.socket]:
    """A socket that is not connected yet."""
    with socket.socket() as made:
        made.settimeout(10)
        yield made


def address(sock: ImplSocket) -> tuple[str, int]:
    outcome = sock.getsockname()
    assert isinstance(outcome, Returned)
    host, number = outcome.values
    assert isinstance(host, str)
    assert isinstance(number, int)
    return host, number


def accepted(sock: ImplSocket, client: socket.socket) -> ImplSocket:
    client.connect(address(sock))
    outcome = sock.accept()
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[0], ImplSocket)
    return outcome.values[0]


def test_an_accept_waits_for_a_connection(listener: ImplSocket, client: socket.socket) -> None:
    name = address(listener)
    pending = listener.start("accept")
    assert pending.blocked()
    assert not pending.done()
    client.connect(name)
    assert pending.done(10)
    outcome = pending.outcome()
    assert isinstance(outcome, Returned)
    assert outcome.values[1:] == client.getsockname()
    assert not pending.blocked()
    assert pending.outcome() is outcome, "the outcome is kept"


def test_a_recv_waits_for_data(listener: ImplSocket, client: socket.socket) -> None:
    sock = accepted(listener, client)
    pending = sock.start("recv", 100)
    assert pending.blocked()
    client.sendall(b"at last")
    assert pending.outcome() == Returned((b"at last",))


def test_a_recv_of_queued_data_does_not_block(listener: ImplSocket, client: socket.socket) -> None:
    sock = accepted(listener, client)
    client.sendall(b"here")
    pending = sock.start("recv", 100)
    assert not pending.blocked()
    assert pending.outcome() == Returned((b"here",))


def test_a_pending_call_that_never_returns_hangs(listener: ImplSocket) -> None:
    pending = listener.start("accept")
    with pytest.raises(AgentHung, match=r"^s1\.accept\(\): the (agent|implementation) took more than"):
        pending.outcome(0.2)


def test_one_call_at_a_time(listener: ImplSocket) -> None:
    listener.start("accept")
    with pytest.raises(AssertionError, match="a call is pending already"):
        listener.start("getsockname")


def test_the_transcript_marks_a_call_that_was_left_pending(
    session: Session, listener: ImplSocket, client: socket.socket
) -> None:
    name = address(listener)
    pending = listener.start("accept")
    step = session.transcript.steps[-1]
    assert step.result == PENDING
    connecting = session.transcript.begin("peer", "peer1", "connect", (name,))
    client.connect(name)
    session.transcript.end(connecting, "")
    pending.outcome()
    assert step.overlapped
    assert not connecting.overlapped
    assert step.assigns[0] == "s2"


def test_a_pending_call_does_not_disturb_the_next_case(session: Session, listener: ImplSocket) -> None:
    listener.start("accept")
    session.end_case()
    session.begin_case(Transcript())
    assert isinstance(session.open("inet", "stream"), Returned)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not show the system call")
def test_a_blocked_call_is_seen_at_once(
    listener: ImplSocket, session: Session, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if "in-process" in request.node.name:
        pytest.skip("/proc shows the main thread only")
    monkeypatch.setattr("nixio_conformance.driver.blocking.GRACE", float("inf"))
    assert listener.start("accept").blocked()
