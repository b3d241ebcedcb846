"""Whom recvfrom names: the sender, and nobody else."""

from __future__ import annotations

from typing import Any

from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, not_connected

CHAPTER = Chapter(__name__)


@CHAPTER.fault(
    "stale-recvfrom", "recvfrom tells the sender before, for one that has no name", "recvfrom.unix.unnamed-after-named"
)
class StaleSender(Port):
    last: Any = None

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.unix and self.dgram:
            host = self.last = host or self.last or ""
        return data, host, port


@CHAPTER.fault(
    "stale-bytes-recvfrom",
    "recvfrom leaves the end of a longer path behind a shorter one",
    "recvfrom.unix.shorter-after-longer",
)
class StaleBytes(Port):
    last = ""

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.unix and isinstance(host, str) and host:
            host = self.last = host + self.last[len(host) :]
        return data, host, port


@CHAPTER.fault(
    "destination-recvfrom", "recvfrom tells the last destination of sendto", "recvfrom.sender.not-last-destination"
)
class LastDestination(Port):
    last: Any = None

    def sendto(self, buffer: Any, *arguments: Any) -> Any:
        self.last = (*arguments, None, None)[:2] if self.dgram else None
        return self.inner.sendto(buffer, *arguments)

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, *self.last) if self.last else (data, host, port)


@CHAPTER.fault(
    "connected-recvfrom", "recvfrom on a connected datagram socket tells no sender", "recvfrom.sender.connected"
)
class ConnectedSender(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        try:
            self.inner.getpeername()
        except OSError:
            return data, host, port
        return (data, None, None) if self.dgram else (data, host, port)


@CHAPTER.fault("empty-recvfrom", "recvfrom tells no sender of an empty datagram", "recvfrom.sender.empty-datagram")
class EmptySender(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, host, port) if data or self.stream or length == 0 else (data, None, None)


@CHAPTER.fault("cut-recvfrom", "recvfrom tells no sender of a datagram that was cut", "recvfrom.sender.cut-datagram")
class CutSender(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, host, port) if self.stream or len(data) < length else (data, None, None)


@CHAPTER.fault("zero-recvfrom", "recvfrom(0) tells the sender before", "recvfrom.sender.zero-length")
class ZeroSender(Port):
    last: tuple[Any, ...] = ()

    def recvfrom(self, length: Any) -> Any:
        data, *sender = self.inner.recvfrom(length)
        if length == 0 and self.dgram and self.last:
            return (data, *self.last)
        self.last = tuple(sender)
        return (data, *sender)


@CHAPTER.fault("data-recvfrom", "recvfrom returns the data alone", "recvfrom.result.data")
class DataOnly(Port):
    def recvfrom(self, length: Any) -> Any:
        return self.inner.recvfrom(length)[0]


@CHAPTER.fault("ended-recvfrom", "recvfrom at the end of a stream fails", "recvfrom.stream.sender-at-end")
class EndedSender(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.stream and not data and length:
            raise not_connected()
        return data, host, port


@CHAPTER.fault("text-recvfrom", "recvfrom tells the port as text, and 0 with a path", "recvfrom.result.port")
class PortText(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, host, str(port)) if self.internet else (data, host, 0)


@CHAPTER.fault("nobody-recvfrom", "recvfrom tells an address to which nobody can answer", "recvfrom.sender.answerable")
class Nobody(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, host, port ^ 1) if port else (data, f"{host}x" if isinstance(host, str) else host, port)


@CHAPTER.fault("receiver-recvfrom", "recvfrom on a stream tells the receiver's address", "recvfrom.stream.sender")
class ReceiversAddress(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return (data, *self.inner.getsockname()) if self.stream else (data, host, port)


@CHAPTER.fault("host-recvfrom", "recvfrom tells the parts of the host", "recvfrom.result.host")
class HostParts(Port):
    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return data, host.split("." if "." in host else ":") if isinstance(host, str) else host, port
