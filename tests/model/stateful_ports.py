"""Ports that are the reference but for one thing, which depends on what was called before."""

from __future__ import annotations

from typing import Any

import nixio_reference as right


class Port:
    """Hands everything on to the reference's socket."""

    def __init__(self, domain: str, type: str, protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        self.inner = right.socket(domain, type, protocol) if inner is None else inner
        self.kind = (domain, type)
        self.start()

    def start(self) -> None:
        """What the port remembers."""

    def accept(self) -> tuple[Any, ...]:
        sock, host, port = self.inner.accept()
        return type(self)(*self.kind, inner=sock), host, port

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class Fine(Port):
    """Nothing is wrong."""


class OffsetTwice(Port):
    """From the fourth call on, the offset counts twice."""

    def start(self) -> None:
        self.calls = 0

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        self.calls += 1
        twice = self.calls > 3 and isinstance(offset, int) and offset > 0
        return self.inner.send(buffer, offset * 2 if twice else offset, length)


class StalePeer(Port):
    """A datagram socket that is connected again tells its first peer's name."""

    def start(self) -> None:
        self.name: Any = None

    def getpeername(self) -> Any:
        self.name = (self.kind[1] == "dgram" and self.name) or self.inner.getpeername()
        return self.name


class SendtoConnects(Port):
    """On a connected datagram socket, sendto changes the peer."""

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


class StaleAccept(Port):
    """Each accept tells the first peer's address."""

    def start(self) -> None:
        self.first: tuple[Any, ...] = ()

    def accept(self) -> tuple[Any, ...]:
        sock, *address = super().accept()
        self.first = self.first or tuple(address)
        return (sock, *self.first)


class EndAfterBlocking(Port):
    """After two would-blocks a stream without data is taken for one at its end."""

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


class ShortReads(Port):
    """Right, and unusual: a stream gives at most half of what is asked for, and takes three bytes at once."""

    def recv(self, length: Any) -> Any:
        return self.inner.recv(length // 2 if self.kind[1] == "stream" and length > 1 else length)

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        if self.kind[1] != "stream" or (offset or 0) < 0:
            return self.inner.send(buffer, offset, length)
        return self.inner.send(buffer, offset, 3 if length is None or not 0 <= length < 3 else length)


class Plain(Port):
    """Right, and unusual: every system's failure is an OSError of its own class, and a closed socket a bad argument."""

    def close(self) -> Any:
        if self.inner.fileno() < 0:
            raise ValueError("closed")
        return self.inner.close()
