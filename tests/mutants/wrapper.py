"""The reference in a shell: what faulty and unusual ports are made of.

`Port` hands every call on; the classes of `hooks` do so in a way that a fault can get hold of.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NoReturn, TypeGuard

from nixio_conformance.agents import python

FAMILIES = {
    "inet": socket.AF_INET,
    "inet6": socket.AF_INET6,
    "unix": getattr(socket, "AF_UNIX", socket.AF_INET),
}
TYPES = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}
RECEIVING = ("recv", "read", "recvfrom")
SENDING = ("send", "write", "sendto")
#: Those that are told no address.
TO_PEER = ("send", "write")


@cache
def reference() -> Any:
    """The reference implementation, found as any port is: by its entry point."""
    return python.find("entry-point", "reference")


def raising(error: BaseException) -> NoReturn:
    """Raise, where only an expression can stand."""
    raise error


def doing(value: Any, *actions: Callable[[], object]) -> Any:
    """A value, when something was done, where only an expression can stand."""
    for action in actions:
        action()
    return value


def system(number: int) -> OSError:
    """The error (of the right subclass) that the system would have raised."""
    return OSError(number, os.strerror(number))


def is_int(value: object) -> TypeGuard[int]:
    """Whether it is a number, and no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def positive(value: object) -> bool:
    """Whether it is a number above 0."""
    return is_int(value) and value > 0


def would_block(error: BaseException) -> bool:
    """Whether the call would have waited."""
    return isinstance(error, BlockingIOError)


def quietly(action: Callable[..., object], *arguments: Any) -> None:
    """Try it, whatever comes of it."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        action(*arguments)


def size(buffer: Any) -> int:
    """How many bytes a bytes-like object has."""
    return memoryview(buffer).nbytes


def flat(buffer: Any) -> bytes:
    """The bytes of any bytes-like object; TypeError for others."""
    return memoryview(buffer).tobytes()


def chunk(offset: Any, length: Any) -> tuple[Any, ...]:
    """Offset and length as arguments, left out where they are None."""
    if length is not None:
        return (0 if offset is None else offset, length)
    return () if offset is None else (offset,)


def with_errno(error: BaseException, *numbers: int) -> bool:
    """Whether it is the system's error of one of these numbers."""
    return isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno in numbers


class Port:
    """Right, by containment: each method does what the reference's does."""

    #: What the port is; a fault that lives on some sockets only asks for them.
    domain: str
    type: str
    #: Whether accept() made it.
    accepted: bool

    def __init__(self, domain: str, type: str, protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        self.domain, self.type, self.protocol = domain, type, protocol
        self.accepted = inner is not None
        self.inner = self.make(domain, type, protocol) if inner is None else inner
        self.start()

    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        """The socket inside."""
        return reference().socket(domain, type, protocol)

    def start(self) -> None:
        """What a new socket gets, made or accepted."""

    def wrap(self, inner: Any) -> Port:
        """An accepted socket."""
        return self.__class__(self.domain, self.type, inner=inner)

    @property
    def internet(self) -> bool:
        """Whether it has hosts and ports."""
        return self.domain != "unix"

    @property
    def unix(self) -> bool:
        """Whether it has paths."""
        return self.domain == "unix"

    @property
    def stream(self) -> bool:
        """Whether it is connected before it speaks."""
        return self.type == "stream"

    @property
    def dgram(self) -> bool:
        """Whether it keeps boundaries."""
        return self.type == "dgram"

    @property
    def number(self) -> int:
        """The descriptor; raises when there is none any more."""
        return int(self.inner.fileno())

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[socket.socket]:
        """The standard library's socket on the same descriptor."""
        sock = socket.socket(fileno=self.number)
        try:
            yield sock
        finally:
            sock.detach()

    @property
    def blocking(self) -> bool:
        """Whether the descriptor waits."""
        return os.get_blocking(self.number)

    @contextlib.contextmanager
    def for_now(self, *, blocking: bool) -> Iterator[None]:
        """The descriptor waits, or does not, for some calls."""
        before = self.blocking
        os.set_blocking(self.number, blocking)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.set_blocking(self.number, before)

    @property
    def listens(self) -> bool:
        """Whether the system takes it for a listener."""
        with self.borrowed() as sock:
            return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

    def getsockname(self) -> Any:
        return self.inner.getsockname()

    def getpeername(self) -> Any:
        return self.inner.getpeername()

    def bind(self, *arguments: Any) -> Any:
        return self.inner.bind(*arguments)

    def connect(self, *arguments: Any) -> Any:
        return self.inner.connect(*arguments)

    def listen(self, *arguments: Any) -> Any:
        return self.inner.listen(*arguments)

    def accept(self) -> Any:
        sock, host, port = self.inner.accept()
        return self.wrap(sock), host, port

    def sendto(self, *arguments: Any) -> Any:
        return self.inner.sendto(*arguments)

    def send(self, *arguments: Any) -> Any:
        return self.inner.send(*arguments)

    def write(self, *arguments: Any) -> Any:
        return self.inner.write(*arguments)

    def recvfrom(self, *arguments: Any) -> Any:
        return self.inner.recvfrom(*arguments)

    def recv(self, *arguments: Any) -> Any:
        return self.inner.recv(*arguments)

    def read(self, *arguments: Any) -> Any:
        return self.inner.read(*arguments)

    def close(self) -> Any:
        return self.inner.close()

    def shutdown(self, *arguments: Any) -> Any:
        return self.inner.shutdown(*arguments)

    def fileno(self) -> Any:
        return self.inner.fileno()

    def setblocking(self, *arguments: Any) -> Any:
        return self.inner.setblocking(*arguments)

    def setopt(self, *arguments: Any) -> Any:
        return self.inner.setopt(*arguments)

    def getopt(self, *arguments: Any) -> Any:
        return self.inner.getopt(*arguments)


def not_connected() -> OSError:
    """What a socket without a peer says."""
    return system(errno.ENOTCONN)


class Siblings(Port):
    """A socket that was accepted knows the one that was accepted after it."""

    sibling: Any = None
    last: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        if self.last is not None:
            self.last.sibling = sock
        self.last = sock
        return sock, host, port
