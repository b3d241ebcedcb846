"""The model by itself: which outcomes it allows, without any socket."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.chunk import select_chunk
from nixio_conformance.model.outcomes import Allowed
from nixio_conformance.model.rules import SocketCall, allowed, next_state
from nixio_conformance.model.state import UNKNOWN, Address, Message, Pipe, Sock, State, System, surely_unbound
from nixio_conformance.toolkit.case import LOOPBACK
from nixio_fixtures import load

BLOCKS = Failure("would-block", "EAGAIN", 11, "")
INET = Address(LOOPBACK["inet"], 4711)


def fails(name: str) -> Failure:
    return Failure("system", name, None, "")


def connected(data: bytes = b"", **changes: object) -> State:
    """One stream of the implementation with unread data; the other end is not a socket of the state."""
    kind = load().kind("inet-stream")
    sock = Sock(kind, "implementation", phase="connected", local=INET, remote=Address(INET.host, 4712), inp=0, out=1)
    state = State(System(keeps_data=True, exclusive=True), (sock,), (Pipe(data), Pipe()))
    return state.set(0, **changes)


def bound(*messages: Message, kind: str = "unix-dgram") -> State:
    """Two datagram sockets of the implementation; number 0 has received the messages from number 1."""
    kinds = load().kind(kind)
    addresses = [INET, Address(INET.host, 4712)] if kind != "unix-dgram" else [Address("/a", None), Address("/b", None)]
    socks = [
        Sock(kinds, "implementation", phase="bound", local=address, messages=messages if not n else ())
        for n, address in enumerate(addresses)
    ]
    return State(System(keeps_data=True, exclusive=True), tuple(socks))


def outcomes_of(state: State, method: str, *arguments: Argument) -> Allowed:
    return allowed(state, SocketCall(0, method, arguments))


@pytest.mark.parametrize(
    ("outcome", "is_allowed"),
    [
        (Returned((b"abc",)), True),
        (Returned((b"a",)), True),
        (Returned((b"",)), False),
        (Returned((b"b",)), False),
        (Returned((b"abcd",)), False),
        (Returned((b"abc", "host", 1)), False),
        (Returned((None,)), False),
        (BLOCKS, False),
        (fails("ECONNRESET"), False),
    ],
    ids=str,
)
def test_a_stream_returns_a_prefix_of_the_unread_data(outcome: Outcome, is_allowed: bool) -> None:
    assert (outcomes_of(connected(b"abc"), "recv", 10).match(outcome) is not None) == is_allowed


def test_the_rest_of_the_data_is_received_next() -> None:
    state = next_state(connected(b"abcdef"), SocketCall(0, "recv", (2,)), Returned((b"ab",)))
    assert outcomes_of(state, "recv", 10).match(Returned((b"cdef",)))
    assert not outcomes_of(state, "recv", 10).match(Returned((b"abcdef",)))


def test_without_data_a_blocking_call_blocks_and_a_non_blocking_one_fails() -> None:
    assert outcomes_of(connected(), "recv", 10).blocks
    found = outcomes_of(connected(blocking=False), "recv", 10)
    assert [outcome.transient for outcome in found.outcomes] == [False]
    assert found.match(BLOCKS)


def test_would_block_is_transient_while_data_is_in_flight() -> None:
    match = outcomes_of(connected(b"abc", blocking=False), "recv", 10).match(BLOCKS)
    assert match is not None
    assert match.transient


def test_data_from_before_shutdown_rd_can_still_be_received() -> None:
    state = next_state(connected(b"abc"), SocketCall(0, "shutdown", ("rd",)), Returned((True,)))
    end = outcomes_of(state, "recv", 10).match(Returned((b"",)))
    assert end is not None
    assert end.transient, "EOF is not final while there is data"
    state = next_state(state, SocketCall(0, "recv", (10,)), Returned((b"abc",)))
    end = outcomes_of(state, "recv", 10).match(Returned((b"",)))
    assert end is not None
    assert not end.transient


def test_sending_after_shutdown_wr_fails() -> None:
    state = next_state(connected(), SocketCall(0, "shutdown", ("wr",)), Returned((True,)))
    assert outcomes_of(state, "send", b"x").match(fails("EPIPE"))
    assert not outcomes_of(state, "send", b"x").match(Returned((1,)))


@pytest.mark.parametrize("count", [0, 4, True, -1, 1.0])
def test_an_impossible_count_is_not_allowed(count: int) -> None:
    assert not outcomes_of(connected(), "send", b"abc").match(Returned((count,)))


def test_only_the_bytes_that_were_counted_are_in_flight() -> None:
    state = next_state(connected(), SocketCall(0, "send", (b"abcdef", 1)), Returned((2,)))
    assert state.pipes[1].data == b"bc"


def test_a_closed_socket_fails_with_ebadf_or_bad_argument_only() -> None:
    state = next_state(connected(), SocketCall(0, "close"), Returned((True,)))
    assert outcomes_of(state, "send", b"x").match(fails("EBADF"))
    assert outcomes_of(state, "send", b"x").match(Failure("argument", "", None, ""))
    assert not outcomes_of(state, "send", b"x").match(fails("ENOTCONN"))


def test_closing_with_unread_data_resets_the_connection() -> None:
    assert next_state(connected(b"abc"), SocketCall(0, "close"), Returned((True,))).pipes[1].reset
    assert not next_state(connected(), SocketCall(0, "close"), Returned((True,))).pipes[1].reset


FIRST = Message(b"first", 1, Address("/b", None))
SECOND = Message(b"second", 1, Address("/b", None))


def test_datagrams_arrive_in_order_over_unix_and_in_any_order_over_ip() -> None:
    assert outcomes_of(bound(FIRST, SECOND), "recv", 10).match(Returned((b"first",)))
    assert not outcomes_of(bound(FIRST, SECOND), "recv", 10).match(Returned((b"second",)))
    over_ip = outcomes_of(bound(FIRST, SECOND, kind="inet-dgram"), "recv", 10)
    assert over_ip.match(Returned((b"second",)))


def test_the_rest_of_a_truncated_datagram_is_lost() -> None:
    state = next_state(bound(FIRST, SECOND), SocketCall(0, "recv", (2,)), Returned((b"fi",)))
    assert state.sockets[0].messages == (SECOND,)


def test_a_read_of_length_0_may_remove_the_datagram() -> None:
    state = next_state(bound(FIRST, SECOND), SocketCall(0, "recv", (0,)), Returned((b"",)))
    assert outcomes_of(state, "recv", 10).match(Returned((b"first",)))
    assert outcomes_of(state, "recv", 10).match(Returned((b"second",)))
    state = next_state(state, SocketCall(0, "recv", (10,)), Returned((b"second",)))
    assert state.sockets[0].messages == ()


def test_recvfrom_returns_the_address_of_the_sender() -> None:
    assert outcomes_of(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "/b", None)))
    assert not outcomes_of(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "/a", None)))
    assert not outcomes_of(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "", None)))


def test_a_descriptor_stays_the_same_and_belongs_to_one_socket() -> None:
    state = next_state(bound(), SocketCall(0, "fileno"), Returned((5,)))
    assert not outcomes_of(state, "fileno").match(Returned((6,)))
    assert not allowed(state, SocketCall(1, "fileno")).match(Returned((5,)))
    assert allowed(state, SocketCall(1, "fileno")).match(Returned((6,)))


def test_next_state_raises_for_an_outcome_that_is_not_allowed() -> None:
    with pytest.raises(ValueError, match="recv"):
        next_state(connected(b"abc"), SocketCall(0, "recv", (10,)), Returned((b"x",)))


@pytest.mark.parametrize("cell", load().grid.cells, ids=lambda cell: cell.id)
def test_select_chunk_selects_the_bytes_of_the_grid(cell: object) -> None:
    """The fixtures and the model agree on offset and length."""
    from nixio_fixtures import Cell

    assert isinstance(cell, Cell)
    buffer = bytes(range(load().grid.size))
    chunk = select_chunk(buffer, *cell.arguments)
    assert chunk.data == buffer[cell.start : cell.stop]
    assert chunk.refusable == cell.refusable


@pytest.mark.parametrize(
    ("kind", "local", "exclusive", "expected"),
    [
        ("unix-dgram", Address("", None), False, True),
        ("inet-dgram", Address(INET.host, 4712), True, True),
        ("inet-dgram", Address(INET.host, 4712), False, False),
        ("inet-dgram", INET, True, False),
        ("inet-dgram", Address(INET.host, UNKNOWN), True, False),
        ("inet-dgram", Address("0.0.0.0", 0), True, False),
        ("inet-dgram", None, True, False),
    ],
    ids=["unix", "bound-elsewhere", "other-programs", "itself", "unknown-port", "not-bound", "unknown-address"],
)
def test_an_address_is_surely_unbound(kind: str, local: Address | None, exclusive: bool, expected: bool) -> None:
    sock = Sock(load().kind(kind), "implementation", local=local)
    state = State(System(keeps_data=True, exclusive=exclusive), (sock,))
    assert surely_unbound(state, sock, INET) == expected
