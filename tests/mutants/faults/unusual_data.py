"""Conforming variants: unusual choices in sending, receiving and resolving."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from typing import Any

from tests.mutants.hooks import Hooked, Receiver, Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, RECEIVING, SENDING, Wrapped, is_int, raising, size, system

GROUP = Group(__name__)
variant = GROUP.variant


def streams(sock: Wrapped) -> bool:
    """Whether a socket is a stream."""
    return sock.stream


variant("half-reads", "streams: receives half of the length", *RECEIVING).override(
    Receiver, applies=streams, pass_on=lambda s, n: (n + 1) // 2 if is_int(n) and n > 0 else n
)
variant("short-reads", "streams: receives 1000 bytes at most", *RECEIVING).override(
    Receiver, applies=streams, pass_on=lambda s, n: min(n, 1000) if is_int(n) and n > 0 else n
)


@variant("short-writes", "streams: sends 1000 bytes at most", *SENDING)
class ShortWrites(Sender):
    def applies(self) -> bool:
        return self.stream

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        if (offset is None or (is_int(offset) and offset >= 0)) and (
            length is None or (is_int(length) and length >= 0)
        ):
            rest = max(size(buffer) - (offset or 0), 0)
            length = min(rest if length is None else length, 1000)
        return buffer, offset, length


variant("length-rest", "treats a negative length as the rest", *SENDING).override(
    Sender, pass_on=lambda s, b, o, n: (b, o, None if is_int(n) and n < 0 else n)
)
variant("length-refused", "refuses a negative length", *SENDING).override(
    Sender,
    pass_on=lambda s, b, o, n: raising(ValueError("length")) if is_int(n) and n < 0 and s.number >= 0 else (b, o, n),
)
variant("offset-nothing", "sends nothing for a negative offset", *SENDING).override(
    Sender, pass_on=lambda s, b, o, n: (b, 1 << 20, n) if is_int(o) and o < 0 else (b, o, n)
)
variant("receive-negative", "treats a negative length as buffersize", *RECEIVING).override(
    Receiver, pass_on=lambda s, n: 8192 if is_int(n) and n < 0 else n
)
variant("receive-negative-refused", "refuses to receive a negative length", *RECEIVING).override(
    Receiver, pass_on=lambda s, n: raising(ValueError("length")) if is_int(n) and n < 0 and s.number >= 0 else n
)


@variant("past-end-nothing", "datagrams: sends nothing for an offset at or past the end", *SENDING)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    if self.dgram and is_int(offset) and 0 < offset >= size(buffer) and self.number >= 0:
        return 0
    return Sender.transmit(self, name, buffer, to, offset, length)


@variant("zero-nothing", "datagrams: sends nothing for length 0", *SENDING)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    if self.dgram and is_int(length) and length == 0 and size(buffer) and self.number >= 0:
        return 0
    return Sender.transmit(self, name, buffer, to, offset, length)


@variant("stream-nothing", "streams: makes no system call where no byte is to be sent", *SENDING)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    start = 0 if offset is None else offset
    if self.stream and is_int(start) and start >= 0 and self.number >= 0:
        nothing = start >= size(buffer) if length is None else is_int(length) and length == 0
        if nothing:
            return 0
    return Sender.transmit(self, name, buffer, to, offset, length)


class Buffer:
    """An object like a module, with its own buffersize."""

    def __init__(self, buffersize: int) -> None:
        self.buffersize = buffersize
        self.name = f"buffersize {buffersize}"

    def socket(self, domain: Any, type: Any, protocol: Any = None) -> Any:  # noqa: A002
        """The factory."""
        made = Sized(domain, type, protocol)
        made.most = self.buffersize
        return made


class Sized(Receiver):
    """Receives up to its buffersize."""

    most = 8192

    def wrap(self, inner: Any) -> Wrapped:
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


variant("buffer-4096", "has a buffersize of 4096", *RECEIVING).use(Buffer(4096))
variant("buffer-65536", "has a buffersize of 65536", *RECEIVING).use(Buffer(65536))


@variant("stream-nobody", "streams: returns no sender from recvfrom", "recvfrom")  # words: allow
def sender(self: Receiver, host: Any, port: Any) -> tuple[Any, ...]:
    return (None, None) if self.stream else (host, port)


@variant("sendto-names", "resolves names in sendto", "sendto")
def sendto(self: Wrapped, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
    named = self.internet and isinstance(host, str) and host and "\0" not in host and isinstance(port, (int, str))
    if named and self.number >= 0:
        host = socket.getaddrinfo(host, None, FAMILIES[self.domain], socket.SOCK_DGRAM)[0][4][0]
    return self.inner.sendto(buffer, host, port, *rest)


@variant("sendto-addresses", "reports a host name in sendto as a bad argument", "sendto")
def sendto(self: Wrapped, buffer: Any, host: Any = None, *rest: Any) -> Any:
    if self.internet and isinstance(host, str) and self.number >= 0:
        try:
            socket.inet_pton(FAMILIES[self.domain], host)
        except (OSError, ValueError):
            raise ValueError("host is not an address") from None
    return self.inner.sendto(buffer, host, *rest)


class LongPath(Wrapped):
    """Refuses a path that is too long with another error."""

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
variant("long-path-invalid", "reports a path that is too long as EINVAL", *PATHS).override(LongPath)
variant("long-path-argument", "reports a path that is too long as a bad argument", *PATHS).override(
    LongPath,
    _checked=lambda s, h: (
        raising(ValueError("path"))
        if s.unix and isinstance(h, (str, bytes)) and len(os.fsencode(h)) > 108 and s.number >= 0
        else None
    ),
)
variant("negative-backlog", "treats a negative backlog as 0", "listen").override(
    Hooked, methods=("listen",), pass_on=lambda s, *a: (0,) if a and is_int(a[0]) and a[0] < 0 else a
)
variant("negative-backlog-refused", "refuses a negative backlog", "listen").override(
    Hooked,
    methods=("listen",),
    pass_on=lambda s, *a: raising(ValueError("backlog")) if a and is_int(a[0]) and a[0] < 0 and s.number >= 0 else a,
)


@variant("polls", "waits in poll before it receives", "recv")
def recv(self: Wrapped, *arguments: Any) -> Any:
    positive = arguments and is_int(arguments[0]) and arguments[0] > 0
    if positive and self.stream and self.blocking and self.inner.getopt("socket", "rcvtimeo") == (0, 0):
        with contextlib.suppress(OSError):
            self.inner.getpeername()
            poll = select.poll()
            poll.register(self.number, select.POLLIN)
            poll.poll()
    return self.inner.recv(*arguments)


@variant("mode-beside", "stores the mode beside the descriptor's own", "setblocking")
class ModeBeside(Wrapped):
    waits = True

    def setblocking(self, *arguments: Any) -> Any:
        result = self.inner.setblocking(*arguments)
        self.waits = arguments[0]
        return result
