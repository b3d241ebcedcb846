"""close: every method of a closed socket fails, and none affects another socket that has its descriptor now."""

import os
import socket

import pytest

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import METHODS, valid_arguments
from nixio_conformance.toolkit.case import LOOPBACK, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address

#: Methods that change a socket that is neither bound nor connected.
CHANGING_IDLE = ("bind", "connect", "listen", "sendto")


def is_closed(outcome: Outcome, method: str) -> None:
    """Check that the call failed as on a closed socket."""
    expect.fails(outcome, "argument", "EBADF", what=f"{method}() after close()")


def target(case: Case, method: str) -> Address:
    """An address that the method could use on an open socket; empty if it takes none."""
    if method not in ("bind", "connect", "sendto"):
        return "", None
    if method == "bind":
        return (case.path(), None) if case.kind.domain == "unix" else (LOOPBACK[case.kind.domain], 0)
    return case.destination().address


def settings(view: socket.socket) -> tuple[bool, int]:
    """The system's values of the settings that the calls would change: blocking mode and keepalive."""
    return os.get_blocking(view.fileno()), view.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@clause("close.after.method")
@pytest.mark.parametrize("method", METHODS)
def test_methods_of_a_closed_connection_fail(case: Case, either_pair: Pair, method: str) -> None:
    address = target(case, method)
    either_pair.impl.close()
    is_closed(either_pair.impl.call(method, *valid_arguments(method, address)), method)


@clause("close.after.new")
@pytest.mark.parametrize("method", METHODS)
def test_methods_of_a_closed_new_socket_fail(case: Case, method: str) -> None:
    sock = case.socket()
    sock.close()
    address = (LOOPBACK[case.kind.domain], 0) if case.kind.type == "raw" else target(case, method)
    is_closed(sock.call(method, *valid_arguments(method, address)), method)


@clause("close.reused.method")
@pytest.mark.parametrize("method", METHODS)
def test_a_connection_with_the_descriptor_is_not_affected(case: Case, method: str) -> None:
    closed = case.pair().impl
    closed.close()
    other = case.pair()
    other.peer.send(b"<")
    is_closed(closed.call(method, *valid_arguments(method, other.peer.address)), method)
    expect.data(other.impl.recv(10), b"<", "what the other socket received")
    expect.count(other.impl.send(b">"), 1, "bytes sent on the other socket")
    expect.same(other.peer.recv(), b">", "what the other socket's peer received")


@clause("close.reused.idle")
@pytest.mark.parametrize("method", CHANGING_IDLE)
def test_an_idle_socket_with_the_descriptor_is_not_affected(case: Case, method: str) -> None:
    closed = case.pair().impl
    address = target(case, method)
    closed.close()
    other = case.socket()
    with case.view(other) as view:
        before = view.getsockname()
        is_closed(closed.call(method, *valid_arguments(method, address)), method)
        expect.same(view.getsockname(), before, "the other socket's address")


@clause("close.reused.settings")
@pytest.mark.parametrize("method", ["setblocking", "setopt"])
def test_settings_of_a_socket_with_the_descriptor_are_not_affected(case: Case, method: str) -> None:
    closed = case.pair().impl
    closed.close()
    other = case.socket()
    with case.view(other) as view:
        before = settings(view)
        is_closed(closed.call(method, *valid_arguments(method, ("", None))), method)
        after = settings(view)
    expect.same(after, before, "options and mode of the other socket")


@clause("close.reused.listener")
def test_a_listener_with_the_descriptor_is_not_affected(case: Case) -> None:
    closed, _ = case.listening()
    closed.close()
    other, address = case.listening()
    peer = case.peer().connect(address)
    is_closed(closed.accept(), "accept")
    accepted = expect.accepted(other.accept(), "accept() of the other listener")
    expect.count(accepted.send(b">"), 1)
    expect.same(peer.recv(), b">", "what the peer received")
