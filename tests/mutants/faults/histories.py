"""Faults that depend on earlier calls: right in each short case, wrong in a longer sequence."""

from __future__ import annotations

import errno
from typing import Any

from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, chunk, is_int, system

GROUP = Group(__name__)
fault = GROUP.fault
#: The number of correct calls before a wrong one.
A_WHILE = 3


def mapped(host: Any) -> bool:
    """Whether it is an IPv4 address in mapped form."""
    return isinstance(host, str) and host.startswith("::ffff:")


@fault("offset-twice", "from the fourth send on, an offset counts twice", "model.example")
class OffsetTwice(Wrapped):
    sends = 0

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        self.sends += 1
        twice = self.sends > A_WHILE and is_int(offset) and offset > 0
        return self.inner.send(buffer, *chunk(offset * 2 if twice else offset, length))


@fault("offset-kept", "an offset is kept for later calls without one", "model.stream", "model.dgram")
class OffsetKept(Wrapped):
    last: Any = None

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        self.last = self.last if offset is None else offset
        return self.inner.send(buffer, *chunk(self.last, length))


@fault("stale-accept", "each accept returns the first peer's address", "model.stream")
class StaleAccept(Wrapped):
    first: Any = None

    def accept(self) -> Any:
        sock, *address = super().accept()
        self.first = self.first or address
        return sock, *self.first


@fault("end-after-blocking", "after two would-blocks, a third reports the stream's end", "model.stream")
class EndAfterBlocking(Wrapped):
    blocked = 0

    def recv(self, length: Any) -> Any:
        try:
            return self.inner.recv(length)
        except BlockingIOError:
            self.blocked += 1
            if self.stream and self.blocked >= A_WHILE:
                return b""
            raise


@fault("half-later", "only the first message is received whole, half of each later one", "model.dgram")
class HalfLater(Wrapped):
    messages = 0

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        self.messages += self.dgram and bool(data)
        return data[: len(data) // 2] if self.messages > 1 else data, host, port


@fault("stale-sender", "each recvfrom returns the first sender", "model.dual-stack")
class StaleSender(Wrapped):
    first: Any = None

    def recvfrom(self, length: Any) -> Any:
        data, *source = self.inner.recvfrom(length)
        self.first = self.first or (source if source[0] else None)
        return data, *(self.first or source)


@fault("stale-peer", "a reconnected datagram socket returns its first peer", "model.dgram")
class StalePeer(Wrapped):
    first: Any = None

    def getpeername(self) -> Any:
        self.first = (self.dgram and self.first) or self.inner.getpeername()
        return self.first


@fault("rd-forgets", "shutdown of reading drops the received data, once some was read", "model.stream")
class Forgets(Wrapped):
    read_some = False
    deaf = False

    def recv(self, length: Any) -> Any:
        if self.deaf and is_int(length) and length > 0:
            return b""
        data = self.inner.recv(length)
        self.read_some = self.read_some or bool(data)
        return data

    def shutdown(self, *how: Any) -> Any:
        done = self.inner.shutdown(*how)
        self.deaf = self.stream and self.read_some and how == ("rd",)
        return done


@fault("name-kept", "an accepted socket returns the peer of the last accepted one", "model.stream")
class NameOfTheLast(Wrapped):
    parent: Any = None
    last: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        sock.parent, self.last = self, (host, port)
        return sock, host, port

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        return self.parent.last if self.parent is not None else result


@fault(
    "mapped-once", "an IPv6 socket returns its first IPv4 peer mapped, later ones without ::ffff:", "model.dual-stack"
)
class MappedOnce(Wrapped):
    result = 0

    def bare(self, host: Any) -> Any:
        """The host, but without ::ffff: from the second mapped one on."""
        self.result += mapped(host)
        return host.removeprefix("::ffff:") if mapped(host) and self.result > 1 else host

    def accept(self) -> Any:
        sock, host, port = super().accept()
        return sock, self.bare(host), port

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        return data, self.bare(host), port


@fault("one-family", "a socket that had an IPv6 peer refuses IPv4 ones", "model.dual-stack")
class OneFamily(Wrapped):
    six = False

    def recvfrom(self, length: Any) -> Any:
        data, host, port = self.inner.recvfrom(length)
        if self.six and mapped(host):
            raise system(errno.EAFNOSUPPORT)
        self.six = self.six or (self.domain == "inet6" and isinstance(host, str) and not mapped(host))
        return data, host, port


@fault("sent-elsewhere", "getpeername returns the last destination of sendto", "getpeername.state.sent-elsewhere")
class SentElsewhere(Wrapped):
    sent: Any = None

    def sendto(self, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
        count = self.inner.sendto(buffer, host, port, *rest)
        self.sent = (host, port) if self.internet else (host, None)
        return count

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        return self.sent if self.dgram and self.sent else result


@fault(
    "sendto-connects",
    "sendto on a connected datagram socket changes its peer",
    "getpeername.state.sent-elsewhere",
    "model.dgram",
)
class SendtoConnects(Wrapped):
    connected = False

    def connect(self, *arguments: Any) -> Any:
        self.connected = bool(self.inner.connect(*arguments))
        return self.connected

    def sendto(self, buffer: Any, host: Any = None, port: Any = None, *rest: Any) -> Any:
        count = self.inner.sendto(buffer, host, port, *rest)
        if self.connected and self.dgram:
            self.inner.connect(host, port)
        return count
