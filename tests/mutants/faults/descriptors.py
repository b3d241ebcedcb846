"""fileno: a number that is the system's, and stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, doing, reference

CHAPTER = Chapter(__name__)
NUMBERS: tuple[tuple[str, str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("duplicate", "makes a duplicate each time", ("fileno.makes-none", "fileno.stable"), lambda s, n: os.dup(n)),
    ("zero", "is always 0", ("fileno.kernel.kind", "fileno.distinct"), lambda s, n: 0),
    ("text", "is text", ("fileno.result.number",), lambda s, n: str(n)),
    ("fraction", "is a fraction", ("fileno.result.number",), lambda s, n: float(n)),
    ("none", "is nothing", ("fileno.result.number",), lambda s, n: None),
    ("one-more", "is one more", ("fileno.kernel.kind",), lambda s, n: n + 1),
    ("identity", "is the object's identity", ("fileno.kernel.kind",), lambda s, n: id(s) % (1 << 30)),
    (
        "inheritable",
        "has programs inherit the descriptor",
        ("fileno.not-inherited",),
        lambda s, n: doing(n, lambda: os.set_inheritable(n, True)),
    ),
    (
        "blocking",
        "sets the socket back to waiting",
        ("setblocking.false.*",),
        lambda s, n: doing(n, lambda: os.set_blocking(n, True)),
    ),
    ("unix-none", "is nothing on UNIX", ("fileno.result.number",), lambda s, n: None if s.unix else n),
)
for name, does, clauses, told in NUMBERS:
    CHAPTER.row(f"fileno-{name}", f"fileno {does}", clauses, Hooked, method="fileno", told=told)


@CHAPTER.fault(
    "fileno-listener",
    "fileno of an accepted socket is the listener's",
    "fileno.kernel.connection",
    "accept.socket.own-descriptor",
)
class ListenersNumber(Port):
    parent: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        sock.parent = self.number
        return sock, host, port

    def fileno(self) -> Any:
        own = self.inner.fileno()
        return own if self.parent is None else self.parent


@CHAPTER.fault("fileno-moves", "a connected socket's number is a duplicate", "fileno.kernel.*")
class Moves(Port):
    moved: Any = None

    def connect(self, *arguments: Any) -> Any:
        before = reference().socket(self.domain, self.type, self.protocol) if self.moved is None else None
        result = self.inner.connect(*arguments)
        self.moved = self.moved or before
        return result

    def fileno(self) -> Any:
        return self.inner.fileno() if self.moved is None else self.moved.fileno()


@CHAPTER.fault(
    "fileno-other",
    "fileno is the number of another socket of the same kind",
    "fileno.kernel.bound",
    "fileno.kernel.listening",
    "fileno.kernel.data",
)
class OtherNumber(Port):
    def start(self) -> None:
        self.other = reference().socket(self.domain, self.type, self.protocol)

    def fileno(self) -> Any:
        own = self.inner.fileno()
        return self.other.fileno() if own >= 0 else own

    def close(self) -> Any:
        result = self.inner.close()
        self.other.close()
        return result
