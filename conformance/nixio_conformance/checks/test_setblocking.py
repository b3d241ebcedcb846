"""setblocking: calls that receive, accept or connect wait, or fail with would-block."""

import socket
import struct

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import retry_would_block
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.peer import Address

each_mode = pytest.mark.parametrize("mode", [pytest.param(True, id="true"), pytest.param(False, id="false")])


def set_mode(sock: ImplSocket, mode: bool) -> None:
    expect.true(sock.setblocking(mode), f"setblocking({mode})")


def received(outcome: Outcome, data: bytes) -> None:
    """Check that the first value of recv, read or recvfrom is this data."""
    expect.same(expect.first(outcome, "receiving"), data, "data received")


def receives_after_waiting(pair: Pair, method: str = "recv") -> None:
    pending = pair.impl.start(method, 10)
    expect.waits(pending, f"{method}() without data")
    pair.peer.send(b"?")
    received(pending.outcome(), b"?")


@clause("setblocking.result.true")
@each_mode
def test_success_is_true(case: Case, mode: bool) -> None:
    expect.true(case.socket().setblocking(mode), "setblocking()")


@clause("setblocking.result.connected")
@each_mode
def test_success_on_a_connection_is_true(either_pair: Pair, mode: bool) -> None:
    expect.true(either_pair.impl.setblocking(mode), "setblocking()")


@clause("setblocking.argument.required")
def test_a_mode_is_required(case: Case) -> None:
    expect.refused_argument(case.socket().setblocking(), "setblocking()")


@clause("setblocking.argument.nothing-done")
def test_a_refused_call_changes_nothing(pair: Pair) -> None:
    pair.impl.setblocking()
    receives_after_waiting(pair)


@clause("setblocking.false.receiving")
@each_receiver
def test_receiving_would_block(either_pair: Pair, method: str) -> None:
    set_mode(either_pair.impl, False)
    expect.would_block(either_pair.impl.call(method, 10), f"{method}()")


@clause("setblocking.false.receives-data")
@each_receiver
def test_data_is_received_without_waiting(pair: Pair, method: str) -> None:
    set_mode(pair.impl, False)
    pair.peer.send(b"?")
    received(retry_would_block(lambda: pair.impl.call(method, 10)), b"?")


@clause("setblocking.false.loses-nothing")
@each_receiver
def test_no_data_is_lost_by_would_block(pair: Pair, method: str) -> None:
    sock, peer = pair.impl, pair.peer
    set_mode(sock, False)
    sock.call(method, 10)
    sock.call(method, 10)
    peer.send(b"1")
    received(retry_would_block(lambda: sock.call(method, 1)), b"1")
    sock.call(method, 10)
    peer.send(b"2")
    received(retry_would_block(lambda: sock.call(method, 1)), b"2")


@clause("setblocking.false.end")
@each_receiver
def test_the_end_of_the_stream_does_not_block(either_pair: Pair, method: str) -> None:
    set_mode(either_pair.impl, False)
    either_pair.peer.shutdown()
    received(retry_would_block(lambda: either_pair.impl.call(method, 10)), b"")


@clause("setblocking.false.accepting")
@pytest.mark.parametrize("since", ["new", "bound", "listening"])
def test_accepting_would_block(case: Case, since: str) -> None:
    listener = case.socket()
    if since == "new":
        set_mode(listener, False)
    case.bind(listener)
    if since == "bound":
        set_mode(listener, False)
    expect.true(listener.listen(5), "listen()")
    if since == "listening":
        set_mode(listener, False)
    expect.would_block(listener.accept(), "accept()")


@clause("setblocking.false.connecting-tcp")
def test_connecting_over_tcp_is_in_progress(case: Case) -> None:
    listener = case.listening_peer(0)
    case.peer().connect(listener.address)  # the queue is full: the system does not answer the next one
    sock = case.socket()
    set_mode(sock, False)
    expect.fails(sock.connect(*listener.address), "EINPROGRESS", what="connect()")


def fill_queue(case: Case, address: Address) -> None:
    """Connect to a UNIX listener until its queue is full."""
    while case.peer().connect_now(address):
        pass


@clause("setblocking.false.connecting-unix")
def test_connecting_over_unix_would_block(case: Case) -> None:
    listener = case.listening_peer(0)
    sock = case.socket()
    set_mode(sock, False)
    fill_queue(case, listener.address)
    expect.would_block(sock.connect(*listener.address), "connect()")


@clause("setblocking.false.lasts")
def test_the_mode_lasts(case: Case) -> None:
    peer = case.destination()
    sock = case.socket()
    set_mode(sock, False)
    case.bind(sock)
    outcome = sock.connect(*peer.address)
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EINPROGRESS", what="connect()")
    if case.kind.type == "stream":
        case.keep(peer.accept())
    expect.would_block(sock.recv(10), "recv()")
    expect.would_block(sock.recv(10), "recv() again")


@clause("setblocking.default.receiving")
@each_receiver
def test_receiving_waits_by_default(either_pair: Pair, method: str) -> None:
    receives_after_waiting(either_pair, method)


@clause("setblocking.true.receiving")
@each_receiver
def test_receiving_waits_again(either_pair: Pair, method: str) -> None:
    set_mode(either_pair.impl, False)
    either_pair.impl.call(method, 10)
    set_mode(either_pair.impl, True)
    receives_after_waiting(either_pair, method)


@clause("setblocking.true.accepting")
def test_accepting_waits_again(case: Case) -> None:
    listener, address = case.listening()
    set_mode(listener, False)
    listener.accept()
    set_mode(listener, True)
    pending = listener.start("accept")
    expect.waits(pending, "accept() without a connection")
    case.peer().connect(address)
    expect.values(pending.outcome(), 3, "accept()")


@clause("setblocking.true.connecting")
def test_connecting_waits_again(case: Case) -> None:
    listener = case.listening_peer(0)
    sock = case.socket()
    set_mode(sock, False)
    fill_queue(case, listener.address)
    sock.connect(*listener.address)
    set_mode(sock, True)
    pending = sock.start("connect", *listener.address)
    expect.waits(pending, "connect() to a listener whose queue is full")
    case.keep(listener.accept())
    expect.true(pending.outcome(), "connect()")


@clause("setblocking.repeated.false")
@pytest.mark.parametrize("modes", [(False, False), (False, True, False)], ids=["twice", "last"])
def test_the_last_call_with_false_counts(pair: Pair, modes: tuple[bool, ...]) -> None:
    for mode in modes:
        set_mode(pair.impl, mode)
    expect.would_block(pair.impl.recv(10), "recv()")


@clause("setblocking.repeated.true")
@pytest.mark.parametrize("modes", [(True, True), (True, False, True)], ids=["twice", "last"])
def test_the_last_call_with_true_counts(pair: Pair, modes: tuple[bool, ...]) -> None:
    for mode in modes:
        set_mode(pair.impl, mode)
    receives_after_waiting(pair)


@clause("setblocking.own")
@pytest.mark.parametrize("other", ["before", "after"])
def test_other_sockets_stay_blocking(case: Case, other: str) -> None:
    before = case.pair()
    sock = case.socket()
    set_mode(sock, False)
    receives_after_waiting(before if other == "before" else case.pair())


@clause("setblocking.timeouts")
@pytest.mark.parametrize("option", ["rcvtimeo", "sndtimeo"])
def test_timeouts_are_kept(case: Case, option: str) -> None:
    number = {"rcvtimeo": socket.SO_RCVTIMEO, "sndtimeo": socket.SO_SNDTIMEO}[option]
    sock = case.socket()
    with case.view(sock) as view:
        view.setsockopt(socket.SOL_SOCKET, number, struct.pack("@ll", 7, 0))
        set_mode(sock, False)
        set_mode(sock, True)
        left = struct.unpack("@ll", view.getsockopt(socket.SOL_SOCKET, number, 16))
    expect.same(left, (7, 0), f"{option} after setblocking()")


@clause("setblocking.timeouts.count")
def test_timeouts_work_after_it(pair: Pair) -> None:
    expect.true(pair.impl.setopt("socket", "rcvtimeo", (0, 10_000)), "setopt()")
    set_mode(pair.impl, False)
    set_mode(pair.impl, True)
    expect.would_block(pair.impl.recv(10), "recv()")


@clause("setblocking.descriptor")
@each_mode
def test_the_socket_stays_connected(pair: Pair, mode: bool) -> None:
    pair.peer.send(b"<")
    set_mode(pair.impl, mode)
    received(retry_would_block(lambda: pair.impl.recv(10)), b"<")
    expect.count(pair.impl.send(b">"), 1)
    expect.same(pair.peer.recv(), b">", "what the peer received")
