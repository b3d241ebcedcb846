"""close: descriptors that it leaves open, and calls after it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, ignore_errors, peer_of, raising, reference, system, with_effect

GROUP = Group(__name__)
fault = GROUP.fault


class Close(Wrapped):
    """close, with hooks."""

    def before(self) -> None:
        """Runs before the descriptor is closed."""

    def after(self, result: Any) -> Any:
        """The result."""
        return result

    def close(self) -> Any:
        if self.number >= 0:
            self.before()
        return self.after(self.inner.close())


def reset(sock: Wrapped) -> None:
    """Make close reset the connection."""
    if sock.stream and sock.internet:
        with sock.borrowed() as borrowed:
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def linger_off(sock: Wrapped) -> None:
    """Switch linger off, so that close does not wait."""
    if sock.stream and sock.internet:
        sock.inner.setopt("socket", "linger", 0)


def pending(sock: Wrapped) -> None:
    """Close and raise the pending error."""
    number = sock.inner.getopt("socket", "error")
    if number:
        sock.inner.close()
        raise system(number)


def await_peer(sock: Wrapped) -> None:
    """Wait until the peer closes."""
    if sock.stream:
        with contextlib.suppress(OSError):
            sock.inner.getpeername()
            sock.inner.shutdown("wr")
            sock.inner.setopt("socket", "rcvtimeo", (8, 0))
            while sock.inner.recv(8192):
                pass


def unlink(sock: Wrapped) -> None:
    """Remove the file that the socket is bound to."""
    path = sock.inner.getsockname()[0]
    if sock.unix and isinstance(path, str) and path and not sock.accepted:
        ignore_errors(os.unlink, path)


def unlink_peer(sock: Wrapped) -> None:
    """Remove the file that the peer is bound to."""
    if sock.unix and not sock.accepted:
        with contextlib.suppress(OSError):
            path = sock.inner.getpeername()[0]
            if isinstance(path, str) and path:
                os.unlink(path)


def drop_queue(sock: Wrapped) -> None:
    """Keep a listener open through a duplicate of its descriptor."""
    if sock.stream and sock.listens:
        os.dup(sock.number)


row = GROUP.rows(Close, does="close {}")
row("stays-open", "leaves the descriptor open", "close.descriptor.new", "close.descriptor.connected").override(
    before=lambda s: os.dup(s.number)
)
row("stays-open-datagram", "leaves datagram sockets open", "close.dgram.deaf", "close.descriptor.connected").override(
    before=lambda s: os.dup(s.number) if s.dgram else None
)
row("stays-open-listening", "leaves listeners open", "close.descriptor.listening", "close.listener.refuses").override(
    before=drop_queue
)
row("leaks", "leaks another descriptor", "close.descriptor.none-left").override(
    before=lambda s: os.open(os.devnull, os.O_RDONLY)
)
row("shuts-down", "shuts the connection down for other descriptors too", "close.shared").override(
    before=lambda s: ignore_errors(s.inner.shutdown, "rdwr")
)
row("shutdown-fails", "fails on an unconnected socket", "close.result.true").override(
    before=lambda s: s.inner.shutdown("rdwr") if s.stream and s.internet else None
)
row("resets", "resets the connection", "close.peer.end", "close.peer.data-first").override(before=reset)
row("linger-off", "never waits", "setopt.socket-linger.effect.waits").override(before=linger_off)
row("waits", "waits for the peer to close", "close.result.connected").override(before=await_peer)
row("pending-error", "raises the pending error", "close.result.state").override(before=pending)
row("unlinks", "removes the path", "close.unix.path-stays").override(before=unlink)
row("unlinks-peer", "removes the peer's path", "close.unix.other-files").override(before=unlink_peer)
row("marks", "sends a byte before it closes", "close.peer.data-first").override(
    before=lambda s: ignore_errors(s.inner.send, b"\0") if s.stream else None
)
fault("returns-zero", "close returns 0", "close.result.true").override(Close, after=lambda s, r: 0)
fault("connected-none", "close of a connected socket returns nothing", "close.result.connected").override(
    Close, before=lambda s: setattr(s, "was", bool(peer_of(s))), after=lambda s, r: None if s.was else r
)
fault("listening-none", "close of a listener returns nothing", "close.result.listening").override(
    Close, before=lambda s: setattr(s, "was", s.stream and s.listens), after=lambda s, r: None if s.was else r
)


@fault("second-succeeds", "a second close succeeds", "close.after.method", methods=("close",))
def failed(self: Hooked, error: Exception) -> Any:
    return True


@fault("second-other", "a second close closes whatever has the number now", "close.reused.method")
class SecondOther(Wrapped):
    old = -1

    def close(self) -> Any:
        if self.old >= 0:
            ignore_errors(os.close, self.old)
            raise system(errno.EBADF)
        self.old = self.number
        return self.inner.close()


@fault("all-at-once", "close closes the previously created socket too", "close.independent")
class AllAtOnce(Close):
    latest: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.before_me = AllAtOnce.latest[-1] if AllAtOnce.latest else None
        AllAtOnce.latest[:] = [self.inner]

    def before(self) -> None:
        if self.before_me is not None:
            ignore_errors(self.before_me.close)


@fault("garbage-kept", "an unreferenced socket stays open", "close.garbage.closes", "close.garbage.peer-end")
class GarbageKept(Wrapped):
    kept: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.kept.append(self.inner)


@fault("garbage-again", "the garbage collector closes the number of a closed socket", "close.garbage.once")
class GarbageAgain(Wrapped):
    old = -1

    def close(self) -> Any:
        old = self.number
        result = self.inner.close()
        self.old = old
        return result

    def __del__(self) -> None:
        if self.old >= 0:
            ignore_errors(os.close, self.old)


@fault("late", "close leaves closing to the garbage collector", "close.peer.end")
class Late(Wrapped):
    closed = False

    def close(self) -> Any:
        if self.closed:
            raise system(errno.EBADF)
        self.closed = True
        self.later = self.inner
        self.inner = reference().socket(self.domain, self.type, self.protocol)
        self.inner.close()
        return True


class Reused(Wrapped):
    """After close, one method acts on the descriptor's old number."""

    old = -1

    def close(self) -> Any:
        old = self.number
        result = self.inner.close()
        self.old = old
        return result

    def on_old(self, action: Callable[[socket.socket], Any]) -> Any:
        """Call `action` with a socket of the standard library on the old number."""
        sock = socket.socket(fileno=self.old)
        try:
            return action(sock)
        finally:
            sock.detach()


def target(arguments: tuple[Any, ...]) -> Any:
    """The address of a method's arguments, as the standard library takes it."""
    host, port = (*arguments, None, None)[:2]
    return (host or "127.0.0.1", port) if isinstance(port, int) else host


REUSED: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("send", "close.reused.method", lambda s, *a: os.write(s.old, a[0])),
    ("write", "close.reused.method", lambda s, *a: os.write(s.old, a[0])),
    ("recv", "close.reused.method", lambda s, *a: os.read(s.old, a[0])),
    ("read", "close.reused.method", lambda s, *a: os.read(s.old, a[0])),
    ("recvfrom", "close.reused.method", lambda s, *a: (os.read(s.old, a[0]), None, None)),
    ("shutdown", "close.reused.method", lambda s, *a: s.on_old(lambda o: o.shutdown(socket.SHUT_RDWR)) or True),
    ("setblocking", "close.reused.settings", lambda s, *a: with_effect(True, lambda: os.set_blocking(s.old, a[0]))),
    (
        "setopt",
        "close.reused.settings",
        lambda s, *a: s.on_old(lambda o: o.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)) or True,
    ),
    ("getsockname", "close.reused.method", lambda s, *a: s.on_old(lambda o: o.getsockname())),
    ("accept", "close.reused.listener", lambda s, *a: s.on_old(lambda o: o.accept()[0].close()) or (s, "", 0)),
    ("bind", "close.reused.idle", lambda s, *a: s.on_old(lambda o: o.bind(target(a))) or True),
    ("connect", "close.reused.idle", lambda s, *a: s.on_old(lambda o: o.connect(target(a))) or True),
    ("listen", "close.reused.idle", lambda s, *a: s.on_old(lambda o: o.listen(a[0])) or True),
)


def on_reused(method: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """The method that acts on the old number after close."""
    return lambda sock, *a: act(sock, *a) if sock.old >= 0 else getattr(Wrapped, method)(sock, *a)


for method, clause, act in REUSED:
    fault(f"reused-{method}", f"after close, {method} uses the number of the closed descriptor", clause).override(
        Reused, **{method: on_reused(method, act)}
    )


@fault("new-after-close", "a socket that is closed unused still answers", "close.after.new")
class NewAfterClose(Wrapped):
    used = False

    def getsockname(self) -> Any:
        if not self.used and self.inner.fileno is not None:
            with contextlib.suppress(OSError):
                return self.inner.getsockname()
            return "", 0
        return self.inner.getsockname()

    def bind(self, *arguments: Any) -> Any:
        self.used = True
        return self.inner.bind(*arguments)

    def connect(self, *arguments: Any) -> Any:
        self.used = True
        return self.inner.connect(*arguments)


@fault("attribute-error", "after close, every method raises AttributeError", "close.after.method")
def close(self: Wrapped) -> Any:
    result = self.inner.close()
    self.inner = None
    return result


@fault("reopens", "after close, connect makes a new socket", "close.after.method")
class Reopens(Reused):
    def connect(self, *arguments: Any) -> Any:
        if self.old >= 0:
            self.inner, self.old = reference().socket(self.domain, self.type, self.protocol), -1
        return self.inner.connect(*arguments)


@fault("key-error", "after close, every method raises KeyError", "close.after.method", methods=("getsockname",))
def failed(self: Hooked, error: Exception) -> Any:
    raise KeyError("closed") if getattr(error, "errno", 0) == errno.EBADF else error


@fault("errno-stale", "after close, failures have a wrong errno", "close.after.method", methods=("fileno",))
def failed(self: Hooked, error: Exception) -> Any:
    return raising(system(errno.ENOENT))
