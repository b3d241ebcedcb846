"""Addresses that are wrong because of earlier calls: stored, stale, or another socket's."""

from __future__ import annotations

import errno
import socket
from typing import Any, ClassVar

from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, peer_of, raising, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault


@fault("bound-echo", "getsockname returns the arguments of bind", "getsockname.bound.reached")
class BoundEcho(Wrapped):
    asked: Any = None

    def bind(self, *arguments: Any) -> Any:
        result = self.inner.bind(*arguments)
        host, port = (*arguments, None, None)[:2]
        self.asked = (host, port) if self.internet and host is not None else None
        return result

    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        return self.asked or result


@fault(
    "cached-getsockname",
    "getsockname repeats its first result",
    "getsockname.state.after-bind",
    "getsockname.state.after-connect",
)
class CachedName(Wrapped):
    first: Any = None

    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        self.first = self.first or result
        return self.first


@fault("cached-getpeername", "getpeername repeats its first result", "getpeername.state.reconnected")
class CachedPeer(Wrapped):
    first: Any = None

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        self.first = self.first or result
        return self.first


@fault("failed-bind-echo", "getsockname returns the address of a failed bind", "getsockname.state.failed-bind")
class FailedBind(Wrapped):
    asked: Any = None

    def bind(self, *arguments: Any) -> Any:
        try:
            result = self.inner.bind(*arguments)
        except OSError:
            self.asked = arguments
            raise
        self.asked = None
        return result

    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        return (self.asked[0], None if self.unix else self.asked[1]) if self.asked else result


@fault("connect-echo", "getpeername returns the arguments of connect", "getpeername.state.failed-connect")
class ConnectEcho(Wrapped):
    asked: Any = None

    def connect(self, *arguments: Any) -> Any:
        host, port = (*arguments, None, None)[:2]
        self.asked = host, None if self.unix else port
        return self.inner.connect(*arguments)

    def getpeername(self) -> Any:
        if self.asked and self.number >= 0:
            return self.asked
        return self.inner.getpeername()


@fault(
    "unconnected-empty",
    "getpeername without a peer returns an empty host",
    "getpeername.state.unconnected",
    "getpeername.state.listening",
)
def getpeername(self: Wrapped) -> Any:
    try:
        return self.inner.getpeername()
    except OSError as error:
        if with_errno(error, errno.ENOTCONN):
            return "", 0
        raise


@fault("unconnected-value", "getpeername without a peer raises ValueError", "getpeername.state.unconnected")
def getpeername(self: Wrapped) -> Any:
    try:
        return self.inner.getpeername()
    except OSError as error:
        if with_errno(error, errno.ENOTCONN):
            raise ValueError("not connected") from None
        raise


@fault("raw-getpeername", "getpeername of a raw socket connected without port returns None", "getpeername.result.raw")
def getpeername(self: Wrapped) -> Any:
    try:
        return self.inner.getpeername()
    except OSError as error:
        return None if self.type == "raw" and with_errno(error, errno.ENOTCONN) else raising(error)


@fault("heard-getpeername", "getpeername returns the last sender's address", "getpeername.state.exchanged")
class HeardLast(Wrapped):
    heard: Any = None

    def recvfrom(self, length: Any) -> Any:
        data, *self.heard = self.inner.recvfrom(length)
        return (data, *self.heard)

    def getpeername(self) -> Any:
        try:
            return self.inner.getpeername()
        except OSError as error:
            return tuple(self.heard) if self.heard and with_errno(error, errno.ENOTCONN) else raising(error)


@fault("peer-closed-lost", "getpeername returns no host when the peer has closed", "getpeername.state.peer-closed")
class PeerClosedLost(Wrapped):
    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        if self.stream and self.type != "raw":
            with self.borrowed() as sock:
                try:
                    if sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                        return ("", 0)
                except BlockingIOError:
                    pass
        return result


@fault("name-closed-lost", "getsockname returns no host when the peer has closed", "getsockname.state.peer-closed")
class NameClosedLost(PeerClosedLost):
    def getpeername(self) -> Any:
        return self.inner.getpeername()

    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        connected = self.stream and peer_of(self)
        return ("", 0) if connected and super().getpeername() == ("", 0) else result


@fault("unbound-fails", "getsockname of an unbound socket fails", "getsockname.unbound.unspecified")
def getsockname(self: Wrapped) -> Any:
    host, port = self.inner.getsockname()
    if self.internet and port == 0 and self.type != "raw":
        raise system(errno.ENOTCONN)
    return host, port


@fault("sent-fails", "getsockname of a socket that sent without bind returns port 0", "getsockname.state.sent")
class SentFails(Wrapped):
    sent = False

    def sendto(self, *arguments: Any) -> Any:
        self.sent = self.sent or self.inner.getsockname()[1] == 0
        return self.inner.sendto(*arguments)

    def getsockname(self) -> Any:
        host, port = self.inner.getsockname()
        return host, 0 if self.sent and self.internet else port


@fault(
    "unix-unsupported",
    "getsockname and getpeername fail for UNIX sockets",
    "getsockname.result.unix",
    "getpeername.result.unix",
)
class UnixUnsupported(Wrapped):
    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        return result if self.internet else self._refuse()

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        return result if self.internet else self._refuse()

    def _refuse(self) -> Any:
        raise system(errno.EAFNOSUPPORT)


@fault("stale-accept", "accept returns the previous peer's path for an unnamed peer", "accept.peer.unix-not-stale")
class StaleAccept(Wrapped):
    last = ""

    def accept(self) -> Any:
        sock, host, port = super().accept()
        if self.unix:
            host = self.last = host or self.last
        return sock, host, port


@fault("reconnected-getpeername", "accepted sockets return the first one's peer", "getpeername.accepted.each")
class SharedPeer(Wrapped):
    latest: ClassVar[list[Any]] = []

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        if self.accepted:
            self.latest.append(result)
            return self.latest[0]
        return result


@fault("peerless", "after a failed getpeername, it fails for good", "getpeername.state.after-connect")
class Peerless(Wrapped):
    refusal: OSError | None = None

    def getpeername(self) -> Any:
        if self.refusal is not None:
            raise system(errno.ENOTCONN)
        try:
            return self.inner.getpeername()
        except OSError as error:
            self.refusal = error
            raise


@fault(
    "listener-getsockname",
    "getsockname of an accepted socket returns the listener's address",
    "getsockname.accepted.wildcard",
)
class ListenersName(Wrapped):
    parent: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        sock.parent = self.inner.getsockname()
        return sock, host, port

    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        return self.parent or result


@fault(
    "accepted-none",
    "accepted sockets return neither their own address nor their peer's",
    "getsockname.accepted.local",
    "getpeername.accepted.named",
)
class AcceptedNone(Wrapped):
    def getsockname(self) -> Any:
        result = self.inner.getsockname()
        return ("", None if self.unix else 0) if self.accepted else result

    def getpeername(self) -> Any:
        result = self.inner.getpeername()
        return ("", None if self.unix else 0) if self.accepted else result


@fault(
    "peer-path-getsockname",
    "getsockname of an unnamed UNIX client returns the peer's path",
    "getsockname.state.connected-unnamed",
)
def getsockname(self: Wrapped) -> Any:
    host, port = self.inner.getsockname()
    unnamed = self.unix and self.stream and not host
    return (unnamed and peer_of(self)) or (host, port)


@fault("sender-getsockname", "getsockname returns another port", "getsockname.bound.sender")
def getsockname(self: Wrapped) -> Any:
    host, port = self.inner.getsockname()
    return (host, port ^ 1) if self.internet and port else (host + "/" if self.unix and host else host, port)
