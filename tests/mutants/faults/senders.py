"""The sender that recvfrom returns."""

from __future__ import annotations

import errno
from typing import Any

from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, system

GROUP = Group(__name__)
fault = GROUP.fault


@fault("stale-recvfrom", "recvfrom returns the previous sender for an unnamed one", "recvfrom.unix.unnamed-after-named")
class StaleSender(Wrapped):
    last: Any = None

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.unix and self.dgram:
            host = self.last = host or self.last or ""
        return data, host, port


@fault(
    "stale-bytes-recvfrom", "recvfrom appends the end of an earlier, longer path", "recvfrom.unix.shorter-after-longer"
)
class StaleBytes(Wrapped):
    last = ""

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.unix and isinstance(host, str) and host:
            host = self.last = host + self.last[len(host) :]
        return data, host, port


@fault(
    "destination-recvfrom", "recvfrom returns the last destination of sendto", "recvfrom.sender.not-last-destination"
)
class LastDestination(Wrapped):
    last: Any = None

    def sendto(self, buffer: Any, *arguments: Any) -> Any:
        self.last = (*arguments, None, None)[:2] if self.dgram else None
        return self.inner.sendto(buffer, *arguments)

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, *self.last) if self.last else (data, host, port)


@fault("connected-recvfrom", "recvfrom on a connected datagram socket returns no sender", "recvfrom.sender.connected")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    try:
        self.inner.getpeername()
    except OSError:
        return data, host, port
    return (data, None, None) if self.dgram else (data, host, port)


@fault("empty-recvfrom", "recvfrom returns no sender for an empty datagram", "recvfrom.sender.empty-datagram")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return (data, host, port) if data or self.stream or length == 0 else (data, None, None)


@fault("cut-recvfrom", "recvfrom returns no sender for a truncated datagram", "recvfrom.sender.cut-datagram")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return (data, host, port) if self.stream or len(data) < length else (data, None, None)


@fault("zero-recvfrom", "recvfrom(0) returns the previous sender", "recvfrom.sender.zero-length")
class ZeroSender(Wrapped):
    last: tuple[Any, ...] = ()

    def recvfrom(self, length: Any) -> Any:
        data, *sender = self.inner.recvfrom(length)
        if length == 0 and self.dgram and self.last:
            return (data, *self.last)
        self.last = tuple(sender)
        return (data, *sender)


@fault("data-recvfrom", "recvfrom returns the data alone", "recvfrom.result.data")
def recvfrom(self: Wrapped, length: Any) -> Any:
    return self.inner.recvfrom(length)[0]


@fault("ended-recvfrom", "recvfrom at the end of a stream fails", "recvfrom.stream.sender-at-end")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    if self.stream and not data and length:
        raise system(errno.ENOTCONN)
    return data, host, port


@fault("text-recvfrom", "recvfrom returns the port as a string, and 0 with a path", "recvfrom.result.port")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return (data, host, str(port)) if self.internet else (data, host, 0)


@fault(
    "nobody-recvfrom",  # words: allow
    "recvfrom returns an address with a wrong port or path",
    "recvfrom.sender.answerable",
)
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return (data, host, port ^ 1) if port else (data, f"{host}x" if isinstance(host, str) else host, port)


@fault("receiver-recvfrom", "recvfrom on a stream returns the receiver's address", "recvfrom.stream.sender")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return (data, *self.inner.getsockname()) if self.stream else (data, host, port)


@fault("host-recvfrom", "recvfrom returns the host as a list of its parts", "recvfrom.result.host")
def recvfrom(self: Wrapped, length: Any) -> Any:
    data, host, port = self.inner.recvfrom(length)
    return data, host.split("." if "." in host else ":") if isinstance(host, str) else host, port
