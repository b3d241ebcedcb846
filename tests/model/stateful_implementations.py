"""Implementations that differ from the reference in one fault, which depends on earlier calls; conforming variants."""

from __future__ import annotations

from typing import Any

import nixio_reference as reference


class Conforming:
    """A socket of the reference; every method that a subclass does not define is the reference's."""

    def __init__(self, domain: str, type: str, protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        self.inner = reference.socket(domain, type, protocol) if inner is None else inner
        self.kind = (domain, type)
        self.start()

    def start(self) -> None:
        """Initialize the state on which the fault depends."""

    def accept(self) -> tuple[Any, ...]:
        sock, host, port = self.inner.accept()
        return type(self)(*self.kind, inner=sock), host, port

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class OffsetTwice(Conforming):
    """From the fourth call of send() on, the offset is counted twice."""

    def start(self) -> None:
        self.calls = 0

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        self.calls += 1
        twice = self.calls > 3 and isinstance(offset, int) and offset > 0
        return self.inner.send(buffer, offset * 2 if twice else offset, length)


class StalePeer(Conforming):
    """getpeername() of a datagram socket returns the first peer's address after a second connect(), too."""

    def start(self) -> None:
        self.address: Any = None

    def getpeername(self) -> Any:
        self.address = (self.kind[1] == "dgram" and self.address) or self.inner.getpeername()
        return self.address


class SendtoConnects(Conforming):
    """sendto() on a connected datagram socket changes the peer."""

    def start(self) -> None:
        self.connected = False

    def connect(self, *address: Any) -> Any:
        self.connected = bool(self.inner.connect(*address))
        return self.connected

    def sendto(self, buffer: Any, host: Any, port: Any = None, *chunk: Any) -> Any:
        count = self.inner.sendto(buffer, host, port, *chunk)
        if self.connected and self.kind[1] == "dgram":
            self.inner.connect(host, port)
        return count


class StaleAccept(Conforming):
    """Every accept() returns the first client's address."""

    def start(self) -> None:
        self.first: tuple[Any, ...] = ()

    def accept(self) -> tuple[Any, ...]:
        sock, *address = super().accept()
        self.first = self.first or tuple(address)
        return (sock, *self.first)


class EndAfterBlocking(Conforming):
    """From the third call of recv() on that would block, it returns EOF."""

    def start(self) -> None:
        self.blocked = 0

    def recv(self, length: Any) -> Any:
        try:
            return self.inner.recv(length)
        except BlockingIOError:
            self.blocked += 1
            if self.blocked > 2:
                return b""
            raise


class ShortReads(Conforming):
    """Conforming: recv() on a stream returns at most half of the requested bytes, and send() takes at most three."""

    def recv(self, length: Any) -> Any:
        return self.inner.recv(length // 2 if self.kind[1] == "stream" and length > 1 else length)

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        if self.kind[1] != "stream" or (offset or 0) < 0:
            return self.inner.send(buffer, offset, length)
        return self.inner.send(buffer, offset, 3 if length is None or not 0 <= length < 3 else length)


class ClosedIsBadArgument(Conforming):
    """Conforming: close() of a closed socket raises ValueError instead of EBADF."""

    def close(self) -> Any:
        if self.inner.fileno() < 0:
            raise ValueError("closed")
        return self.inner.close()
