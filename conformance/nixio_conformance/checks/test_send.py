"""send and write: the data, the count, and what may be given as a buffer."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import BINARY, Sender

SENDERS = pytest.mark.parametrize("method", ["send", "write"])
#: Data that a port spoils which takes it for text.
SAMPLES = pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00a\x00b\x00", id="nul"),
        pytest.param(b"\x00\x00\x00", id="only-nul"),
        pytest.param(b"\r\na\nb\r\n", id="line-ends"),
        pytest.param(b" \t a \t ", id="blanks"),
        pytest.param("é€😀".encode(), id="utf-8"),
        pytest.param(b"\xff\xfe\x80\xc0\xaf", id="not-utf-8"),
        pytest.param(b"0042", id="digits"),
    ],
)
TYPES = pytest.mark.parametrize("held_as", ["bytearray", "memoryview", "array"])
WRONG_BUFFERS = pytest.mark.parametrize(
    "buffer",
    [
        pytest.param((), id="missing"),
        pytest.param((None,), id="none"),
        pytest.param((True,), id="bool"),
        pytest.param(((97, 98),), id="tuple"),
    ],
)
#: What Lua takes for a buffer too, where it is converted.
CONVERTED_BUFFERS = pytest.mark.parametrize(
    "buffer", [pytest.param("text", id="text"), pytest.param(3, id="int"), pytest.param(1.5, id="float")]
)
#: A number in digits and a number with a fraction are numbers to Lua, so neither is among these.
NO_NUMBERS = pytest.mark.parametrize("value", [pytest.param("x", id="text"), pytest.param((1,), id="tuple")])


def arrives(sender: Sender, data: bytes) -> None:
    """Exactly these bytes arrive, in one piece on a datagram socket."""
    sender.whole(data)
    expect.same(sender.arrived(), [data] if data or not sender.is_stream else [], "what the peer received")


def refused(sender: Sender, *arguments: Argument) -> None:
    """These arguments are refused, and nothing is sent."""
    expect.refused_argument(sender(*arguments), f"{sender.method}()")
    sender.nothing_arrived()


@clause("{send,write}.data.arrives")
def test_data_arrives(case: Case, method: str, role: str) -> None:
    arrives(transfer.sender(case, method, role), BINARY)


@clause("send.data.binary")
@SAMPLES
def test_data_is_binary(case: Case, data: bytes) -> None:
    arrives(transfer.sender(case, "send"), data)


@clause("write.data.binary")
@SAMPLES
def test_written_data_is_binary(case: Case, data: bytes) -> None:
    arrives(transfer.sender(case, "write"), data)


def count_is_true(sender: Sender) -> None:
    """One call: the number that it returns is how many bytes arrive."""
    count = sender.count(sender(BINARY), len(BINARY))
    expect.same(sender.arrived(), [BINARY[:count]], "what the peer received")


@clause("send.result.count")
def test_the_count_is_returned(case: Case, role: str) -> None:
    count_is_true(transfer.sender(case, "send", role))


@clause("write.result.count")
def test_the_count_is_returned_by_write(case: Case, role: str) -> None:
    count_is_true(transfer.sender(case, "write", role))


@clause("write.alias.in-turn")
def test_send_and_write_in_turn_keep_their_order(pair: Pair) -> None:
    """Each sends at once: a buffer that one of them kept for itself would change the order."""
    sends, writes = Sender("send", pair.impl, pair.peer), Sender("write", pair.impl, pair.peer)
    for sender, data in ((sends, b"1-send"), (writes, b"2-write"), (writes, b"3-write"), (sends, b"4-send")):
        sender.whole(data)
    joined = b"".join(sends.arrived())
    expect.same(joined, b"1-send2-write3-write4-send", "what the peer received")


@clause("write.alias.failure")
def test_write_fails_as_send_does(case: Case) -> None:
    sent = expect.fails(case.socket().send(b"x"), what="send()")
    written = expect.fails(case.socket().write(b"x"), what="write()")
    expect.same((written.kind, written.name), (sent.kind, sent.name), "how write() failed, and how send() did")


@clause("send.empty.stream")
@SENDERS
def test_an_empty_buffer_sends_nothing(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.count(sender(b""), 0)
    sender.nothing_arrived()


@clause("send.arrival.at-once")
@SENDERS
def test_data_are_not_kept_back(case: Case, method: str) -> None:
    """Without a close or another call after it: the bytes are under way when the call comes back."""
    sender = transfer.sender(case, method)
    sender.whole(b"abc")
    got = sender.peer.recv_exactly(3) if sender.is_stream else sender.peer.recv()
    expect.same(got, b"abc", "what the peer received")


@clause("send.buffer.bytes-like")
@SENDERS
@TYPES
def test_bytes_like_buffers(case: Case, method: str, held_as: str) -> None:
    sender = transfer.sender(case, method)
    count = sender.count(sender(transfer.held(case, b"abc\x00\xffd", held_as)), 6)
    expect.same(sender.arrived(), [b"abc\x00\xffd"[:count]], "what the peer received")


@clause("send.buffer.bytes-like-chunk")
@SENDERS
@TYPES
def test_chunks_of_bytes_like_buffers_are_counted_in_bytes(case: Case, method: str, held_as: str) -> None:
    sender = transfer.sender(case, method)
    count = sender.count(sender(transfer.held(case, b"abc\x00\xffd", held_as), 1, 4), 4)
    expect.same(sender.arrived(), [b"bc\x00\xff"[:count]], "what the peer received")


@clause("send.buffer.required")
@SENDERS
@WRONG_BUFFERS
def test_what_is_no_buffer_is_refused(case: Case, method: str, buffer: tuple[Argument, ...]) -> None:
    refused(transfer.sender(case, method), *buffer)


@clause("send.buffer.converted")
@SENDERS
@CONVERTED_BUFFERS
def test_text_and_numbers_are_no_buffers(case: Case, method: str, buffer: Argument) -> None:
    transfer.needs_python_types(case)
    refused(transfer.sender(case, method), buffer)


@clause("send.offset.number")
@SENDERS
@NO_NUMBERS
def test_an_offset_is_a_number(case: Case, method: str, value: Argument) -> None:
    refused(transfer.sender(case, method), b"abcdef", value)


@clause("send.length.number")
@SENDERS
@NO_NUMBERS
def test_a_length_is_a_number(case: Case, method: str, value: Argument) -> None:
    refused(transfer.sender(case, method), b"abcdef", 0, value)
