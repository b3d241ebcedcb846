"""The reference, wrapped: the base of faulty and unusual implementations.

`Wrapped` passes every call on; the classes of `hooks` do so through methods that a fault can override.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NoReturn, TypeGuard

from nixio_conformance.agents import python

FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6, "unix": getattr(socket, "AF_UNIX", socket.AF_INET)}
TYPES = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}
LEVELS = ("socket", "tcp", "ip", "ipv6")
LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
#: The methods of a socket.
METHODS = (
    *("getsockname", "getpeername", "bind", "connect", "listen", "accept", "sendto", "send", "write"),
    *("recvfrom", "recv", "read", "close", "shutdown", "fileno", "setblocking", "setopt", "getopt"),
)
RECEIVING = ("recv", "read", "recvfrom")
SENDING = ("send", "write", "sendto")
#: Methods that take no address.
TO_PEER = ("send", "write")


@cache
def reference() -> Any:
    """The reference implementation, found by its entry point as any implementation is."""
    return python.find("entry-point", "reference")


def raising(error: BaseException) -> NoReturn:
    """Raise, as an expression."""
    raise error


def with_effect(value: Any, *actions: Callable[[], object]) -> Any:
    """Run the actions, then return the value: statements as an expression."""
    for action in actions:
        action()
    return value


def system(number: int) -> OSError:
    """The system's error with this errno, of the subclass that Python gives it."""
    return OSError(number, os.strerror(number))


def is_int(value: object) -> TypeGuard[int]:
    """Whether it is an int and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def positive(value: object) -> bool:
    """Whether it is an int above 0."""
    return is_int(value) and value > 0


def would_block(error: BaseException) -> bool:
    """Whether an error means would-block."""
    return isinstance(error, BlockingIOError)


def ignore_errors(action: Callable[..., object], *arguments: Any) -> None:
    """Call a function and ignore its failure."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        action(*arguments)


def size(buffer: Any) -> int:
    """Length of a bytes-like object in bytes."""
    return memoryview(buffer).nbytes


def flat(buffer: Any) -> bytes:
    """The bytes of a bytes-like object. TypeError for others."""
    return memoryview(buffer).tobytes()


def chunk(offset: Any, length: Any) -> tuple[Any, ...]:
    """Offset and length as positional arguments, without those at the end that are None."""
    if length is not None:
        return (0 if offset is None else offset, length)
    return () if offset is None else (offset,)


def with_errno(error: BaseException, *numbers: int) -> bool:
    """Whether it is a system error with one of these errnos."""
    return isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno in numbers


def peer_of(sock: Wrapped) -> Any:
    """The peer's host and port, or None for a socket without a peer."""
    try:
        return sock.inner.getpeername()
    except OSError:
        return None


def replace_descriptor(sock: Wrapped) -> None:
    """Put a new socket of the same kind behind the descriptor's number."""
    with socket.socket(FAMILIES[sock.domain], TYPES[sock.type]) as new:
        os.dup2(new.fileno(), sock.number, inheritable=False)


class Wrapped:
    """A wrapper of a reference socket: each method calls the method of `inner`."""

    #: Family and type, for faults that concern only some sockets.
    domain: str
    type: str
    #: Whether accept() returned it.
    accepted: bool

    def __init__(self, domain: str, type: str, protocol: Any = None, *, inner: Any = None) -> None:  # noqa: A002
        self.domain, self.type, self.protocol = domain, type, protocol
        self.accepted = inner is not None
        self.inner = self.make(domain, type, protocol) if inner is None else inner
        self.start()

    def make(self, domain: Any, type: Any, protocol: Any) -> Any:  # noqa: A002
        """The reference's socket."""
        return reference().socket(domain, type, protocol)

    def start(self) -> None:
        """Called when the socket has been created or accepted."""

    def wrap(self, inner: Any) -> Wrapped:
        """The implementation's socket for one that the reference accepted."""
        return self.__class__(self.domain, self.type, inner=inner)

    @property
    def internet(self) -> bool:
        """Whether its family is inet or inet6."""
        return self.domain != "unix"

    @property
    def unix(self) -> bool:
        """Whether its family is unix."""
        return self.domain == "unix"

    @property
    def stream(self) -> bool:
        """Whether its type is stream."""
        return self.type == "stream"

    @property
    def dgram(self) -> bool:
        """Whether its type is dgram."""
        return self.type == "dgram"

    @property
    def number(self) -> int:
        """The descriptor. OSError after close."""
        return int(self.inner.fileno())

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[socket.socket]:
        """A socket of the standard library on the same descriptor."""
        sock = socket.socket(fileno=self.number)
        try:
            yield sock
        finally:
            sock.detach()

    @property
    def blocking(self) -> bool:
        """Whether the descriptor is in blocking mode."""
        return os.get_blocking(self.number)

    @contextlib.contextmanager
    def for_now(self, *, blocking: bool) -> Iterator[None]:
        """Set the descriptor's mode for a few calls."""
        before = self.blocking
        os.set_blocking(self.number, blocking)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.set_blocking(self.number, before)

    @property
    def listens(self) -> bool:
        """Whether it is a listening socket."""
        with self.borrowed() as sock:
            return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

    @contextlib.contextmanager
    def twin(self) -> Iterator[Any]:
        """Another socket of the reference of the same kind. OSError after close."""
        _ = self.number
        other = reference().socket(self.domain, self.type, self.protocol)
        try:
            yield other
        finally:
            other.close()

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


class Siblings(Wrapped):
    """An accepted socket that refers to the one accepted after it."""

    sibling: Any = None
    last: Any = None

    def accept(self) -> Any:
        sock, host, port = super().accept()
        if self.last is not None:
            self.last.sibling = sock
        self.last = sock
        return sock, host, port


class WithSpare(Wrapped):
    """Holds a descriptor that a subclass opens as `spare`; it is closed with the socket."""

    #: -1 without one.
    spare = -1

    def close(self) -> Any:
        result = self.inner.close()
        self._release()
        return result

    def _release(self) -> None:
        spare, self.spare = self.spare, -1
        if spare >= 0:
            os.close(spare)

    def __del__(self) -> None:
        self._release()
