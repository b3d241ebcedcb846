"""listen: the backlog, the refusals, and what a second time does."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Hooked
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, doing, is_int, raising, reference, system, with_errno

CHAPTER = Chapter(__name__)


def backlog(change: Callable[[Any], Any], where: Callable[[Any], bool] = lambda sock: True) -> Any:
    """Change the backlog."""
    return lambda sock, *a: (change(a[0]), *a[1:]) if a and is_int(a[0]) and where(sock) else a


def swallowed(*numbers: int) -> Any:
    """Say that a failure was none."""
    return lambda sock, error: True if with_errno(error, *numbers) else raising(error)


def instead(number: int, other: BaseException) -> Any:
    """Report another failure."""
    return lambda sock, error: raising(other if with_errno(error, number) else error)


LISTEN: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    (
        "always-128",
        "ignores the backlog",
        ("listen.backlog.exact-tcp", "listen.backlog.exact-unix"),
        {"given": backlog(lambda n: 128)},
    ),
    (
        "always-128-unix",
        "ignores the backlog for UNIX",
        ("listen.backlog.exact-unix",),
        {"given": backlog(lambda n: 128, lambda s: s.unix)},
    ),
    ("always-0", "takes every backlog for 0", ("listen.backlog.at-least",), {"given": backlog(lambda n: 0)}),
    (
        "one-more",
        "takes a backlog of one more",
        ("listen.backlog.exact-tcp",),
        {"given": backlog(lambda n: n + 1 if 0 <= n < 1 << 20 else n)},
    ),
    (
        "one-less",
        "takes a backlog of one less",
        ("listen.backlog.exact-tcp",),
        {"given": backlog(lambda n: max(n - 1, 0))},
    ),
    (
        "three-halves",
        "takes half of the backlog more",
        ("listen.backlog.exact-tcp",),
        {"given": backlog(lambda n: n * 3 // 2 if 0 < n < 1 << 20 else n)},
    ),
    (
        "at-least-5",
        "takes a backlog of 5 at least",
        ("listen.backlog.exact-tcp",),
        {"given": backlog(lambda n: max(n, 5))},
    ),
    (
        "at-most-3",
        "takes a backlog of 3 at most",
        ("listen.backlog.at-least",),
        {"given": backlog(lambda n: min(n, 3))},
    ),
    (
        "zero-default",
        "takes backlog 0 for the default",
        ("listen.backlog.exact-tcp",),
        {"given": backlog(lambda n: n or 128)},
    ),
    (
        "zero-refused",
        "refuses backlog 0",
        ("listen.backlog.zero",),
        {"given": backlog(lambda n: n or raising(ValueError("backlog")))},
    ),
    ("optional", "takes no backlog for 128", ("listen.backlog.required",), {"given": lambda s, *a: a or (128,)}),
    ("none", "takes None for 128", ("listen.backlog.number",), {"given": lambda s, *a: (128,) if a == (None,) else a}),
    (
        "text",
        "takes text for 128",
        ("listen.backlog.number",),
        {"given": lambda s, *a: (128,) if a and isinstance(a[0], str) else a},
    ),
    (
        "refused-listens",
        "listens though the backlog is refused",
        ("listen.backlog.refused-not-listening",),
        {"given": lambda s, *a: doing(a, lambda: s.inner.listen(1)) if a and not is_int(a[0]) and s.stream else a},
    ),
    (
        "negative-fails",
        "fails with OSError EIO for a negative backlog",
        ("listen.backlog.negative",),
        {"given": backlog(lambda n: n if n >= 0 else raising(system(errno.EIO)))},
    ),
    (
        "largest-fails",
        "fails for the largest backlog",
        ("listen.backlog.largest",),
        {"given": backlog(lambda n: raising(system(errno.EIO)) if n == (1 << 31) - 1 else n)},
    ),
    (
        "wraps",
        "wraps a backlog of 2^32 and more",
        ("listen.backlog.no-wrap",),
        {"given": backlog(lambda n: n & 0xFFFFFFFF if n > 0 else n)},
    ),
    (
        "datagram-swallowed",
        "is said to work on datagram sockets",
        ("listen.not-stream",),
        {"failed": swallowed(errno.EOPNOTSUPP)},
    ),
    (
        "connected-swallowed",
        "is said to work on a connected socket",
        ("listen.connected",),
        {"failed": swallowed(errno.EINVAL)},
    ),
    (
        "runtime",
        "fails with RuntimeError",
        ("listen.not-stream",),
        {"failed": instead(errno.EOPNOTSUPP, RuntimeError("listen"))},
    ),
    (
        "used-swallowed",
        "is said to work where the address is in use",
        ("listen.in-use",),
        {"failed": swallowed(errno.EADDRINUSE)},
    ),
    (
        "non-blocking",
        "leaves the listener non-blocking",
        ("listen.keeps-mode",),
        {"told": lambda s, r: doing(r, lambda: s.inner.setblocking(False))},
    ),
    (
        "reuseaddr",
        "sets reuseaddr",
        ("setopt.kept.listen",),
        {"told": lambda s, r: doing(r, lambda: s.inner.setopt("socket", "reuseaddr", 1))},
    ),
    (
        "waits",
        "waits for a connection",
        ("listen.waits-not",),
        {"told": lambda s, r: doing(r, lambda: select.select([s.number], [], [], 8))},
    ),
    (
        "unbound-refused",
        "refuses an unbound TCP socket",
        ("listen.unbound.inet",),
        {
            "given": lambda s, *a: (
                a if s.unix or not s.stream or s.inner.getsockname()[1] else raising(system(errno.EINVAL))
            )
        },
    ),
    (
        "unbound-unix",
        "gives an unbound UNIX socket a name",
        ("listen.unbound.unix",),
        {
            "given": lambda s, *a: doing(
                a,
                lambda: (
                    s.inner.bind(b"\0nx%d.%d" % (os.getpid(), s.number), None)
                    if s.unix and s.stream and s.inner.getsockname()[0] == ""
                    else None
                ),
            )
        },
    ),
    (
        "rebinds",
        "moves the listener to another port",
        (
            "fileno.lasts.stream",
            "listen.address",
        ),
        {"told": lambda s, r: doing(r, lambda: moved(s))},
    ),
)
for name, does, clauses, members in LISTEN:
    CHAPTER.row(f"listen-{name}", f"listen {does}", clauses, Hooked, method="listen", **members)


def moved(sock: Port) -> None:
    """Another listener on the same number."""
    if sock.internet:
        other = reference().socket(sock.domain, sock.type)
        other.listen(8)
        os.dup2(other.fileno(), sock.number, inheritable=False)
        other.close()


@CHAPTER.fault("listen-once", "a second listen fails", "listen.again.changes-tcp")
class ListenOnce(Port):
    listening = False

    def listen(self, *arguments: Any) -> Any:
        if self.listening and self.number >= 0:
            raise system(errno.EINVAL)
        result = self.inner.listen(*arguments)
        self.listening = True
        return result


@CHAPTER.fault(
    "listen-again-ignored", "a second listen changes nothing", "listen.again.changes-tcp", "listen.again.changes-unix"
)
class ListenAgainIgnored(ListenOnce):
    def listen(self, *arguments: Any) -> Any:
        return True if self.listening and self.number >= 0 else super().listen(*arguments)


@CHAPTER.fault("listen-drops", "a second listen drops what waits", "listen.again.keeps-pending")
class ListenDrops(ListenOnce):
    def listen(self, *arguments: Any) -> Any:
        with contextlib.suppress(OSError), self.for_now(blocking=False):
            while self.listening:
                self.inner.accept()[0].close()
        result = self.inner.listen(*arguments)
        self.listening = True
        return result


@CHAPTER.fault("listen-later", "listen only remembers, and accept listens", "listen.passive")
class ListenLater(Port):
    later: Any = None

    def listen(self, *arguments: Any) -> Any:
        named = self.internet or self.inner.getsockname()[0]
        if not self.stream or not named or len(arguments) != 1 or not is_int(arguments[0]):
            return self.inner.listen(*arguments)
        self.later = arguments
        return True

    def accept(self) -> Any:
        if self.later is not None:
            self.inner.listen(*self.later)
            self.later = None
        return super().accept()


@CHAPTER.fault(
    "listen-connected-resets", "listen breaks the connection of a connected socket", "listen.connected.undisturbed"
)
class ListenResets(Hooked):
    method = "listen"

    def failed(self, error: Exception) -> Any:
        if with_errno(error, errno.EINVAL, errno.EISCONN) and self.stream:
            with contextlib.suppress(OSError):
                self.inner.shutdown("rdwr")
        raise error
