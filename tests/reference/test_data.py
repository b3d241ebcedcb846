"""The data path: buffers and numbers that no agent can send, SIGPIPE's default action, and receiving nothing."""

from __future__ import annotations

import array
import ctypes
import errno
import os
import signal
import socket as standard
import time
from collections.abc import Callable
from typing import Any

import pytest

from nixio_reference import Socket

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]

TIMEOUT = 10  # seconds, of the sockets in conftest.py


@pytest.mark.parametrize(
    "buffer",
    [
        pytest.param(b"\1\0\2\0", id="bytes"),
        pytest.param(bytearray(b"\1\0\2\0"), id="bytearray"),
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


def test_an_empty_buffer_of_large_items(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    assert near.send(array.array("Q")) == 0
    assert far.recv(9) == b""


class Number:
    """A number that is not an int, as numpy's are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


def test_numbers_of_other_types(pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    assert near.send(b"abc", Number(1), Number(1)) == 1
    assert far.recv(Number(9)) == b"b"


def test_numbers_beyond_any_machine_word(make: Make, pair: Callable[..., Pair]) -> None:
    near, far = pair("inet", "dgram")
    assert near.send(b"abc", 10**5000) == 0
    assert near.send(b"abc", 1, 10**5000) == 2
    assert far.recv(10**5000) == b""
    assert far.recvfrom(2**64 + 1)[0] == b"bc"
    assert make().listen(10**5000) is True
    assert make().listen(-(10**5000)) is True


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_length_0_takes_a_datagram_and_waits_for_no_stream(pair: Callable[..., Pair], method: str) -> None:
    near, far = pair("inet", "dgram")
    near.send(b"first")
    near.send(b"second")
    getattr(far, method)(0)
    assert far.recv(9) == b"second"
    near, far = pair("inet", "stream")
    start = time.monotonic()
    assert getattr(far, method)(0) in (b"", (b"", *near.getsockname()))
    assert time.monotonic() - start < TIMEOUT


@pytest.mark.parametrize("domain", ["inet", "unix"])
@pytest.mark.parametrize(("method", "arguments"), [("recv", (0,)), ("recvfrom", (0,)), ("send", (b"abc", 3))])
def test_no_bytes_fail_where_bytes_would(make: Make, domain: str, method: str, arguments: tuple[Any, ...]) -> None:
    sock = make(domain)
    with pytest.raises(OSError, match=r"pipe|not connected|Invalid argument"):
        getattr(sock, method)(*arguments)
    sock.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        getattr(sock, method)(*arguments)


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
