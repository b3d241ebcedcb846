"""recv, read and recvfrom: the data is received whole and in order, each byte once."""

from __future__ import annotations

import contextlib
import itertools
import socket

import pytest

from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.transfer import (
    BINARY,
    each_binary_sample,
    numbered,
    receive,
    receive_exactly,
    receive_message,
)


def arrives(pair: Pair, method: str, data: bytes) -> None:
    """Check that the data that the peer sends is received."""
    pair.peer.send(data)
    expect.same(receive_message(pair.impl, method, pair.peer, len(data)), data, "data received")


@clause("{recv,read,recvfrom}.data.arrives")
def test_the_data_arrives(either_pair: Pair, method: str) -> None:
    arrives(either_pair, method, BINARY)


@clause("{recv,read,recvfrom}.data.binary")
@each_binary_sample
def test_the_data_is_any_bytes(pair: Pair, method: str, data: bytes) -> None:
    arrives(pair, method, data)


@clause("{recv,read}.result.only-data")
def test_only_the_data_is_returned(pair: Pair, method: str) -> None:
    pair.peer.send(b"x")
    expect.data(pair.impl.call(method, 1), b"x")


@clause("recv.length.at-most")
@each_receiver
@pytest.mark.parametrize("length", [1, 2, 7])
def test_no_more_than_the_length_is_returned(pair: Pair, method: str, length: int) -> None:
    pair.peer.send(b"abcdefgh")
    data = receive(pair.impl, method, length)
    first = b"abcdefgh"[: len(data) if pair.peer.kind.type == "stream" else length]
    expect.same(data, first, "data received")
    expect.holds(bool(data), f"{method}({length})", "data", data)


@clause("recv.length.not-filled")
@each_receiver
def test_data_is_returned_without_waiting_for_more(pair: Pair, method: str) -> None:
    """A call that waited for all requested bytes would not return."""
    pair.peer.send(b"abc")
    expect.same(receive_asking(pair, method, 3, asked=100), b"abc", "data received")


def receive_asking(pair: Pair, method: str, size: int, asked: int) -> bytes:
    """Receive a message of `size` bytes in calls that request more."""
    data = receive(pair.impl, method, asked)
    while pair.peer.kind.type == "stream" and data and len(data) < size:
        data += receive(pair.impl, method, asked)
    return data


@clause("recv.stream.in-order")
@each_receiver
def test_data_is_received_in_parts(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    pair.peer.send(b"defghij")
    parts = [receive_exactly(pair.impl, method, size) for size in (2, 1, 4, 3)]
    expect.same(parts, [b"ab", b"c", b"defg", b"hij"], "data received, in parts")


@clause("recv.stream.byte-by-byte")
@each_receiver
def test_data_is_received_byte_by_byte(pair: Pair, method: str) -> None:
    pair.peer.send(b"\x00a\n\xff ")
    parts = [receive(pair.impl, method, 1) for _ in range(5)]
    expect.same(parts, [b"\x00", b"a", b"\n", b"\xff", b" "], "data received, byte by byte")


@clause("recv.stream.all-of-much")
@each_receiver
def test_much_data_is_received_whole(pair: Pair, method: str) -> None:
    data = numbered(6000)
    pair.peer.send(data)
    expect.same(receive_exactly(pair.impl, method, len(data)), data, "data received")


@clause("recv.stream.rest-stays")
def test_nothing_is_read_ahead(case: Case, pair: Pair) -> None:
    """Callers wait for fileno() to become readable, which data that was read ahead would prevent."""
    pair.peer.send(b"abcdef")
    receive_exactly(pair.impl, "recv", 2)
    held = b""
    with case.view(pair.impl) as view, contextlib.suppress(BlockingIOError):
        held = view.recv(100, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    expect.same(held, b"cdef", "what the system holds for the next call")


@clause("read.alias.in-turn")
def test_the_methods_in_turn_share_one_stream(pair: Pair) -> None:
    """One call each, whatever it returns: data that one method buffered would be missing for the next."""
    data = b"a line\nanother\r\n\nan end\0 and more\n" + BINARY
    pair.peer.send(data)
    got = b""
    for method, size in itertools.cycle([("recv", 2), ("read", 20), ("recvfrom", 3), ("read", 7), ("recv", 30)]):
        part = receive(pair.impl, method, min(size, len(data) - len(got)))
        got += part
        if not part or len(got) == len(data):
            break
    expect.same(got, data, "data received, in turn")


@clause("read.alias.failure")
def test_read_fails_as_recv_does(case: Case) -> None:
    received = expect.fails(case.socket().recv(1), what="recv()")
    read = expect.fails(case.socket().read(1), what="read()")
    expect.same((read.kind, read.name), (received.kind, received.name), "the failure of read(), compared with recv()")


@clause("recv.data.once")
@each_receiver
def test_data_is_received_once(pair: Pair, method: str) -> None:
    pair.peer.send(b"first")
    receive_message(pair.impl, method, pair.peer, 5)
    pair.peer.send(b"next")
    expect.same(receive_message(pair.impl, method, pair.peer, 4), b"next", "data received next")


@clause("recv.datagram.boundaries")
@each_receiver
def test_each_call_is_one_datagram(pair: Pair, method: str) -> None:
    for data in (b"first", b"2", b"third\n"):
        pair.peer.send(data)
    parts = [receive(pair.impl, method, 100) for _ in range(3)]
    expect.same(parts, [b"first", b"2", b"third\n"], "the datagrams received")


@clause("recv.datagram.cut")
@each_receiver
def test_a_longer_datagram_is_cut(pair: Pair, method: str) -> None:
    pair.peer.send(b"abcdef")
    expect.same(receive(pair.impl, method, 4), b"abcd", "the datagram received")


@clause("recv.datagram.rest-is-lost")
@each_receiver
def test_the_rest_of_a_cut_datagram_is_lost(pair: Pair, method: str) -> None:
    pair.peer.send(b"abcdef")
    pair.peer.send(b"next")
    receive(pair.impl, method, 4)
    expect.same(receive(pair.impl, method, 4), b"next", "the datagram received next")


@clause("recv.datagram.empty")
@each_receiver
def test_an_empty_datagram_is_empty_data(pair: Pair, method: str) -> None:
    pair.peer.send(b"")
    expect.same(receive(pair.impl, method, 100), b"", "the datagram received")


@clause("recv.datagram.empty-is-no-end")
@each_receiver
def test_an_empty_datagram_is_not_the_end(pair: Pair, method: str) -> None:
    pair.peer.send(b"")
    pair.peer.send(b"next")
    receive(pair.impl, method, 100)
    expect.same(receive(pair.impl, method, 100), b"next", "the datagram received next")


@clause("recv.datagram.from-anybody")
@each_receiver
def test_an_unconnected_socket_receives_from_all(case: Case, method: str) -> None:
    sock, address = case.bound()
    case.bound_peer().sendto(b"one", address)
    case.bound_peer().sendto(b"other", address)
    parts = {receive(sock, method, 100), receive(sock, method, 100)}
    expect.same(parts, {b"one", b"other"}, "the datagrams received")


@clause("recv.end.empty")
@each_receiver
def test_the_end_of_the_stream_is_empty_data(pair: Pair, method: str) -> None:
    pair.peer.shutdown()
    expect.same(receive(pair.impl, method, 100), b"", "data at the end of the stream")


@clause("recv.end.again")
@each_receiver
def test_the_end_of_the_stream_is_returned_again(pair: Pair, method: str) -> None:
    pair.peer.close()
    ends = [receive(pair.impl, method, 100) for _ in range(3)]
    expect.same(ends, [b"", b"", b""], "data at the end of the stream, three times")


@clause("recv.end.data-first")
@each_receiver
def test_data_is_returned_before_the_end(pair: Pair, method: str) -> None:
    pair.peer.send(b"abcdef")
    pair.peer.close()
    parts = [receive_exactly(pair.impl, method, size) for size in (4, 100, 1)]
    expect.same(parts, [b"abcd", b"ef", b""], "data received up to the end")
