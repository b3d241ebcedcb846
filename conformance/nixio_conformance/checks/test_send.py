"""send and write, and sendto where it is the same: arriving data, the result, and types of buffers."""

from __future__ import annotations

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.buffer_arguments import (
    each_bytes_like_type,
    each_converted_buffer,
    each_non_number,
    each_wrong_buffer,
)
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_sender
from nixio_conformance.toolkit.transfer import BINARY, Sender, each_binary_sample


@clause("{send,write}.data.arrives")
def test_the_data_arrives(case: Case, method: str, role: str) -> None:
    transfer.sender(case, method, role).delivers(BINARY)


@clause("{send,write,sendto}.data.binary")
@each_binary_sample
def test_the_data_is_any_bytes(case: Case, method: str, data: bytes) -> None:
    transfer.sender(case, method).delivers(data)


@clause("{send,write}.result.count")
def test_the_count_is_returned(case: Case, method: str, role: str) -> None:
    sender = transfer.sender(case, method, role)
    sender.delivers_count(sender(BINARY), BINARY)


@clause("sendto.result.count")
def test_the_count_is_returned_by_sendto(case: Case) -> None:
    sender = transfer.sender(case, "sendto")
    sender.delivers_count(sender(BINARY), BINARY)


@clause("write.alias.in-turn")
def test_send_and_write_in_turn_keep_their_order(pair: Pair) -> None:
    """Each sends at once: if one of them had a buffer of its own, the order would change."""
    sends, writes = Sender("send", pair.impl, pair.peer), Sender("write", pair.impl, pair.peer)
    for sender, data in ((sends, b"1-send"), (writes, b"2-write"), (writes, b"3-write"), (sends, b"4-send")):
        sender.whole(data)
    joined = b"".join(sends.arrived())
    expect.same(joined, b"1-send2-write3-write4-send", "what the peer received")


@clause("write.alias.failure")
def test_write_fails_as_send_does(case: Case) -> None:
    sent = expect.fails(case.socket().send(b"x"), what="send()")
    written = expect.fails(case.socket().write(b"x"), what="write()")
    expect.same((written.kind, written.name), (sent.kind, sent.name), "the failure of write(), compared with send()")


@clause("send.empty.stream")
@each_sender
def test_an_empty_buffer_sends_nothing_on_a_stream(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.count(sender(b""), 0)
    sender.nothing_arrived()


@clause("send.arrival.at-once")
@each_sender
def test_data_is_sent_at_once(case: Case, method: str) -> None:
    """Neither close nor another call is needed for the data to arrive."""
    sender = transfer.sender(case, method)
    sender.whole(b"abc")
    got = sender.peer.recv_exactly(3) if sender.is_stream else sender.peer.recv()
    expect.same(got, b"abc", "what the peer received")


# --- buffers, offsets and lengths as arguments. The cases of send name the method, those of sendto do not.


def bytes_like_buffer(case: Case, method: str, held_as: str) -> None:
    sender = transfer.sender(case, method)
    sender.delivers_count(sender(transfer.held(case, b"abc\x00\xffd", held_as)), b"abc\x00\xffd")


def chunk_of_bytes_like_buffer(case: Case, method: str, held_as: str) -> None:
    sender = transfer.sender(case, method)
    sender.delivers_count(sender(transfer.held(case, b"abc\x00\xffd", held_as), 1, 4), b"bc\x00\xff")


def refuses_text_and_numbers(case: Case, method: str, buffer: Argument) -> None:
    transfer.needs_python_types(case)
    transfer.sender(case, method).refuses(buffer)


@clause("send.buffer.bytes-like")
@each_sender
@each_bytes_like_type
def test_a_bytes_like_buffer_is_sent(case: Case, method: str, held_as: str) -> None:
    bytes_like_buffer(case, method, held_as)


@clause("sendto.buffer.bytes-like")
@each_bytes_like_type
def test_a_bytes_like_buffer_of_sendto_is_sent(case: Case, held_as: str) -> None:
    bytes_like_buffer(case, "sendto", held_as)


@clause("send.buffer.bytes-like-chunk")
@each_sender
@each_bytes_like_type
def test_a_chunk_of_a_bytes_like_buffer_is_counted_in_bytes(case: Case, method: str, held_as: str) -> None:
    chunk_of_bytes_like_buffer(case, method, held_as)


@clause("sendto.buffer.bytes-like-chunk")
@each_bytes_like_type
def test_a_chunk_of_a_bytes_like_buffer_of_sendto_is_counted_in_bytes(case: Case, held_as: str) -> None:
    chunk_of_bytes_like_buffer(case, "sendto", held_as)


@clause("send.buffer.required")
@each_sender
@each_wrong_buffer
def test_a_buffer_is_required(case: Case, method: str, buffer: tuple[Argument, ...]) -> None:
    transfer.sender(case, method).refuses(*buffer)


@clause("sendto.buffer.required")
@each_wrong_buffer
def test_a_buffer_of_sendto_is_required(case: Case, buffer: tuple[Argument, ...]) -> None:
    transfer.sender(case, "sendto").refuses(*buffer)


@clause("send.buffer.converted")
@each_sender
@each_converted_buffer
def test_text_and_numbers_are_no_buffers(case: Case, method: str, buffer: Argument) -> None:
    refuses_text_and_numbers(case, method, buffer)


@clause("sendto.buffer.converted")
@each_converted_buffer
def test_text_and_numbers_are_no_buffers_of_sendto(case: Case, buffer: Argument) -> None:
    refuses_text_and_numbers(case, "sendto", buffer)


@clause("send.offset.number")
@each_sender
@each_non_number
def test_an_offset_is_a_number(case: Case, method: str, value: Argument) -> None:
    transfer.sender(case, method).refuses(b"abcdef", value)


@clause("sendto.offset.number")
@each_non_number
def test_an_offset_of_sendto_is_a_number(case: Case, value: Argument) -> None:
    transfer.sender(case, "sendto").refuses(b"abcdef", value)


@clause("send.length.number")
@each_sender
@each_non_number
def test_a_length_is_a_number(case: Case, method: str, value: Argument) -> None:
    transfer.sender(case, method).refuses(b"abcdef", 0, value)


@clause("sendto.length.number")
@each_non_number
def test_a_length_of_sendto_is_a_number(case: Case, value: Argument) -> None:
    transfer.sender(case, "sendto").refuses(b"abcdef", 0, value)
