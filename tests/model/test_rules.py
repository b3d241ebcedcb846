"""The model by itself: what it calls legal, without any socket."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.rules import Call, after, legal
from nixio_conformance.model.state import LOOPBACK, Message, Name, Pipe, Sock, State, System
from nixio_conformance.model.streams import chunk
from nixio_conformance.model.ways import Legal
from nixio_fixtures import load

BLOCKS = Failure("would-block", "EAGAIN", 11, "")
INET = Name(LOOPBACK["inet"], 4711)


def fails(name: str) -> Failure:
    return Failure("system", name, None, "")


def connected(data: bytes = b"", **changes: object) -> State:
    """A stream of the port, number 0, with data waiting; nobody holds the other end."""
    kind = load().kind("inet-stream")
    sock = Sock(kind, "port", phase="connected", local=INET, remote=Name(INET.host, 4712), inp=0, out=1)
    state = State(System(keeps_data=True, alone=True), (sock,), (Pipe(data), Pipe()))
    return state.set(0, **changes)


def bound(*messages: Message, kind: str = "unix-dgram") -> State:
    """A datagram socket of the port, number 0, with messages waiting from number 1."""
    kinds = load().kind(kind)
    names = [INET, Name(INET.host, 4712)] if kind != "unix-dgram" else [Name("/a", None), Name("/b", None)]
    socks = [
        Sock(kinds, "port", phase="bound", local=name, messages=messages if not n else ())
        for n, name in enumerate(names)
    ]
    return State(System(keeps_data=True, alone=True), tuple(socks))


def said(state: State, method: str, *arguments: Argument) -> Legal:
    return legal(state, Call(0, method, arguments))


@pytest.mark.parametrize(
    ("outcome", "right"),
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
def test_a_stream_gives_a_beginning_of_what_is_there(outcome: Outcome, right: bool) -> None:
    assert (said(connected(b"abc"), "recv", 10).match(outcome) is not None) == right


def test_what_is_left_comes_next() -> None:
    state = after(connected(b"abcdef"), Call(0, "recv", (2,)), Returned((b"ab",)))
    assert said(state, "recv", 10).match(Returned((b"cdef",)))
    assert not said(state, "recv", 10).match(Returned((b"abcdef",)))


def test_an_empty_stream_makes_a_blocking_call_wait_and_another_fail() -> None:
    assert said(connected(), "recv", 10).waits
    found = said(connected(blocking=False), "recv", 10)
    assert [way.for_now for way in found.ways] == [False]
    assert found.match(BLOCKS)


def test_data_may_be_on_its_way_for_a_moment() -> None:
    way = said(connected(b"abc", blocking=False), "recv", 10).match(BLOCKS)
    assert way is not None
    assert way.for_now


def test_what_came_before_shutdown_rd_can_still_be_received() -> None:
    state = after(connected(b"abc"), Call(0, "shutdown", ("rd",)), Returned((True,)))
    end = said(state, "recv", 10).match(Returned((b"",)))
    assert end is not None
    assert end.for_now, "the end is told for good while there is data"
    state = after(state, Call(0, "recv", (10,)), Returned((b"abc",)))
    end = said(state, "recv", 10).match(Returned((b"",)))
    assert end is not None
    assert not end.for_now


def test_sending_after_the_own_end_fails() -> None:
    state = after(connected(), Call(0, "shutdown", ("wr",)), Returned((True,)))
    assert said(state, "send", b"x").match(fails("EPIPE"))
    assert not said(state, "send", b"x").match(Returned((1,)))


@pytest.mark.parametrize("count", [0, 4, True, -1, 1.0])
def test_a_count_that_cannot_be(count: int) -> None:
    assert not said(connected(), "send", b"abc").match(Returned((count,)))


def test_only_what_was_taken_is_on_its_way() -> None:
    state = after(connected(), Call(0, "send", (b"abcdef", 1)), Returned((2,)))
    assert state.pipes[1].data == b"bc"


def test_a_closed_socket_fails_in_two_ways_only() -> None:
    state = after(connected(), Call(0, "close"), Returned((True,)))
    assert said(state, "send", b"x").match(fails("EBADF"))
    assert said(state, "send", b"x").match(Failure("argument", "", None, ""))
    assert not said(state, "send", b"x").match(fails("ENOTCONN"))


def test_closing_with_unread_data_breaks_the_connection() -> None:
    assert after(connected(b"abc"), Call(0, "close"), Returned((True,))).pipes[1].broken
    assert not after(connected(), Call(0, "close"), Returned((True,))).pipes[1].broken


FIRST = Message(b"first", 1, Name("/b", None))
SECOND = Message(b"second", 1, Name("/b", None))


def test_datagrams_come_in_order_over_unix_and_in_any_over_ip() -> None:
    assert said(bound(FIRST, SECOND), "recv", 10).match(Returned((b"first",)))
    assert not said(bound(FIRST, SECOND), "recv", 10).match(Returned((b"second",)))
    over_ip = said(bound(FIRST, SECOND, kind="inet-dgram"), "recv", 10)
    assert over_ip.match(Returned((b"second",)))


def test_the_rest_of_a_datagram_is_lost() -> None:
    state = after(bound(FIRST, SECOND), Call(0, "recv", (2,)), Returned((b"fi",)))
    assert state.sockets[0].messages == (SECOND,)


def test_length_0_of_a_datagram_leaves_it_in_doubt() -> None:
    state = after(bound(FIRST, SECOND), Call(0, "recv", (0,)), Returned((b"",)))
    assert said(state, "recv", 10).match(Returned((b"first",)))
    assert said(state, "recv", 10).match(Returned((b"second",)))
    state = after(state, Call(0, "recv", (10,)), Returned((b"second",)))
    assert state.sockets[0].messages == ()


def test_the_sender_is_told_with_the_datagram() -> None:
    assert said(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "/b", None)))
    assert not said(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "/a", None)))
    assert not said(bound(FIRST), "recvfrom", 10).match(Returned((b"first", "", None)))


def test_a_number_of_a_descriptor_is_kept_and_is_nobody_elses() -> None:
    state = after(bound(), Call(0, "fileno"), Returned((5,)))
    assert not said(state, "fileno").match(Returned((6,)))
    assert not legal(state, Call(1, "fileno")).match(Returned((5,)))
    assert legal(state, Call(1, "fileno")).match(Returned((6,)))


def test_an_outcome_that_is_not_legal_has_no_state_after_it() -> None:
    with pytest.raises(ValueError, match="recv"):
        after(connected(b"abc"), Call(0, "recv", (10,)), Returned((b"x",)))


@pytest.mark.parametrize("cell", load().grid.cells, ids=lambda cell: cell.id)
def test_the_model_chooses_the_grids_bytes(cell: object) -> None:
    """The tables and the model say the same of offset and length."""
    from nixio_fixtures import Cell

    assert isinstance(cell, Cell)
    buffer = bytes(range(load().grid.size))
    chosen = chunk(buffer, *cell.arguments)
    assert chosen.data == buffer[cell.start : cell.stop]
    assert chosen.refusable == cell.refusable
