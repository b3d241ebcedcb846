"""In which order recv, read and recvfrom return data: ends, datagrams, and the rest for the next call."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from typing import Any

from tests.mutants.hooks import Receiver
from tests.mutants.registry import Group
from tests.mutants.wrapper import is_int, positive, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault
TO_ALIASES = ("recv", "read")


@fault("peeks", "receiving leaves the data in the queue", "recv.data.once", methods=TO_ALIASES)
def receive(self: Receiver, name: str, length: Any) -> Any:
    if name not in self.methods or not positive(length):
        return Receiver.receive(self, name, length)
    with self.borrowed() as sock:
        sock.setblocking(self.blocking)
        return sock.recv(min(length, 8192), socket.MSG_PEEK)


@fault("waits-for-all", "receiving waits until the whole length has arrived", "recv.length.not-filled")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    while self.stream and self.blocking and positive(length) and data and len(data) < min(length, 8192):
        more = self.inner.recv(min(length, 8192) - len(data))
        if not more:
            break
        data += more
    return data


@fault(
    "drops-rest",
    "receiving reads 8192 bytes and drops those above the length",
    "recv.stream.rest-stays",
    "recv.stream.byte-by-byte",
)
class DropsRest(Receiver):
    def pass_on(self, length: Any) -> Any:
        return 8192 if positive(length) and self.stream else length

    def result(self, data: bytes, length: Any) -> Any:
        return data[:length] if positive(length) else data


@fault("keeps-rest", "the next call returns the rest of a datagram", "recv.datagram.rest-is-lost")
class KeepsRest(Receiver):
    methods = TO_ALIASES
    rest = b""

    def receive(self, name: str, length: Any) -> Any:
        if not self.dgram or name not in self.methods or not positive(length):
            return super().receive(name, length)
        data = self.rest or self.inner.recv(8192)
        self.rest = data[length:]
        return data[:length]


@fault("too-long-refused", "a datagram longer than the length fails", "recv.datagram.cut")
def pass_on(self: Receiver, length: Any) -> Any:
    if self.dgram and positive(length):
        with self.borrowed() as sock, contextlib.suppress(OSError):
            if sock.recv_into(bytearray(8193), 8193, socket.MSG_PEEK | socket.MSG_DONTWAIT) > length:
                sock.recv(1)
                raise ValueError("message too long")
    return length


@fault("joins-datagrams", "receiving joins several datagrams", "recv.datagram.boundaries", methods=TO_ALIASES)
def result(self: Receiver, data: bytes, length: Any) -> Any:
    with contextlib.suppress(OSError), self.for_now(blocking=False):
        while self.dgram and positive(length) and len(data) < length:
            data += self.inner.recv(length - len(data))
    return data


@fault("skips-empty", "an empty datagram is skipped", "recv.datagram.empty", methods=TO_ALIASES)
def result(self: Receiver, data: bytes, length: Any) -> Any:
    while self.dgram and not data and positive(length):
        data = self.inner.recv(length)
    return data


@fault("empty-closes", "an empty datagram closes the socket", "recv.datagram.empty-is-no-end")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.dgram and not data and positive(length):
        self.inner.close()
    return data


@fault("end-closes", "the end of a stream closes the socket", "recv.end.again")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.stream and not data and positive(length):
        self.inner.close()
    return data


@fault("end-none", "the end of a stream is None", "recv.end.empty")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    return None if self.stream and not data and positive(length) else data


@fault("end-fails", "the end of a stream raises EOFError", "recv.end.empty")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.stream and not data and positive(length):
        raise EOFError("the end")
    return data


@fault("end-once", "the end of a stream is reported once, and then would-block", "recv.end.again")
class EndOnce(Receiver):
    ended = False

    def result(self, data: bytes, length: Any) -> Any:
        if self.stream and not data and positive(length):
            if self.ended:
                raise system(errno.EAGAIN)
            self.ended = True
        return data


@fault("end-first", "the data before the end is dropped", "recv.end.data-first")
def pass_on(self: Receiver, length: Any) -> Any:
    if self.stream and positive(length):
        poll = select.poll()
        poll.register(self.number, select.POLLRDHUP)
        if poll.poll(0):
            with self.borrowed() as sock, contextlib.suppress(OSError):
                while sock.recv(8192, socket.MSG_DONTWAIT):
                    pass
    return length


@fault("zero-eats", "recv(0) consumes a byte", "recv.zero.data-stay")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.stream and is_int(length) and length == 0:
        with self.borrowed() as sock, contextlib.suppress(OSError):
            sock.recv(1, socket.MSG_DONTWAIT)
    return data


@fault("negative-over", "a negative length returns more than buffersize", "recv.negative.limit")
def receive(self: Receiver, name: str, length: Any) -> Any:
    if name == "recvfrom" or not is_int(length) or length >= 0:
        return Receiver.receive(self, name, length)
    with self.borrowed() as sock:
        sock.setblocking(self.blocking)
        return sock.recv(65536)


@fault("over-limit", "a length above buffersize is not reduced to it", "recvfrom.limit.stream")
def receive(self: Receiver, name: str, length: Any) -> Any:
    if name == "recvfrom" or not positive(length) or length <= 8192:
        return Receiver.receive(self, name, length)
    with self.borrowed() as sock:
        sock.setblocking(self.blocking)
        return sock.recv(min(length, 65536))


@fault(
    "over-limit-lost",
    "data of a stream above buffersize is lost",
    "recv.stream.all-of-much",
    "recvfrom.limit.nothing-lost",
)
def result(self: Receiver, data: bytes, length: Any) -> Any:
    if self.stream and positive(length) and length > 8192:
        with self.borrowed() as sock, contextlib.suppress(OSError):
            sock.recv(length - 8192, socket.MSG_DONTWAIT)
    return data


@fault("refused-twice", "a refused datagram is reported by every later call", "recv.refused.once")
class RefusedTwice(Receiver):
    refused: OSError | None = None

    def failed(self, error: OSError, length: Any) -> Any:
        if with_errno(error, errno.ECONNREFUSED) and self.dgram:
            self.refused = error
        raise self.refused or error


@fault("refused-skipped", "a refused datagram is not reported", "recv.refused.told")
def failed(self: Receiver, error: OSError, length: Any) -> Any:
    if with_errno(error, errno.ECONNREFUSED) and self.dgram:
        return self.inner.recv(length)
    raise error


@fault("twice", "each datagram is returned twice", "recv.data.once")
class Twice(Receiver):
    methods = TO_ALIASES
    again: bytes | None = None

    def receive(self, name: str, length: Any) -> Any:
        if not self.dgram or name not in self.methods:
            return super().receive(name, length)
        data, self.again = self.again, None
        if data is None:
            data = self.again = super().receive(name, length)
        return data


@fault("leaks", "each receive leaks a descriptor", "recv.data.arrives")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    os.open(os.devnull, os.O_RDONLY)
    return data


@fault("out-of-order", "the two halves of a stream's chunk are exchanged", "recv.stream.in-order")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    half = len(data) // 2
    return data[half:] + data[:half] if self.stream and len(data) > 3 else data


@fault("read-line", "read returns at most one line and keeps the rest for the next read", "read.alias.in-turn")
class ReadLine(Receiver):
    rest = b""

    def receive(self, name: str, length: Any) -> Any:
        if name != "read" or not self.stream or not positive(length) or self.number < 0:
            return super().receive(name, length)
        data = self.rest or self.inner.recv(length)
        end = min(data.find(b"\n") + 1 or len(data), length)
        self.rest = data[end:]
        return data[:end]


@fault("read-buffer", "read has a separate buffer, which recv does not use", "read.alias.in-turn")
class ReadBuffer(Receiver):
    held = b""

    def read(self, length: Any) -> Any:
        if not self.stream or not positive(length):
            return self.inner.read(length)
        if not self.held:
            self.held = self.inner.read(8192)
        data, self.held = self.held[:length], self.held[length:]
        return data


@fault("refused-length-takes", "a refused length consumes a datagram", "recv.length.refused-takes-nothing")
def pass_on(self: Receiver, length: Any) -> Any:
    if not is_int(length):
        with self.borrowed() as sock, contextlib.suppress(OSError):
            sock.recv(100, socket.MSG_DONTWAIT)
    return length


@fault("raw-header-only", "recv on a raw socket returns the header only", "recv.raw.arrives")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    return data[:4] if self.type == "raw" else data


@fault(
    "only-from-peer",
    "recv on an unconnected socket returns datagrams of the first sender only",
    "recv.datagram.from-anybody",
)
class OnlyFirst(Receiver):
    methods = TO_ALIASES
    first: Any = None

    def receive(self, name: str, length: Any) -> Any:
        if not self.dgram or not self.internet or name not in self.methods or not positive(length):
            return super().receive(name, length)
        while True:
            data, *source = self.inner.recvfrom(length)
            self.first = self.first or source
            if self.first == source:
                return data


@fault("over-limit-datagram", "a datagram longer than buffersize is returned whole", "recvfrom.limit.datagram")
def receive(self: Receiver, name: str, length: Any) -> Any:
    if not self.dgram or not positive(length) or length <= 8192:
        return Receiver.receive(self, name, length)
    with self.borrowed() as sock:
        sock.setblocking(self.blocking)
        data, address = sock.recvfrom(65536)
    result = address[:2] if isinstance(address, tuple) else (address or "", None)
    return (data, *result) if name == "recvfrom" else data


@fault("zero-datagram-waits", "recv(0) keeps half of a datagram", "recv.zero.datagram")
class ZeroKeepsHalf(Receiver):
    kept = b""

    def receive(self, name: str, length: Any) -> Any:
        if not self.dgram or name == "recvfrom" or not is_int(length):
            return super().receive(name, length)
        if length == 0:
            self.kept = self.inner.recv(8192)[1:]
            return b""
        kept, self.kept = self.kept, b""
        return kept or self.inner.recv(length)
