"""The data path: which bytes of a buffer are sent, how much is received, and what has to fail."""

from __future__ import annotations

import array
import ctypes
import errno
import os
import signal
import socket as standard
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixio_reference import Socket, buffersize, const
from nixio_reference._arguments import chunk, octets, receive_length

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]

huge = st.sampled_from([2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64, 2**64 + 1, 10**5000])
counts = st.none() | st.integers(0, 40) | huge


@given(data=st.binary(max_size=32), offset=counts, length=counts)
def test_a_chunk_is_what_offset_and_length_say(data: bytes, offset: int | None, length: int | None) -> None:
    start = min(offset or 0, len(data))
    expected = bytes(byte for i, byte in enumerate(data) if i >= start and (length is None or i - start < length))
    assert bytes(chunk(data, offset, length)) == expected


@given(data=st.binary(max_size=8), number=st.integers(max_value=-1) | huge.map(lambda n: -n))
def test_negative_numbers_are_refused(data: bytes, number: int) -> None:
    for arguments in ((number, None), (None, number), (number, 1), (1, number)):
        with pytest.raises(ValueError, match="negative"):
            chunk(data, *arguments)
    with pytest.raises(ValueError, match="negative"):
        receive_length(number)


@given(length=st.integers(0, 3 * buffersize) | huge)
def test_receive_lengths_are_truncated(length: int) -> None:
    assert receive_length(length) == min(length, 8192)


@pytest.mark.parametrize(
    "buffer",
    [
        pytest.param(b"\1\0\2\0", id="bytes"),
        pytest.param(bytearray(b"\1\0\2\0"), id="bytearray"),
        pytest.param(array.array("B", [1, 0, 2, 0]), id="array-of-bytes"),
        pytest.param(array.array("b", [1, 0, 2, 0]), id="array-of-signed"),
        pytest.param(memoryview(b"\1\0\2\0").cast("B", (2, 2)), id="two-dimensions"),
        pytest.param(memoryview(b"\1\0\2\0").cast("H"), id="two-byte-items"),
        pytest.param(memoryview(b"\1.\0.\2.\0.")[::2], id="with-gaps"),
        pytest.param((ctypes.c_ubyte * 4)(1, 0, 2, 0), id="ctypes"),
        pytest.param((ctypes.c_uint16.__ctype_le__ * 2)(1, 2), id="ctypes-two-byte-items"),
    ],
)
def test_buffers_are_counted_in_bytes(pair: Callable[..., Pair], buffer: Any) -> None:
    near, far = pair("inet", "dgram")
    for arguments, expected in (((), b"\1\0\2\0"), ((1,), b"\0\2\0"), ((1, 2), b"\0\2"), ((None, 3), b"\1\0\2")):
        assert near.send(buffer, *arguments) == len(expected)
        assert far.recv(9) == expected
        assert near.sendto(buffer, *far.getsockname(), *arguments) == len(expected)
        assert far.recv(9) == expected


def test_an_empty_buffer_of_large_items() -> None:
    assert bytes(octets(array.array("Q"))) == b""


@pytest.mark.parametrize("buffer", ["text", 5, None, [1, 2], 1.5])
def test_what_is_no_buffer(pair: Callable[..., Pair], buffer: Any) -> None:
    near, far = pair("inet", "dgram")
    for offset in (None, 0):
        with pytest.raises(TypeError):
            near.send(buffer, offset)
        with pytest.raises(TypeError):
            near.sendto(buffer, *far.getsockname(), offset)


@pytest.mark.parametrize("number", [True, False, 1.0, "1", b"1", [1]])
def test_what_is_no_number(pair: Callable[..., Pair], number: Any) -> None:
    near, far = pair("inet", "dgram")
    for call in (
        lambda: near.send(b"abc", number),
        lambda: near.send(b"abc", 0, number),
        lambda: near.sendto(b"abc", *far.getsockname(), number),
        lambda: near.recv(number),
        lambda: near.recvfrom(number),
        lambda: near.listen(number),
    ):
        with pytest.raises(TypeError):
            call()


def test_numbers_of_other_types_count() -> None:
    assert receive_length(ctypes_index(5)) == 5
    assert bytes(chunk(b"abc", ctypes_index(1), ctypes_index(1))) == b"b"


class ctypes_index:  # noqa: N801
    """A number that is not an int, as numpy's are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        """Return the number."""
        return self.value


def test_past_the_end_a_datagram_is_empty(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    assert near.send(b"abc", 3) == 0
    assert far.recvfrom(9) == (b"", *near.getsockname())


@pytest.mark.parametrize("domain", ["inet", "unix"])
def test_sending_nothing_fails_where_sending_fails(make: Make, pair: Callable[..., Pair], domain: str) -> None:
    near, far = pair(domain, "stream")
    assert near.send(b"abc", 2**64) == 0
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(9)
    with pytest.raises(OSError, match=r"pipe|not connected"):
        make(domain).send(b"abc", 3)
    near.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        near.send(b"abc", 3)


@pytest.mark.parametrize("domain", ["inet", "unix"])
def test_receiving_nothing_from_a_stream(make: Make, pair: Callable[..., Pair], domain: str) -> None:
    near, far = pair(domain, "stream")
    assert far.recv(0) == b""  # and does not wait
    near.send(b"data")
    assert far.recv(0) == b""
    assert far.recvfrom(0)[0] == b""
    assert far.recv(9) == b"data"
    near.close()
    assert [far.recv(9), far.recv(0), far.recv(9)] == [b"", b"", b""]
    with pytest.raises(OSError, match=r"not connected|Invalid argument"):
        make(domain).recv(0)


def test_receiving_nothing_of_a_datagram_takes_it(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    near.send(b"first")
    near.send(b"second")
    assert far.recv(0) == b""
    assert far.recv(9) == b"second"


def test_a_datagram_longer_than_buffersize_is_cut(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    data = bytes(range(256)) * 40
    near.send(data)
    near.send(data)
    assert far.recv(2**64) == data[:8192]
    assert far.recvfrom(8193)[0] == data[:8192]
    assert const.buffersize == 8192


def fill(sock: Socket) -> None:
    """Send until no more fits."""
    while sock.send(bytes(1 << 20)):
        pass


def test_a_full_stream_takes_a_part(pair: Callable[..., Pair]) -> None:
    near, _far = pair("unix", "stream")
    near.setblocking(False)
    data = bytes(1 << 22)
    assert 0 < near.send(data) < len(data)
    with pytest.raises(BlockingIOError):
        fill(near)


def test_timeouts_are_would_block(make: Make, pair: Callable[..., Pair]) -> None:
    near, _far = pair("inet", "stream")
    near.setopt("socket", "rcvtimeo", (0, 1000))
    near.setopt("socket", "sndtimeo", (0, 1000))
    with pytest.raises(BlockingIOError):
        near.recv(1)
    with pytest.raises(BlockingIOError):
        fill(near)
    listener = make()
    listener.listen(1)
    listener.setopt("socket", "rcvtimeo", (0, 1000))
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_negative_backlog_is_none_and_a_huge_one_the_most(make: Make) -> None:
    for backlog in (-1, 0, 2**31, 2**32, 2**64):
        assert make().listen(backlog) is True


def test_names_of_how(pair: Callable[..., Pair]) -> None:
    near, far = pair()
    for how, error in (("RD", ValueError), ("both", ValueError), ("", ValueError), (2, TypeError), (b"rd", TypeError)):
        with pytest.raises(error):
            near.shutdown(how)  # type: ignore[arg-type]
    assert near.shutdown("wr") is True
    assert far.recv(1) == b""
    far.send(b"x")
    assert near.recv(1) == b"x"
    assert far.shutdown(None) is True


@pytest.mark.skipif(not hasattr(standard, "MSG_NOSIGNAL"), reason="no MSG_NOSIGNAL on this platform")
def test_sigpipe_does_not_kill_where_its_default_is_restored(pair: Callable[..., Pair]) -> None:
    near, far = pair("unix", "stream")
    far.close()
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        with pytest.raises(BrokenPipeError):
            near.send(b"x")
    finally:
        signal.signal(signal.SIGPIPE, before)


def test_aliases_are_the_same_functions() -> None:
    assert Socket.write is Socket.send
    assert Socket.read is Socket.recv
