"""shutdown of streams: which direction ends, seen from both ends."""

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver, each_sender
from nixio_conformance.toolkit.transfer import both_directions

#: Arguments for both directions: "rdwr" is the default.
BOTH = [pytest.param((), id="default"), pytest.param((None,), id="none"), pytest.param(("rdwr",), id="rdwr")]
EVERY = [*BOTH, pytest.param(("rd",), id="rd"), pytest.param(("wr",), id="wr")]
ORDERS = [pytest.param(("rd", "wr"), id="rd-wr"), pytest.param(("wr", "rd"), id="wr-rd")]

each_both = pytest.mark.parametrize("how", BOTH)
each_how = pytest.mark.parametrize("how", EVERY)
each_order = pytest.mark.parametrize("order", ORDERS)


def shut(sock: ImplSocket, *how: Argument) -> None:
    """Shut down. Another check requires that it returns True."""
    outcome = sock.shutdown(*how)
    expect.returned(outcome, "shutdown()")


def peer_reads_the_end(pair: Pair) -> None:
    expect.same(pair.peer.recv(), b"", "what the peer received")


def receiving_ends(pair: Pair) -> None:
    expect.data(pair.impl.recv(10), b"")


@clause("shutdown.result.true")
@each_how
def test_success_is_true(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    expect.true(either_pair.impl.shutdown(*how), "shutdown()")


@clause("shutdown.wr.peer-end")
def test_wr_ends_the_peers_receiving(either_pair: Pair) -> None:
    shut(either_pair.impl, "wr")
    peer_reads_the_end(either_pair)


@clause("shutdown.wr.data-first")
def test_wr_comes_after_the_data(either_pair: Pair) -> None:
    expect.count(either_pair.impl.send(b"!"), 1)
    shut(either_pair.impl, "wr")
    expect.same(either_pair.peer.recv_all(), b"!", "all that the peer received")


@clause("shutdown.wr.still-receives")
@each_receiver
def test_wr_keeps_receiving(either_pair: Pair, method: str) -> None:
    shut(either_pair.impl, "wr")
    either_pair.peer.send(b"?")
    expect.same(expect.first(either_pair.impl.call(method, 10), f"{method}()"), b"?", "data received")


@clause("shutdown.wr.keeps-received")
def test_wr_keeps_data_that_has_arrived(either_pair: Pair) -> None:
    # Both bytes arrive together, so the second has arrived when the first is received.
    either_pair.peer.send(b"12")
    expect.data(either_pair.impl.recv(1), b"1")
    shut(either_pair.impl, "wr")
    expect.data(either_pair.impl.recv(1), b"2")


@clause("shutdown.wr.still-waits")
def test_wr_keeps_waiting_for_data(either_pair: Pair) -> None:
    shut(either_pair.impl, "wr")
    pending = either_pair.impl.start("recv", 10)
    expect.waits(pending, "recv() after shutdown('wr')")
    either_pair.peer.send(b"?")
    expect.data(pending.outcome(), b"?")


@clause("shutdown.wr.no-sending")
@each_sender
def test_wr_ends_sending(either_pair: Pair, method: str) -> None:
    shut(either_pair.impl, "wr")
    expect.fails(either_pair.impl.call(method, b"!"), "EPIPE", what=f"{method}()")
    expect.integer(either_pair.impl.fileno(), "fileno() afterwards")


@clause("shutdown.rd.own-end")
@each_receiver
def test_rd_ends_receiving(either_pair: Pair, method: str) -> None:
    shut(either_pair.impl, "rd")
    expect.same(expect.first(either_pair.impl.call(method, 10), f"{method}()"), b"", "data received")


@clause("shutdown.rd.still-sends")
@each_sender
def test_rd_keeps_sending(either_pair: Pair, method: str) -> None:
    shut(either_pair.impl, "rd")
    expect.count(either_pair.impl.call(method, b"!"), 1)
    expect.same(either_pair.peer.recv(), b"!", "what the peer received")


@clause("shutdown.rdwr.peer-end")
@each_both
def test_rdwr_ends_the_peers_receiving(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    shut(either_pair.impl, *how)
    peer_reads_the_end(either_pair)


@clause("shutdown.rdwr.own-end")
@each_both
def test_rdwr_ends_receiving(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    shut(either_pair.impl, *how)
    receiving_ends(either_pair)


@clause("shutdown.rdwr.no-sending")
@each_both
def test_rdwr_ends_sending(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    shut(either_pair.impl, *how)
    expect.fails(either_pair.impl.send(b"!"), "EPIPE", what="send()")
    expect.integer(either_pair.impl.fileno(), "fileno() afterwards")


@clause("shutdown.halves.result")
@each_order
def test_the_second_half_is_true(either_pair: Pair, order: tuple[str, str]) -> None:
    shut(either_pair.impl, order[0])
    expect.true(either_pair.impl.shutdown(order[1]), "shutdown() of the other half")


@clause("shutdown.halves.peer-end")
@each_order
def test_both_halves_end_the_peers_receiving(either_pair: Pair, order: tuple[str, str]) -> None:
    for half in order:
        shut(either_pair.impl, half)
    peer_reads_the_end(either_pair)


@clause("shutdown.halves.own-end")
@each_order
def test_both_halves_end_receiving(either_pair: Pair, order: tuple[str, str]) -> None:
    for half in order:
        shut(either_pair.impl, half)
    receiving_ends(either_pair)


@clause("shutdown.again")
@each_how
def test_a_second_call_succeeds_or_is_not_connected(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    shut(either_pair.impl, *how)
    outcome = either_pair.impl.shutdown(*how)
    if isinstance(outcome, Failure):
        # Linux returns success; on BSD the connection has ended by then.
        expect.fails(outcome, "ENOTCONN", what="shutdown() again")
    else:
        expect.true(outcome, "shutdown() again")


@clause("shutdown.again.keeps-open-half")
@pytest.mark.parametrize("how", ["rd", "wr"])
def test_a_second_call_keeps_the_other_half(either_pair: Pair, how: str) -> None:
    shut(either_pair.impl, how)
    either_pair.impl.shutdown(how)
    if how == "rd":
        expect.count(either_pair.impl.send(b"!"), 1)
        expect.same(either_pair.peer.recv(), b"!", "what the peer received")
    else:
        either_pair.peer.send(b"?")
        expect.data(either_pair.impl.recv(10), b"?")


@clause("shutdown.socket.open")
@each_how
def test_the_descriptor_stays(case: Case, either_pair: Pair, how: tuple[Argument, ...]) -> None:
    before = case.descriptor(either_pair.impl)
    shut(either_pair.impl, *how)
    expect.same(case.descriptor(either_pair.impl), before, "the descriptor, and its socket, after shutdown()")


@clause("shutdown.socket.address")
@each_how
def test_the_address_stays(either_pair: Pair, how: tuple[Argument, ...]) -> None:
    shut(either_pair.impl, *how)
    expect.at(either_pair.impl.getsockname(), either_pair.peer.remote, "getsockname() afterwards")


@clause("shutdown.connection")
@pytest.mark.parametrize("how", ["rd", "wr", "rdwr"])
def test_it_affects_every_descriptor_of_the_socket(case: Case, either_pair: Pair, how: str) -> None:
    with case.view(either_pair.impl) as view:
        view.settimeout(5)
        shut(either_pair.impl, how)
        receiving = "ended" if "rd" in how and view.recv(10) == b"" else "goes on"
        try:
            view.send(b"!")
            sending = "goes on"
        except BrokenPipeError:
            sending = "ended"
    wanted = tuple("ended" if direction in how else "goes on" for direction in ("rd", "wr"))
    expect.same((receiving, sending), wanted, "receiving and sending on another descriptor of the socket")


@clause("shutdown.other-end")
def test_the_peers_shutdown_keeps_sending(either_pair: Pair) -> None:
    either_pair.peer.shutdown()
    expect.data(either_pair.impl.recv(10), b"")
    expect.count(either_pair.impl.send(b"!"), 1)
    expect.same(either_pair.peer.recv(), b"!", "what the peer received")


@clause("shutdown.independent")
def test_other_connections_are_not_affected(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    peer = case.peer().connect(pair.peer.remote)
    other = expect.accepted(pair.listener.accept())
    shut(pair.impl, "rdwr")
    both_directions(other, peer)
