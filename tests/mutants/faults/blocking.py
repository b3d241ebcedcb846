"""setblocking: which calls wait, and for how long it lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, doing, quietly, reference

CHAPTER = Chapter(__name__)


def mode(change: Callable[[Any, bool], Any]) -> Any:
    """Change the mode that was asked for."""
    return lambda sock, *a: (change(sock, a[0]),) if a and isinstance(a[0], bool) else a


MODES: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    (
        "inverted",
        "is inverted",
        ("setblocking.false.receiving", "setblocking.true.receiving"),
        {"given": mode(lambda s, b: not b)},
    ),
    (
        "inverted-unix",
        "is inverted on UNIX",
        ("setblocking.false.receiving",),
        {"given": mode(lambda s, b: b if s.internet else not b)},
    ),
    ("false-ignored", "ignores false", ("setblocking.false.receiving",), {"given": mode(lambda s, b: True)}),
    (
        "false-ignored-dgram",
        "ignores false on datagram sockets",
        ("setblocking.false.sending-to",),
        {"given": mode(lambda s, b: b or s.dgram)},
    ),
    (
        "true-ignored",
        "ignores true",
        (
            "setblocking.true.sending",
            "setblocking.true.connecting",
            "setblocking.true.sending-to",
            "setblocking.true.receiving",
            "setblocking.true.accepting",
        ),
        {"given": mode(lambda s, b: b and s.blocking)},
    ),
    ("optional", "takes nothing for true", ("setblocking.argument.required",), {"given": lambda s, *a: a or (True,)}),
    (
        "new-behind",
        "makes a new socket with the same number",
        ("setblocking.descriptor",),
        {"told": lambda s, r: doing(r, lambda: replaced(s))},
    ),
    (
        "refused-does",
        "does something before it refuses",
        ("setblocking.argument.nothing-done",),
        {
            "given": lambda s, *a: doing(
                a, lambda: os.set_blocking(s.number, False) if not a or not isinstance(a[0], bool) else None
            )
        },
    ),
    ("returns-before", "returns the mode before", ("setblocking.result.true",), {"told": lambda s, r: s.blocking}),
    (
        "connected-none",
        "returns nothing on a connected socket",
        ("setblocking.result.connected",),
        {"told": lambda s, r: None if has_peer(s) else r},
    ),
    (
        "inheritable",
        "has programs inherit the descriptor",
        ("fileno.not-inherited.later",),
        {"told": lambda s, r: doing(r, lambda: os.set_inheritable(s.number, True))},
    ),
    (
        "clears-timeouts",
        "clears the timeouts",
        ("setblocking.timeouts",),
        {"told": lambda s, r: doing(r, lambda: timeouts(s, (0, 0)))},
    ),
    (
        "true-timeout",
        "sets a timeout for true",
        ("setblocking.timeouts",),
        {"given": mode(lambda s, b: doing(b, lambda: timeouts(s, (1, 0)) if b else None))},
    ),
    (
        "on-listener",
        "does nothing on a listener",
        ("setblocking.false.accepting",),
        {"given": mode(lambda s, b: b or (s.stream and s.listens))},
    ),
)


def replaced(sock: Port) -> None:
    """Another socket with the number."""
    other = reference().socket(sock.domain, sock.type, sock.protocol)
    os.dup2(other.fileno(), sock.number, inheritable=False)
    other.close()


def has_peer(sock: Port) -> bool:
    """Whether it is connected."""
    try:
        sock.inner.getpeername()
    except OSError:
        return False
    return True


def timeouts(sock: Port, value: tuple[int, int]) -> None:
    """Set both."""
    for option in ("sndtimeo", "rcvtimeo"):
        sock.inner.setopt("socket", option, value)


for name, does, clauses, members in MODES:
    CHAPTER.row(f"setblocking-{name}", f"setblocking {does}", clauses, Hooked, method="setblocking", **members)


class Beside(Port):
    """The mode is kept beside the descriptor, and some methods look at it."""

    obeying: ClassVar[tuple[str, ...]] = ()
    waits = True

    def setblocking(self, *arguments: Any) -> Any:
        if len(arguments) != 1 or not isinstance(arguments[0], bool) or self.number < 0:
            return self.inner.setblocking(*arguments)
        self.waits = arguments[0]
        return True

    def _do(self, name: str, *arguments: Any) -> Any:
        function = getattr(super(), name)
        if self.waits or name not in self.obeying:
            return function(*arguments)
        with self.for_now(blocking=False):
            return function(*arguments)

    def recv(self, *arguments: Any) -> Any:
        return self._do("recv", *arguments)

    def read(self, *arguments: Any) -> Any:
        return self._do("read", *arguments)

    def recvfrom(self, *arguments: Any) -> Any:
        return self._do("recvfrom", *arguments)

    def send(self, *arguments: Any) -> Any:
        return self._do("send", *arguments)

    def write(self, *arguments: Any) -> Any:
        return self._do("write", *arguments)

    def sendto(self, *arguments: Any) -> Any:
        return self._do("sendto", *arguments)

    def accept(self) -> Any:
        return self._do("accept")

    def connect(self, *arguments: Any) -> Any:
        return self._do("connect", *arguments)


OBEYING = ("recv", "read", "recvfrom", "send", "write", "sendto", "accept", "connect")
for name, does, names, without in (
    ("not-recv", "is not for recv and read", "setblocking.false.receiving", ("recv", "read")),
    ("not-recvfrom", "is not for recvfrom", "setblocking.false.receiving", ("recvfrom",)),
    ("not-send", "is not for send and write", "setblocking.false.sending", ("send", "write")),
    ("not-sendto", "is not for sendto", "setblocking.false.sending-to", ("sendto",)),
    ("not-accept", "is not for accept", "setblocking.false.accepting", ("accept",)),
    (
        "not-connect",
        "is not for connect",
        "setblocking.false.connecting-tcp setblocking.false.connecting-unix",
        ("connect",),
    ),
):
    obeying = tuple(method for method in OBEYING if method not in without)
    CHAPTER.row(f"setblocking-{name}", f"setblocking {does}", names.split(), Beside, obeying=obeying)


@CHAPTER.fault("setblocking-timeouts", "setblocking is done with timeouts of 20 ms", "setblocking.timeouts")
class ByTimeouts(Port):
    def setblocking(self, *arguments: Any) -> Any:
        if len(arguments) != 1 or not isinstance(arguments[0], bool):
            return self.inner.setblocking(*arguments)
        timeouts(self, (0, 0) if arguments[0] else (0, 20000))
        return True


@CHAPTER.fault("setblocking-once", "setblocking works once only", "setblocking.true.receiving")
class BlockingOnce(Port):
    done = False

    def setblocking(self, *arguments: Any) -> Any:
        if self.done and self.number >= 0:
            return True
        result = self.inner.setblocking(*arguments)
        self.done = True
        return result


@CHAPTER.fault(
    "setblocking-forgets", "a call that would block sets the socket back to waiting", "setblocking.false.lasts"
)
class Forgets(Port):
    def recv(self, *arguments: Any) -> Any:
        try:
            return self.inner.recv(*arguments)
        except BlockingIOError:
            os.set_blocking(self.number, True)
            raise


@CHAPTER.fault("setblocking-all", "setblocking is for all sockets at once", "setblocking.own")
class AllSockets(Port):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)
        del self.all[:-8]

    def setblocking(self, *arguments: Any) -> Any:
        result = self.inner.setblocking(*arguments)
        for other in self.all:
            quietly(other.setblocking, *arguments)
        return result


@CHAPTER.fault(
    "setblocking-toggles",
    "setblocking changes the mode, whatever it is given",
    "setblocking.repeated.false",
    "setblocking.repeated.true",
)
class Toggles(Hooked):
    method = "setblocking"

    def given(self, *arguments: Any) -> tuple[Any, ...]:
        return (not self.blocking,) if len(arguments) == 1 and isinstance(arguments[0], bool) else arguments


@CHAPTER.fault(
    "setblocking-true-forgets", "setblocking forgets the timeouts when it is given true", "setblocking.timeouts.count"
)
class TrueForgets(Hooked):
    method = "setblocking"

    def told(self, result: Any) -> Any:
        if self.blocking:
            timeouts(self, (0, 0))
        return result
