"""listen: the backlog is the length of the system's queue."""

import socket
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address

SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


def capped(backlog: int) -> int:
    """What Linux makes of a backlog: never more than the host's limit. (No other system has one below 128.)"""
    return min(backlog, int(SOMAXCONN.read_text())) if SOMAXCONN.exists() else backlog


def queue(case: Case, listener: ImplSocket) -> tuple[int, int]:
    """Connections that wait to be accepted, and how many may: the kernel's view of a TCP listener (tcp_info)."""
    with case.view(listener) as view:
        info = view.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    waiting, limit = struct.unpack_from("II", info, 24)
    return waiting, limit


def completed(address: Address, at_most: int) -> int:
    """How many connections to a path complete although nobody accepts them."""
    with ExitStack() as clients:
        for count in range(at_most):
            client = clients.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.setblocking(False)
            try:
                client.connect(str(address[0]))
            except BlockingIOError:
                return count
    return at_most


@clause("listen.backlog.zero")
def test_zero(case: Case) -> None:
    sock, address = case.bound()
    expect.true(sock.listen(0), "listen(0)")
    case.peer().connect(address)
    expect.values(sock.accept(), 3, "accept()")


@clause("listen.backlog.at-least")
@pytest.mark.parametrize("backlog", [1, 6, 20])
def test_that_many_connect(case: Case, backlog: int) -> None:
    _, address = case.listening(backlog)
    for _ in range(capped(backlog)):
        case.peer().connect(address)


@clause("listen.backlog.exact-tcp")
@pytest.mark.parametrize("backlog", [0, 1, 2, 3, 5, 9, 17, 40, 100, 129, 200, 1000, 4000])
def test_kernel_queue(case: Case, backlog: int) -> None:
    sock, _ = case.listening(backlog)
    expect.same(queue(case, sock)[1], capped(backlog), "the length of the listener's queue")


@clause("listen.backlog.exact-unix")
@pytest.mark.parametrize("backlog", [0, 1, 2, 5, 9, 40, 129, 200])
def test_unix_connections(case: Case, backlog: int) -> None:
    _, address = case.listening(backlog)
    expect.same(completed(address, backlog + 20), capped(backlog) + 1, "connections that completed without accept()")


@clause("listen.backlog.negative")
def test_negative(case: Case) -> None:
    sock, address = case.bound()
    outcome = sock.listen(-1)
    if isinstance(outcome, Failure):  # POSIX takes it for 0; an implementation may call it a mistake
        expect.fails(outcome, "argument", "EINVAL", what="listen(-1)")
        return
    expect.true(outcome, "listen(-1)")
    case.peer().connect(address)


@clause("listen.backlog.largest")
@pytest.mark.parametrize("backlog", [pytest.param(65536, id="2^16"), pytest.param(2**31 - 1, id="2^31-1")])
def test_more_than_the_system_can(case: Case, backlog: int) -> None:
    sock, address = case.bound()
    expect.true(sock.listen(backlog), f"listen({backlog})")
    for _ in range(capped(6)):
        case.peer().connect(address)


@clause("listen.backlog.no-wrap")
@pytest.mark.parametrize("backlog", [pytest.param(2**32, id="2^32"), pytest.param(2**32 + 1, id="2^32+1")])
def test_never_wraps(case: Case, backlog: int) -> None:
    sock, address = case.bound()
    outcome = sock.listen(backlog)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "argument", "EINVAL", what=f"listen({backlog})")
        return
    expect.true(outcome, f"listen({backlog})")
    for _ in range(capped(6)):
        case.peer().connect(address)


@clause("listen.again.changes-tcp")
@pytest.mark.parametrize(("first", "second"), [pytest.param(2, 9, id="more"), pytest.param(9, 2, id="less")])
def test_listening_again_tcp(case: Case, first: int, second: int) -> None:
    sock, _ = case.listening(first)
    expect.true(sock.listen(second), "listen() again")
    expect.same(queue(case, sock)[1], capped(second), "the length of the listener's queue")


@clause("listen.again.changes-unix")
@pytest.mark.parametrize(("first", "second"), [pytest.param(2, 9, id="more"), pytest.param(9, 2, id="less")])
def test_listening_again_unix(case: Case, first: int, second: int) -> None:
    sock, address = case.listening(first)
    expect.true(sock.listen(second), "listen() again")
    expect.same(completed(address, 20), capped(second) + 1, "connections that completed without accept()")


@clause("listen.passive")
def test_connections_wait_in_the_system(case: Case) -> None:
    sock, address = case.listening(5)
    case.peer().connect(address)
    case.peer().connect(address)
    arrived = wait_for(lambda: queue(case, sock)[0] == 2)
    expect.holds(arrived, "connections that wait in the system", 2, queue(case, sock)[0])
