"""listen: the backlog, refusals, and the second call."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from collections.abc import Callable
from typing import Any

from tests.mutants.errors import answer, substitute
from tests.mutants.hooks import Hooked
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, is_int, raising, reference, system, with_effect, with_errno

GROUP = Group(__name__)
fault = GROUP.fault


def backlog(change: Callable[[Any], Any], where: Callable[[Any], bool] = lambda sock: True) -> Any:
    """Change the backlog."""
    return lambda sock, *a: (change(a[0]), *a[1:]) if a and is_int(a[0]) and where(sock) else a


row = GROUP.rows(Hooked, "listen-{}", "listen {}", methods=("listen",))
row("always-128", "ignores the backlog", "listen.backlog.exact-tcp", "listen.backlog.exact-unix").override(
    pass_on=backlog(lambda n: 128)
)
row("always-128-unix", "ignores the backlog for UNIX", "listen.backlog.exact-unix").override(
    pass_on=backlog(lambda n: 128, lambda s: s.unix)
)
row("always-0", "treats every backlog as 0", "listen.backlog.at-least").override(pass_on=backlog(lambda n: 0))
row("one-more", "uses a backlog of one more", "listen.backlog.exact-tcp").override(
    pass_on=backlog(lambda n: n + 1 if 0 <= n < 1 << 20 else n)
)
row("one-less", "uses a backlog of one less", "listen.backlog.exact-tcp").override(
    pass_on=backlog(lambda n: max(n - 1, 0))
)
row("three-halves", "uses one and a half times the backlog", "listen.backlog.exact-tcp").override(
    pass_on=backlog(lambda n: n * 3 // 2 if 0 < n < 1 << 20 else n)
)
row("at-least-5", "uses a backlog of at least 5", "listen.backlog.exact-tcp").override(
    pass_on=backlog(lambda n: max(n, 5))
)
row("at-most-3", "uses a backlog of at most 3", "listen.backlog.at-least").override(
    pass_on=backlog(lambda n: min(n, 3))
)
row("zero-default", "treats backlog 0 as 128", "listen.backlog.exact-tcp").override(pass_on=backlog(lambda n: n or 128))
row("zero-refused", "refuses backlog 0", "listen.backlog.zero").override(
    pass_on=backlog(lambda n: n or raising(ValueError("backlog")))
)
row("optional", "defaults to a backlog of 128", "listen.backlog.required").override(pass_on=lambda s, *a: a or (128,))
row("none", "treats None as 128", "listen.backlog.number").override(pass_on=lambda s, *a: (128,) if a == (None,) else a)
row("text", "treats a string as 128", "listen.backlog.number").override(
    pass_on=lambda s, *a: (128,) if a and isinstance(a[0], str) else a
)
row("refused-listens", "listens although it refuses the backlog", "listen.backlog.refused-not-listening").override(
    pass_on=lambda s, *a: with_effect(a, lambda: s.inner.listen(1)) if a and not is_int(a[0]) and s.stream else a
)
row("negative-fails", "fails with OSError EIO for a negative backlog", "listen.backlog.negative").override(
    pass_on=backlog(lambda n: n if n >= 0 else raising(system(errno.EIO)))
)
row("largest-fails", "fails for the largest backlog", "listen.backlog.largest").override(
    pass_on=backlog(lambda n: raising(system(errno.EIO)) if n == (1 << 31) - 1 else n)
)
row("wraps", "wraps a backlog of 2^32 and more", "listen.backlog.no-wrap").override(
    pass_on=backlog(lambda n: n & 0xFFFFFFFF if n > 0 else n)
)
row("datagram-swallowed", "reports success on datagram sockets", "listen.not-stream").override(
    failed=answer(True, errno.EOPNOTSUPP)
)
row("connected-swallowed", "reports success on a connected socket", "listen.connected").override(
    failed=answer(True, errno.EINVAL)
)
row("runtime", "fails with RuntimeError", "listen.not-stream").override(
    failed=substitute(RuntimeError("listen"), errno.EOPNOTSUPP)
)
row("used-swallowed", "reports success where the address is in use", "listen.in-use").override(
    failed=answer(True, errno.EADDRINUSE)
)
row("non-blocking", "leaves the listener non-blocking", "listen.keeps-mode").override(
    after=lambda s, r: s.inner.setblocking(False)
)
row("reuseaddr", "sets reuseaddr", "setopt.kept.listen").override(
    after=lambda s, r: s.inner.setopt("socket", "reuseaddr", 1)
)
row("waits", "waits for a connection", "listen.waits-not").override(
    after=lambda s, r: select.select([s.number], [], [], 8)
)
row("unbound-refused", "refuses an unbound TCP socket", "listen.unbound.inet").override(
    pass_on=lambda s, *a: a if s.unix or not s.stream or s.inner.getsockname()[1] else raising(system(errno.EINVAL))
)
row("unbound-unix", "binds an unbound UNIX socket", "listen.unbound.unix").override(
    before=lambda s, *a: (
        s.inner.bind(b"\0nx%d.%d" % (os.getpid(), s.number), None)
        if s.unix and s.stream and s.inner.getsockname()[0] == ""
        else None
    )
)
row("rebinds", "moves the listener to another port", "fileno.lasts.stream", "listen.address").override(
    after=lambda s, r: moved(s)
)


def moved(sock: Wrapped) -> None:
    """Put another listener behind the descriptor."""
    if sock.internet:
        other = reference().socket(sock.domain, sock.type)
        other.listen(8)
        os.dup2(other.fileno(), sock.number, inheritable=False)
        other.close()


@fault("listen-once", "a second listen fails", "listen.again.changes-tcp")
class ListenOnce(Wrapped):
    listening = False

    def listen(self, *arguments: Any) -> Any:
        if self.listening and self.number >= 0:
            raise system(errno.EINVAL)
        result = self.inner.listen(*arguments)
        self.listening = True
        return result


@fault(
    "listen-again-ignored", "a second listen changes nothing", "listen.again.changes-tcp", "listen.again.changes-unix"
)
def listen(self: ListenOnce, *arguments: Any) -> Any:
    return True if self.listening and self.number >= 0 else ListenOnce.listen(self, *arguments)


@fault("listen-drops", "a second listen drops pending connections", "listen.again.keeps-pending")
class ListenDrops(ListenOnce):
    def listen(self, *arguments: Any) -> Any:
        with contextlib.suppress(OSError), self.for_now(blocking=False):
            while self.listening:
                self.inner.accept()[0].close()
        result = self.inner.listen(*arguments)
        self.listening = True
        return result


@fault("listen-later", "listen does nothing until accept", "listen.passive")
class ListenLater(Wrapped):
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


@fault(
    "listen-connected-resets",
    "listen resets the connection of a connected socket",
    "listen.connected.undisturbed",
    methods=("listen",),
)
def failed(self: Hooked, error: Exception) -> Any:
    if with_errno(error, errno.EINVAL, errno.EISCONN) and self.stream:
        with contextlib.suppress(OSError):
            self.inner.shutdown("rdwr")
    raise error
