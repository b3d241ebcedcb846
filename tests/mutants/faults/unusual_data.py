"""Right ports that use a freedom in what they send, receive and resolve."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from typing import Any

from tests.mutants.hooks import Hooked, Receiver, Sender
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import FAMILIES, Port, is_int, raising, size, system

CHAPTER = Chapter(__name__)
SENDS = ("send", "write", "sendto")
RECEIVES = ("recv", "read", "recvfrom")


def streams(sock: Port) -> bool:
    """Only streams are different."""
    return sock.stream


CHAPTER.unusual(
    "half-reads",
    "streams: receives half of what was asked for",
    RECEIVES,
    Receiver,
    applies=streams,
    asked=lambda s, n: (n + 1) // 2 if is_int(n) and n > 0 else n,
)
CHAPTER.unusual(
    "short-reads",
    "streams: receives 1000 bytes at most",
    RECEIVES,
    Receiver,
    applies=streams,
    asked=lambda s, n: min(n, 1000) if is_int(n) and n > 0 else n,
)


@CHAPTER.variety("short-writes", "streams: sends 1000 bytes at most", *SENDS)
class ShortWrites(Sender):
    def applies(self) -> bool:
        return self.stream

    def chosen(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        if (offset is None or (is_int(offset) and offset >= 0)) and (
            length is None or (is_int(length) and length >= 0)
        ):
            rest = max(size(buffer) - (offset or 0), 0)
            length = min(rest if length is None else length, 1000)
        return buffer, offset, length


CHAPTER.unusual(
    "length-rest",
    "takes a negative length for the rest",
    SENDS,
    Sender,
    chosen=lambda s, b, o, n: (b, o, None if is_int(n) and n < 0 else n),
)
CHAPTER.unusual(
    "length-refused",
    "refuses a negative length",
    SENDS,
    Sender,
    chosen=lambda s, b, o, n: raising(ValueError("length")) if is_int(n) and n < 0 and s.number >= 0 else (b, o, n),
)
CHAPTER.unusual(
    "offset-nothing",
    "sends nothing for a negative offset",
    SENDS,
    Sender,
    chosen=lambda s, b, o, n: (b, 1 << 20, n) if is_int(o) and o < 0 else (b, o, n),
)
CHAPTER.unusual(
    "receive-negative",
    "takes a negative length for buffersize",
    RECEIVES,
    Receiver,
    asked=lambda s, n: 8192 if is_int(n) and n < 0 else n,
)
CHAPTER.unusual(
    "receive-negative-refused",
    "refuses to receive a negative length",
    RECEIVES,
    Receiver,
    asked=lambda s, n: raising(ValueError("length")) if is_int(n) and n < 0 and s.number >= 0 else n,
)


@CHAPTER.variety("past-end-nothing", "datagrams: sends nothing for an offset at or past the end", *SENDS)
class PastEndNothing(Sender):
    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        if self.dgram and is_int(offset) and 0 < offset >= size(buffer) and self.number >= 0:
            return 0
        return super().transmit(name, buffer, to, offset, length)


@CHAPTER.variety("zero-nothing", "datagrams: sends nothing for length 0", *SENDS)
class ZeroNothing(Sender):
    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        if self.dgram and is_int(length) and length == 0 and size(buffer) and self.number >= 0:
            return 0
        return super().transmit(name, buffer, to, offset, length)


@CHAPTER.variety("stream-nothing", "streams: asks the system for nothing where there is nothing to send", *SENDS)
class StreamNothing(Sender):
    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        start = 0 if offset is None else offset
        if self.stream and is_int(start) and start >= 0 and self.number >= 0:
            nothing = start >= size(buffer) if length is None else is_int(length) and length == 0
            if nothing:
                return 0
        return super().transmit(name, buffer, to, offset, length)


class Buffer:
    """A module-like object with a buffersize of its own."""

    def __init__(self, buffersize: int) -> None:
        self.buffersize = buffersize
        self.name = f"buffersize {buffersize}"

    def socket(self, domain: Any, type: Any, protocol: Any = None) -> Any:  # noqa: A002
        """The factory."""
        made = Sized(domain, type, protocol)
        made.most = self.buffersize
        return made


class Sized(Receiver):
    """Receives what its buffersize says."""

    most = 8192

    def wrap(self, inner: Any) -> Port:
        made = Sized(self.domain, self.type, inner=inner)
        made.most = self.most
        return made

    def receive(self, name: str, length: Any) -> Any:
        if not is_int(length) or 0 <= length <= min(self.most, 8192):
            return getattr(self.inner, name)(length)
        room = self.most if length < 0 else min(length, self.most)
        with self.borrowed() as sock:
            sock.setblocking(self.blocking)
            data, address = sock.recvfrom(room)
        if name != "recvfrom":
            return data
        if isinstance(address, tuple):
            return data, *address[:2]
        return (data, None, None) if self.stream else (data, address or "", None)


CHAPTER.also("buffer-4096", "has a buffersize of 4096", Buffer(4096), *RECEIVES)
CHAPTER.also("buffer-65536", "has a buffersize of 65536", Buffer(65536), *RECEIVES)


@CHAPTER.variety("stream-nobody", "streams: recvfrom tells no sender", "recvfrom")
class StreamNobody(Receiver):
    def sender(self, host: Any, port: Any) -> tuple[Any, ...]:
        return (None, None) if self.stream else (host, port)


@CHAPTER.variety("sendto-names", "sendto looks names up", "sendto")
class SendtoNames(Port):
    def sendto(self, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
        named = self.internet and isinstance(host, str) and host and "\0" not in host and isinstance(port, (int, str))
        if named and self.number >= 0:
            host = socket.getaddrinfo(host, None, FAMILIES[self.domain], socket.SOCK_DGRAM)[0][4][0]
        return self.inner.sendto(buffer, host, port, *rest)


@CHAPTER.variety("sendto-addresses", "sendto takes a name for a bad argument", "sendto")
class SendtoAddresses(Port):
    def sendto(self, buffer: Any, host: Any = None, *rest: Any) -> Any:
        if self.internet and isinstance(host, str) and self.number >= 0:
            try:
                socket.inet_pton(FAMILIES[self.domain], host)
            except (OSError, ValueError):
                raise ValueError("host is no address") from None
        return self.inner.sendto(buffer, host, *rest)


class LongPath(Port):
    """Says in its own way that a path is too long."""

    code = errno.EINVAL

    def _checked(self, host: Any) -> None:
        if (
            self.unix
            and isinstance(host, (str, bytes))
            and len(os.fsencode(host)) > 107
            and host[:1] not in ("\0", b"\0")
        ):
            raise system(self.code) if self.number >= 0 else system(errno.EBADF)

    def bind(self, *arguments: Any) -> Any:
        self._checked(arguments[0] if arguments else None)
        return self.inner.bind(*arguments)

    def connect(self, *arguments: Any) -> Any:
        self._checked(arguments[0] if arguments else None)
        return self.inner.connect(*arguments)

    def sendto(self, *arguments: Any) -> Any:
        self._checked(arguments[1] if len(arguments) > 1 else None)
        return self.inner.sendto(*arguments)


PATHS = ("bind", "connect", "sendto")
CHAPTER.unusual("long-path-invalid", "a path that is too long is EINVAL", PATHS, LongPath)
CHAPTER.unusual(
    "long-path-argument",
    "a path that is too long is a bad argument",
    PATHS,
    LongPath,
    _checked=lambda s, h: (
        raising(ValueError("path"))
        if s.unix and isinstance(h, (str, bytes)) and len(os.fsencode(h)) > 108 and s.number >= 0
        else None
    ),
)
CHAPTER.unusual(
    "negative-backlog",
    "takes a negative backlog for 0",
    ("listen",),
    Hooked,
    method="listen",
    given=lambda s, *a: (0,) if a and is_int(a[0]) and a[0] < 0 else a,
)
CHAPTER.unusual(
    "negative-backlog-refused",
    "refuses a negative backlog",
    ("listen",),
    Hooked,
    method="listen",
    given=lambda s, *a: raising(ValueError("backlog")) if a and is_int(a[0]) and a[0] < 0 and s.number >= 0 else a,
)


@CHAPTER.variety("polls", "waits in poll before it receives", "recv")
class Polls(Port):
    def recv(self, *arguments: Any) -> Any:
        positive = arguments and is_int(arguments[0]) and arguments[0] > 0
        if positive and self.stream and self.blocking and self.inner.getopt("socket", "rcvtimeo") == (0, 0):
            with contextlib.suppress(OSError):
                self.inner.getpeername()
                poll = select.poll()
                poll.register(self.number, select.POLLIN)
                poll.poll()
        return self.inner.recv(*arguments)


@CHAPTER.variety("mode-beside", "keeps the mode on the descriptor and beside it", "setblocking")
class ModeBeside(Port):
    waits = True

    def setblocking(self, *arguments: Any) -> Any:
        result = self.inner.setblocking(*arguments)
        self.waits = arguments[0]
        return result
