"""setblocking: which calls wait, and how long the mode lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, ignore_errors, peer_of, reference, with_effect

GROUP = Group(__name__)
fault = GROUP.fault


def mode(change: Callable[[Any, bool], Any]) -> Any:
    """Change the requested mode."""
    return lambda sock, *a: (change(sock, a[0]),) if a and isinstance(a[0], bool) else a


def replaced(sock: Wrapped) -> None:
    """Put another socket behind the descriptor."""
    other = reference().socket(sock.domain, sock.type, sock.protocol)
    os.dup2(other.fileno(), sock.number, inheritable=False)
    other.close()


def timeouts(sock: Wrapped, value: tuple[int, int]) -> None:
    """Set both timeouts to (seconds, microseconds)."""
    for option in ("sndtimeo", "rcvtimeo"):
        sock.inner.setopt("socket", option, value)


row = GROUP.rows(Hooked, "setblocking-{}", "setblocking {}", methods=("setblocking",))
row("inverted", "is inverted", "setblocking.false.receiving", "setblocking.true.receiving").override(
    pass_on=mode(lambda s, b: not b)
)
row("inverted-unix", "is inverted on UNIX", "setblocking.false.receiving").override(
    pass_on=mode(lambda s, b: b if s.internet else not b)
)
row("false-ignored", "ignores false", "setblocking.false.receiving").override(pass_on=mode(lambda s, b: True))
row("false-ignored-dgram", "ignores false on datagram sockets", "setblocking.false.sending-to").override(
    pass_on=mode(lambda s, b: b or s.dgram)
)
row(
    "true-ignored",
    "ignores true",
    "setblocking.true.sending",
    "setblocking.true.connecting",
    "setblocking.true.sending-to",
    "setblocking.true.receiving",
    "setblocking.true.accepting",
).override(pass_on=mode(lambda s, b: b and s.blocking))
row("optional", "needs no argument, which means true", "setblocking.argument.required").override(
    pass_on=lambda s, *a: a or (True,)
)
row("new-behind", "puts a new socket behind the descriptor", "setblocking.descriptor").override(
    after=lambda s, r: replaced(s)
)
row("refused-does", "acts before it refuses its argument", "setblocking.argument.nothing-done").override(
    before=lambda s, *a: os.set_blocking(s.number, False) if not a or not isinstance(a[0], bool) else None
)
row("returns-before", "returns the previous mode", "setblocking.result.true").override(result=lambda s, r: s.blocking)
row("connected-none", "returns nothing on a connected socket", "setblocking.result.connected").override(
    result=lambda s, r: None if bool(peer_of(s)) else r
)
row("inheritable", "makes the descriptor inheritable", "fileno.not-inherited.later").override(
    after=lambda s, r: os.set_inheritable(s.number, True)
)
row("clears-timeouts", "clears the timeouts", "setblocking.timeouts").override(after=lambda s, r: timeouts(s, (0, 0)))
row("true-timeout", "sets a timeout for true", "setblocking.timeouts").override(
    pass_on=mode(lambda s, b: with_effect(b, lambda: timeouts(s, (1, 0)) if b else None))
)
row("on-listener", "does nothing on a listener", "setblocking.false.accepting").override(
    pass_on=mode(lambda s, b: b or (s.stream and s.listens))
)


class Beside(Wrapped):
    """The mode is an attribute that some methods ignore; the descriptor stays in blocking mode."""

    #: The methods that wait whatever the mode.
    ignoring: ClassVar[tuple[str, ...]] = ()
    waits = True

    def setblocking(self, *arguments: Any) -> Any:
        if len(arguments) != 1 or not isinstance(arguments[0], bool) or self.number < 0:
            return self.inner.setblocking(*arguments)
        self.waits = arguments[0]
        return True

    def _do(self, name: str, *arguments: Any) -> Any:
        function = getattr(super(), name)
        if self.waits or name in self.ignoring:
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


ignoring = GROUP.rows(Beside, "setblocking-{}", "setblocking does not apply to {}")
ignoring("not-recv", "recv and read", "setblocking.false.receiving").override(ignoring=("recv", "read"))
ignoring("not-recvfrom", "recvfrom", "setblocking.false.receiving").override(ignoring=("recvfrom",))
ignoring("not-send", "send and write", "setblocking.false.sending").override(ignoring=("send", "write"))
ignoring("not-sendto", "sendto", "setblocking.false.sending-to").override(ignoring=("sendto",))
ignoring("not-accept", "accept", "setblocking.false.accepting").override(ignoring=("accept",))
ignoring("not-connect", "connect", "setblocking.false.connecting-tcp", "setblocking.false.connecting-unix").override(
    ignoring=("connect",)
)


@fault("setblocking-timeouts", "setblocking sets timeouts of 20 ms instead of the mode", "setblocking.timeouts")
def setblocking(self: Wrapped, *arguments: Any) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], bool):
        return self.inner.setblocking(*arguments)
    timeouts(self, (0, 0) if arguments[0] else (0, 20000))
    return True


@fault("setblocking-once", "only the first setblocking has an effect", "setblocking.true.receiving")
class BlockingOnce(Wrapped):
    done = False

    def setblocking(self, *arguments: Any) -> Any:
        if self.done and self.number >= 0:
            return True
        result = self.inner.setblocking(*arguments)
        self.done = True
        return result


@fault("setblocking-forgets", "a would-block sets the socket back to blocking", "setblocking.false.lasts")
def recv(self: Wrapped, *arguments: Any) -> Any:
    try:
        return self.inner.recv(*arguments)
    except BlockingIOError:
        os.set_blocking(self.number, True)
        raise


@fault("setblocking-all", "setblocking applies to all sockets", "setblocking.own")
class AllSockets(Wrapped):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)
        del self.all[:-8]

    def setblocking(self, *arguments: Any) -> Any:
        result = self.inner.setblocking(*arguments)
        for other in self.all:
            ignore_errors(other.setblocking, *arguments)
        return result


@fault(
    "setblocking-toggles",
    "setblocking toggles the mode whatever its argument",
    "setblocking.repeated.false",
    "setblocking.repeated.true",
    methods=("setblocking",),
)
def pass_on(self: Hooked, *arguments: Any) -> tuple[Any, ...]:
    return (not self.blocking,) if len(arguments) == 1 and isinstance(arguments[0], bool) else arguments


@fault(
    "setblocking-true-forgets",
    "setblocking clears the timeouts for true",
    "setblocking.timeouts.count",
    methods=("setblocking",),
)
def result(self: Hooked, result: Any) -> Any:
    if self.blocking:
        timeouts(self, (0, 0))
    return result
