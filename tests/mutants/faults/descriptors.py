"""fileno: the kernel's number, which does not change."""

from __future__ import annotations

import os
from typing import Any

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, reference

GROUP = Group(__name__)
fault = GROUP.fault
row = GROUP.rows(Hooked, "fileno-{}", "fileno {}", methods=("fileno",))
row("duplicate", "returns a new duplicate each time", "fileno.makes-none", "fileno.stable").override(
    result=lambda s, n: os.dup(n)
)
row("zero", "is always 0", "fileno.kernel.kind", "fileno.distinct").override(result=lambda s, n: 0)
row("text", "is a string", "fileno.result.number").override(result=lambda s, n: str(n))
row("fraction", "is a float", "fileno.result.number").override(result=lambda s, n: float(n))
row("none", "is None", "fileno.result.number").override(result=lambda s, n: None)
row("one-more", "is one too high", "fileno.kernel.kind").override(result=lambda s, n: n + 1)
row("identity", "is the object's id", "fileno.kernel.kind").override(result=lambda s, n: id(s) % (1 << 30))
row("inheritable", "makes the descriptor inheritable", "fileno.not-inherited").override(
    after=lambda s, n: os.set_inheritable(n, True)
)
row("blocking", "sets the socket back to blocking", "setblocking.false.*").override(
    after=lambda s, n: os.set_blocking(n, True)
)
row("unix-none", "is None on UNIX", "fileno.result.number").override(result=lambda s, n: None if s.unix else n)


@fault(
    "fileno-listener",
    "fileno of an accepted socket is the listener's",
    "fileno.kernel.connection",
    "accept.socket.own-descriptor",
)
class ListenersNumber(Wrapped):
    parent: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        sock.parent = self.number
        return sock, host, port

    def fileno(self) -> Any:
        own = self.inner.fileno()
        return own if self.parent is None else self.parent


@fault("fileno-moves", "fileno of a connected socket is another socket's", "fileno.kernel.*")
class Moves(Wrapped):
    moved: Any = None

    def connect(self, *arguments: Any) -> Any:
        before = reference().socket(self.domain, self.type, self.protocol) if self.moved is None else None
        result = self.inner.connect(*arguments)
        self.moved = self.moved or before
        return result

    def fileno(self) -> Any:
        return self.inner.fileno() if self.moved is None else self.moved.fileno()


@fault(
    "fileno-other",
    "fileno is the number of another socket of the same kind",
    "fileno.kernel.bound",
    "fileno.kernel.listening",
    "fileno.kernel.data",
)
class OtherNumber(Wrapped):
    def start(self) -> None:
        self.other = reference().socket(self.domain, self.type, self.protocol)

    def fileno(self) -> Any:
        own = self.inner.fileno()
        return self.other.fileno() if own >= 0 else own

    def close(self) -> Any:
        result = self.inner.close()
        self.other.close()
        return result
