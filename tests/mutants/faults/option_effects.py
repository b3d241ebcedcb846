"""Options: when and for which socket a value takes effect, and effects on other options."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any, ClassVar

from tests.mutants.hooks import Optioned
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, is_int

GROUP = Group(__name__)
fault = GROUP.fault
ERROR = ("socket", "error")


option = GROUP.rows(Optioned)


@fault("read-once", "getopt repeats the first value of each option", "getopt.readback.latest", "getopt.stored.value")
class ReadOnce(Wrapped):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.setdefault(arguments, found)


@fault(
    "set-remembered",
    "getopt returns the value that was set last",
    "getopt.stored.not-what-was-set",
    "getopt.mtu.not-what-was-set",
)
class SetRemembered(Wrapped):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        self.known[arguments[:2]] = arguments[2]
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.get(arguments, found)


@fault("shared", "flags are stored for all sockets together", "getopt.sockets.independent")
class Shared(Wrapped):
    known: ClassVar[dict[Any, Any]] = {}

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if is_int(arguments[2]) and arguments[0] == "socket":
            Shared.known[arguments[:2]] = arguments[2]
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return Shared.known.get(arguments, found) if arguments != ERROR else found


@fault("lost-at-connect", "connect clears keepalive", "setopt.kept.connect")
def connect(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.connect(*arguments)
    self.inner.setopt("socket", "keepalive", 0)
    return result


@fault("lost-at-bind", "bind clears reuseaddr", "setopt.kept.bind")
def bind(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.bind(*arguments)
    self.inner.setopt("socket", "reuseaddr", 0)
    return result


@fault("lost-at-listen", "listen clears keepalive", "setopt.kept.listen")
def listen(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.listen(*arguments)
    self.inner.setopt("socket", "keepalive", 0)
    return result


class AlsoSets(Wrapped):
    """Setting one option sets another one too."""

    one: ClassVar[tuple[str, str]]
    other: ClassVar[tuple[str, str]]
    value: ClassVar[int]

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if arguments[:2] == self.one and arguments[2]:
            self.inner.setopt(*self.other, self.value)
        return result


also = GROUP.rows(AlsoSets)
also("broadcast-reuse", "broadcast sets reuseaddr too", "setopt.stored.alone").override(
    one=("socket", "broadcast"), other=("socket", "reuseaddr"), value=1
)
also("nodelay-uncorks", "nodelay clears cork", "setopt.stored.alone").override(
    one=("tcp", "nodelay"), other=("tcp", "cork"), value=0
)
also("linger-unkeeps", "linger clears keepalive", "setopt.stored.alone").override(
    one=("socket", "linger"), other=("socket", "keepalive"), value=0
)


@fault("connected-ignored", "setopt on a connected stream is only stored", "setopt.stored.connection")
class ConnectedIgnored(Wrapped):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def setopt(self, *arguments: Any) -> Any:
        connected = False
        with contextlib.suppress(OSError):
            connected = bool(self.stream and self.inner.getpeername())
        if not connected or not is_int(arguments[2]):
            return self.inner.setopt(*arguments)
        with self.twin() as other:
            result = other.setopt(*arguments)
            self.known[arguments[:2]] = other.getopt(*arguments[:2])
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.get(arguments, found)


@fault("get-changes", "reading an option sets keepalive", "getopt.effect.none")
def getopt(self: Wrapped, *arguments: Any) -> Any:
    found = self.inner.getopt(*arguments)
    if arguments != ("socket", "keepalive"):
        self.inner.setopt("socket", "keepalive", 1)
    return found


@fault(
    "set-only-remembered", "memberships can be read, with the values that were set", "getopt.set-only.not-remembered"
)
def getopt(self: SetRemembered, *arguments: Any) -> Any:
    if len(arguments) == 2 and arguments[1] in ("add_membership", "drop_membership") and arguments in self.known:
        return self.known[arguments]
    return self.inner.getopt(*arguments)


@fault(
    "mtu-default",
    "ip and ipv6 mtu are always 1500",
    "getopt.mtu.connected",
    "getopt.ip-mtu.effect.link",
    "getopt.ipv6-mtu.effect.link",
)
def getopt(self: Wrapped, *arguments: Any) -> Any:
    found = self.inner.getopt(*arguments)
    return 1500 if arguments in (("ip", "mtu"), ("ipv6", "mtu")) else found


class Both(Wrapped):
    """Setting one timeout sets the other one too."""

    one, other = "rcvtimeo", "sndtimeo"

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if arguments[:2] == ("socket", self.one):
            self.inner.setopt("socket", self.other, arguments[2])
        return result


fault("rcvtimeo-sends", "rcvtimeo sets sndtimeo too", "setopt.socket-rcvtimeo.effect.not-sending").override(Both)
fault("sndtimeo-receives", "sndtimeo sets rcvtimeo too", "setopt.socket-sndtimeo.effect.not-receiving").override(
    Both, one="sndtimeo", other="rcvtimeo"
)


@fault("linger-zero-resets", "linger 0 resets the connection when it is closed", "setopt.socket-linger.effect.no-reset")
def setopt(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.setopt(*arguments)
    if arguments[:2] == ("socket", "linger") and arguments[2] == 0:
        with self.borrowed() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return result


class Elsewhere(Wrapped):
    """IPv4's options on IPv6 sockets, which some systems have, are only stored."""

    def setopt(self, *arguments: Any) -> Any:
        if self.domain == "inet6" and arguments[0] == "ip":
            return True
        return self.inner.setopt(*arguments)

    def getopt(self, *arguments: Any) -> Any:
        if self.domain == "inet6" and arguments[0] == "ip":
            return 7
        return self.inner.getopt(*arguments)


fault(
    "elsewhere",
    "IPv4's options on an IPv6 socket can be set, and read as 7",
    "setopt.elsewhere.consistent",
    "getopt.elsewhere.consistent",
    "setopt.membership.elsewhere",
).override(Elsewhere)
fault("fresh-timestamps", "a new socket has cork or multicast_ttl set", "getopt.fresh.as-the-system-made-it").override(
    Wrapped,
    start=lambda s: s.inner.setopt("ip", "multicast_ttl", 3) if s.domain == "inet" and s.type != "stream" else None,
)


@fault("set-on-all", "setopt sets an option on all sockets of the implementation", "setopt.sockets.independent")
class SetOnAll(Wrapped):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)
        del self.all[:-6]

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        for other in self.all:
            with contextlib.suppress(OSError, ValueError, TypeError):
                other.setopt(*arguments)
        return result


@fault("twins", "setting a timeout or a buffer size changes what both directions read", "getopt.arguments.independent")
class Twins(Wrapped):
    def start(self) -> None:
        self.known: dict[str, Any] = {}

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if len(arguments) == 3 and str(arguments[1])[3:] in ("timeo", "buf"):
            self.known.setdefault(arguments[1][3:], self.inner.getopt(*arguments[:2]))
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.get(str(arguments[1])[3:], found)


@fault("connection-stale", "getopt on a connected stream returns a new socket's values", "getopt.connection.value")
def getopt(self: Wrapped, *arguments: Any) -> Any:
    found = self.inner.getopt(*arguments)
    with contextlib.suppress(OSError):
        if self.stream and self.inner.getpeername() and is_int(found):
            with self.twin() as other:
                return other.getopt(*arguments)
    return found
