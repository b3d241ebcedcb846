"""Accepted sockets: independent of their listener, and complete."""

from __future__ import annotations

import errno
import os
from typing import Any, ClassVar

from tests.mutants.hooks import Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import Siblings, Wrapped, ignore_errors, reference, system

GROUP = Group(__name__)
fault = GROUP.fault


@fault("accepted-no-close", "accepted sockets stay open when they are closed", "close.descriptor.connected")
class AcceptedNoClose(Wrapped):
    kept: ClassVar[list[Any]] = []

    def close(self) -> Any:
        if self.accepted:
            self.kept.append(os.dup(self.number))
        return self.inner.close()


@fault(
    "accepted-owned",
    "accepted sockets are closed with their listener",
    "accept.listener.forgotten",
    "accept.listener.closed",
)
class AcceptedOwned(Wrapped):
    def start(self) -> None:
        self.children: list[Any] = []

    def accept(self) -> Any:
        sock, host, port = super().accept()
        self.children.append(sock)
        return sock, host, port

    def close(self) -> Any:
        for child in self.children:
            ignore_errors(child.inner.close)
        return self.inner.close()

    def __del__(self) -> None:
        for child in self.__dict__.get("children", ()):
            ignore_errors(child.inner.close)


@fault("accepted-owner", "closing an accepted socket closes its listener", "accept.listener.survives")
class AcceptedOwner(Wrapped):
    parent: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        sock.parent = self
        return sock, host, port

    def close(self) -> Any:
        if self.parent is not None:
            ignore_errors(self.parent.inner.close)
        return self.inner.close()


@fault("accepted-siblings", "closing an accepted socket closes the one after it", "accept.siblings.survive")
def close(self: Siblings) -> Any:
    if self.sibling is not None:
        ignore_errors(self.sibling.inner.close)
    return self.inner.close()


@fault("accepted-cannot-send", "accepted sockets only receive", "accept.socket.sends")
class AcceptedMute(Sender):
    def applies(self) -> bool:
        return self.accepted

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        raise system(errno.EBADF)


@fault("accepted-cannot-receive", "accepted sockets only send", "accept.socket.receives")
def recv(self: Wrapped, *arguments: Any) -> Any:
    return b"" if self.accepted and self.number >= 0 else self.inner.recv(*arguments)


@fault(
    "accepted-drops", "recv on accepted sockets returns at most 1024 bytes and drops the rest", "accept.socket.receives"
)
def recv(self: Wrapped, *arguments: Any) -> Any:
    data = self.inner.recv(*arguments)
    return data[:1024] if self.accepted else data


@fault(
    "accepted-number",
    "fileno of an accepted socket is that of another socket",
    "accept.socket.kernel-addresses",
    "accept.socket.kernel-kind",
)
class HelpersNumber(Wrapped):
    def start(self) -> None:
        self.helper = reference().socket("unix", "dgram") if self.accepted else self.inner

    def fileno(self) -> Any:
        own = self.inner.fileno()
        return self.helper.fileno() if self.accepted else own

    def close(self) -> Any:
        result = self.inner.close()
        if self.accepted:
            self.helper.close()
        return result
