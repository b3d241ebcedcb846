"""Options: the pending error, names, and when and for which socket something takes effect."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import Any, ClassVar

from nixio_conformance.proof.hooks import Optioned
from nixio_conformance.proof.registry import Chapter
from nixio_conformance.proof.wrapper import Port, is_int, raising, reference, system

CHAPTER = Chapter(__name__)
Pair = tuple[str, str]
ERROR = ("socket", "error")
LEVELS = ("socket", "tcp", "ip", "ipv6")


def row(name: str, does: str, clauses: tuple[str, ...], pairs: tuple[Pair, ...], **members: Any) -> None:
    """A fault of some pairs."""
    CHAPTER.row(name, does, clauses, Optioned, pairs=frozenset(pairs), **members)


# -- the pending error -------------------------------------------------------------------------------------------------
row(
    "error-zero",
    "error is always 0",
    ("getopt.socket-error.effect.refused", "getopt.socket-error.effect.reset"),
    (ERROR,),
    found=lambda s, v: 0,
)
row(
    "error-raised",
    "error raises what is pending",
    ("getopt.socket-error.effect.refused",),
    (ERROR,),
    found=lambda s, v: raising(system(v)) if v else 0,
)
row(
    "error-text",
    "error is a message",
    ("getopt.socket-error.effect.refused",),
    (ERROR,),
    found=lambda s, v: os.strerror(v) if v else "",
)
row("error-negative", "error is negative", ("getopt.socket-error.effect.refused",), (ERROR,), found=lambda s, v: -v)
row("error-none", "error is None when there is none", ("getopt.value.shape",), (ERROR,), found=lambda s, v: v or None)
row(
    "error-kept",
    "error is not cleared by reading",
    ("getopt.socket-error.effect.once",),
    (ERROR,),
    found=lambda s, v: s.__dict__.setdefault("kept", v) if v else s.__dict__.get("kept", 0),
)


# -- names, time and place ---------------------------------------------------------------------------------------------
class Named(Port):
    """Level and option through one hook."""

    def named(self, level: Any, option: Any) -> tuple[Any, Any]:
        """The pair that is meant."""
        return level, option

    def setopt(self, *arguments: Any) -> Any:
        return (
            self.inner.setopt(*self.named(*arguments[:2]), *arguments[2:])
            if len(arguments) > 1
            else self.inner.setopt(*arguments)
        )

    def getopt(self, *arguments: Any) -> Any:
        return self.inner.getopt(*self.named(*arguments)) if len(arguments) == 2 else self.inner.getopt(*arguments)


def lower(word: Any) -> Any:
    """In lower case."""
    return word.lower() if isinstance(word, str) else word


SAME = {
    "keepalive": "socket",
    "sndbuf": "socket",
    "nodelay": "tcp",
    "cork": "tcp",
    "multicast_ttl": "ip",
    "v6only": "ipv6",
}
CHAPTER.row(
    "level-ignored",
    "the level is ignored",
    ["setopt.option.other-level", "getopt.option.other-level"],
    Named,
    named=lambda s, level, o: (SAME.get(o, level) if isinstance(o, str) and level in LEVELS else level, o),
)
CHAPTER.row(
    "level-any",
    "an unknown level is socket",
    ["setopt.level.unknown", "getopt.level.unknown"],
    Named,
    named=lambda s, level, o: (level if not isinstance(level, str) or level in LEVELS else "socket", o),
)
CHAPTER.row(
    "level-number",
    "a level that is no text is socket",
    ["setopt.level.not-text", "getopt.level.not-text"],
    Named,
    named=lambda s, level, o: (level if isinstance(level, str) else "socket", o),
)
CHAPTER.row(
    "option-number",
    "an option that is no text is keepalive",
    ["setopt.option.not-text", "getopt.option.not-text"],
    Named,
    named=lambda s, level, o: (level, o if isinstance(o, str) else "keepalive"),
)
CHAPTER.row(
    "upper-case",
    "level and option may be in upper case",
    ["setopt.level.unknown", "setopt.option.unknown"],
    Named,
    named=lambda s, level, o: (lower(level), lower(o)),
)


@CHAPTER.fault(
    "level-alone", "an option that is left out is keepalive", "setopt.arguments.missing", "getopt.arguments.missing"
)
class LevelAlone(Port):
    def setopt(self, level: Any = "socket", option: Any = "keepalive", value: Any = 1) -> Any:
        return self.inner.setopt(level, option, value)

    def getopt(self, level: Any = "socket", option: Any = "keepalive") -> Any:
        return self.inner.getopt(level, option)


@CHAPTER.fault("value-optional", "a value that is left out is 1", "setopt.value.missing")
class ValueOptional(Port):
    def setopt(self, level: Any, option: Any, value: Any = 1) -> Any:
        return self.inner.setopt(level, option, value)


@CHAPTER.fault("read-once", "each option is read once and remembered", "getopt.readback.latest", "getopt.stored.value")
class ReadOnce(Port):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.setdefault(arguments, found)


@CHAPTER.fault(
    "set-remembered", "getopt tells what was set last", "getopt.stored.not-what-was-set", "getopt.mtu.not-what-was-set"
)
class SetRemembered(Port):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        self.known[arguments[:2]] = arguments[2]
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.get(arguments, found)


@CHAPTER.fault(
    "shared",
    "flags are remembered for all sockets together",
    "getopt.sockets.independent",
)
class Shared(Port):
    known: ClassVar[dict[Any, Any]] = {}

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if is_int(arguments[2]) and arguments[0] == "socket":
            Shared.known[arguments[:2]] = arguments[2]
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return Shared.known.get(arguments, found) if arguments != ERROR else found


@CHAPTER.fault("lost-at-connect", "connect switches keepalive off", "setopt.kept.connect")
class LostAtConnect(Port):
    def connect(self, *arguments: Any) -> Any:
        result = self.inner.connect(*arguments)
        self.inner.setopt("socket", "keepalive", 0)
        return result


@CHAPTER.fault("lost-at-bind", "bind switches reuseaddr off", "setopt.kept.bind")
class LostAtBind(Port):
    def bind(self, *arguments: Any) -> Any:
        result = self.inner.bind(*arguments)
        self.inner.setopt("socket", "reuseaddr", 0)
        return result


@CHAPTER.fault("lost-at-listen", "listen switches keepalive off", "setopt.kept.listen")
class LostAtListen(Port):
    def listen(self, *arguments: Any) -> Any:
        result = self.inner.listen(*arguments)
        self.inner.setopt("socket", "keepalive", 0)
        return result


class AlsoSets(Port):
    """Setting one option sets another."""

    one: ClassVar[tuple[str, str]]
    other: ClassVar[tuple[str, str]]
    value: ClassVar[int]

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if arguments[:2] == self.one and arguments[2]:
            self.inner.setopt(*self.other, self.value)
        return result


for name, does, one, other, value in (
    ("broadcast-reuse", "broadcast sets reuseaddr too", ("socket", "broadcast"), ("socket", "reuseaddr"), 1),
    ("nodelay-uncorks", "nodelay takes cork off", ("tcp", "nodelay"), ("tcp", "cork"), 0),
    ("linger-unkeeps", "linger takes keepalive off", ("socket", "linger"), ("socket", "keepalive"), 0),
):
    CHAPTER.row(name, does, ["setopt.stored.alone"], AlsoSets, one=one, other=other, value=value)


@CHAPTER.fault(
    "connected-ignored",
    "setopt on a connected stream is only remembered",
    "setopt.stored.connection",
)
class ConnectedIgnored(Port):
    def start(self) -> None:
        self.known: dict[Any, Any] = {}

    def setopt(self, *arguments: Any) -> Any:
        connected = False
        with contextlib.suppress(OSError):
            connected = bool(self.stream and self.inner.getpeername())
        if not connected or not is_int(arguments[2]):
            return self.inner.setopt(*arguments)
        other = reference().socket(self.domain, self.type, self.protocol)
        try:
            result = other.setopt(*arguments)
            self.known[arguments[:2]] = other.getopt(*arguments[:2])
        finally:
            other.close()
        return result

    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return self.known.get(arguments, found)


@CHAPTER.fault("get-changes", "reading an option switches keepalive on", "getopt.effect.none")
class GetChanges(Port):
    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        if arguments != ("socket", "keepalive"):
            self.inner.setopt("socket", "keepalive", 1)
        return found


@CHAPTER.fault("set-only-remembered", "memberships read as what was set", "getopt.set-only.not-remembered")
class SetOnlyRemembered(SetRemembered):
    def getopt(self, *arguments: Any) -> Any:
        if len(arguments) == 2 and arguments[1] in ("add_membership", "drop_membership") and arguments in self.known:
            return self.known[arguments]
        return self.inner.getopt(*arguments)


@CHAPTER.fault(
    "mtu-default",
    "ip and ipv6 mtu are 1500, whatever the path",
    "getopt.mtu.connected",
    "getopt.ip-mtu.effect.link",
    "getopt.ipv6-mtu.effect.link",
)
class MtuDefault(Port):
    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        return 1500 if arguments in (("ip", "mtu"), ("ipv6", "mtu")) else found


class Both(Port):
    """One timeout is set with the other."""

    one, other = "rcvtimeo", "sndtimeo"

    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if arguments[:2] == ("socket", self.one):
            self.inner.setopt("socket", self.other, arguments[2])
        return result


CHAPTER.row("rcvtimeo-sends", "rcvtimeo sets sndtimeo too", ["setopt.socket-rcvtimeo.effect.not-sending"], Both)
CHAPTER.row(
    "sndtimeo-receives",
    "sndtimeo sets rcvtimeo too",
    ["setopt.socket-sndtimeo.effect.not-receiving"],
    Both,
    one="sndtimeo",
    other="rcvtimeo",
)


@CHAPTER.fault(
    "linger-zero-resets", "linger 0 breaks the connection when it is closed", "setopt.socket-linger.effect.no-reset"
)
class LingerResets(Port):
    def setopt(self, *arguments: Any) -> Any:
        result = self.inner.setopt(*arguments)
        if arguments[:2] == ("socket", "linger") and arguments[2] == 0:
            with self.borrowed() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return result


class Elsewhere(Port):
    """IPv4's options on IPv6 sockets, where some systems have them, are only remembered."""

    def setopt(self, *arguments: Any) -> Any:
        if self.domain == "inet6" and arguments[0] == "ip":
            return True
        return self.inner.setopt(*arguments)

    def getopt(self, *arguments: Any) -> Any:
        if self.domain == "inet6" and arguments[0] == "ip":
            return 7
        return self.inner.getopt(*arguments)


CHAPTER.row(
    "elsewhere",
    "IPv4's options on an IPv6 socket count as set, and read 7",
    ["setopt.elsewhere.consistent", "getopt.elsewhere.consistent", "setopt.membership.elsewhere"],
    Elsewhere,
)
CHAPTER.row(
    "fresh-timestamps",
    "a new socket has cork or multicast_ttl set",
    ["getopt.fresh.as-the-system-made-it"],
    Port,
    start=lambda s: s.inner.setopt("ip", "multicast_ttl", 3) if s.domain == "inet" and s.type != "stream" else None,
)


@CHAPTER.fault("set-on-all", "setopt sets an option on all sockets of the port", "setopt.sockets.independent")
class SetOnAll(Port):
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


@CHAPTER.fault(
    "twins",
    "sndtimeo and rcvtimeo, and both buffer sizes, read what was set for one of them",
    "getopt.arguments.independent",
)
class Twins(Port):
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


@CHAPTER.fault(
    "connection-stale", "getopt on a connected stream tells what a new socket has", "getopt.connection.value"
)
class ConnectionStale(Port):
    def getopt(self, *arguments: Any) -> Any:
        found = self.inner.getopt(*arguments)
        with contextlib.suppress(OSError):
            if self.stream and self.inner.getpeername() and is_int(found):
                other = reference().socket(self.domain, self.type, self.protocol)
                try:
                    return other.getopt(*arguments)
                finally:
                    other.close()
        return found
