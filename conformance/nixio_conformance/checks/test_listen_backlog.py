"""listen: the backlog is the length of the system's queue of connections."""

import socket
import struct
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
    """The backlog that Linux uses: at most the host's limit. No other system has a limit below 128."""
    return min(backlog, int(SOMAXCONN.read_text())) if SOMAXCONN.exists() else backlog


def queue(case: Case, listener: ImplSocket) -> tuple[int, int]:
    """How many connections wait to be accepted, and how many the queue can hold, by tcp_info of a TCP listener."""
    with case.view(listener) as view:
        info = view.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    waiting, limit = struct.unpack_from("II", info, 24)
    return waiting, limit


def completed(case: Case, address: Address, at_most: int) -> int:
    """The number of connections to a path that complete without accept(), at most `at_most`."""
    return next((count for count in range(at_most) if not case.peer().connect_now(address)), at_most)


@clause("listen.backlog.zero")
def test_backlog_0_listens(case: Case) -> None:
    sock, address = case.bound()
    expect.true(sock.listen(0), "listen(0)")
    case.peer().connect(address)
    expect.values(sock.accept(), 3, "accept()")


@clause("listen.backlog.at-least")
@pytest.mark.parametrize("backlog", [1, 6, 20])
def test_as_many_as_the_backlog_connect(case: Case, backlog: int) -> None:
    _, address = case.listening(backlog)
    for _ in range(capped(backlog)):
        case.peer().connect(address)


@clause("listen.backlog.exact-tcp")
@pytest.mark.parametrize("backlog", [0, 1, 2, 3, 5, 9, 17, 40, 100, 129, 200, 1000, 4000])
def test_the_tcp_queue_has_the_backlogs_length(case: Case, backlog: int) -> None:
    sock, _ = case.listening(backlog)
    expect.same(queue(case, sock)[1], capped(backlog), "the length of the listener's queue")


@clause("listen.backlog.exact-unix")
@pytest.mark.parametrize("backlog", [0, 1, 2, 5, 9, 40, 129, 200])
def test_the_unix_queue_has_the_backlogs_length(case: Case, backlog: int) -> None:
    _, address = case.listening(backlog)
    found = completed(case, address, backlog + 20)
    expect.same(found, capped(backlog) + 1, "connections that completed without accept()")


@clause("listen.backlog.negative")
def test_a_negative_backlog_is_0_or_refused(case: Case) -> None:
    sock, address = case.bound()
    outcome = sock.listen(-1)
    if isinstance(outcome, Failure):  # POSIX treats it as 0; an implementation may refuse it
        expect.fails(outcome, "argument", "EINVAL", what="listen(-1)")
        return
    expect.true(outcome, "listen(-1)")
    case.peer().connect(address)


@clause("listen.backlog.largest")
@pytest.mark.parametrize("backlog", [pytest.param(65536, id="2^16"), pytest.param(2**31 - 1, id="2^31-1")])
def test_a_backlog_above_the_systems_limit_is_accepted(case: Case, backlog: int) -> None:
    sock, address = case.bound()
    expect.true(sock.listen(backlog), f"listen({backlog})")
    for _ in range(capped(6)):
        case.peer().connect(address)


@clause("listen.backlog.no-wrap")
@pytest.mark.parametrize("backlog", [pytest.param(2**32, id="2^32"), pytest.param(2**32 + 1, id="2^32+1")])
def test_a_large_backlog_does_not_wrap(case: Case, backlog: int) -> None:
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
def test_listening_again_changes_the_tcp_queue(case: Case, first: int, second: int) -> None:
    sock, _ = case.listening(first)
    expect.true(sock.listen(second), "listen() again")
    expect.same(queue(case, sock)[1], capped(second), "the length of the listener's queue")


@clause("listen.again.changes-unix")
@pytest.mark.parametrize(("first", "second"), [pytest.param(2, 9, id="more"), pytest.param(9, 2, id="less")])
def test_listening_again_changes_the_unix_queue(case: Case, first: int, second: int) -> None:
    sock, address = case.listening(first)
    expect.true(sock.listen(second), "listen() again")
    expect.same(completed(case, address, 20), capped(second) + 1, "connections that completed without accept()")


@clause("listen.passive")
def test_connections_wait_until_accepted(case: Case) -> None:
    sock, address = case.listening(5)
    case.peer().connect(address)
    case.peer().connect(address)
    arrived = wait_for(lambda: queue(case, sock)[0] == 2)
    expect.holds(arrived, "connections that wait in the system", 2, queue(case, sock)[0])
