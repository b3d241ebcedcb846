"""shutdown: keywords, halves, and effects on other sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.errors import answer, bad_argument, substitute
from tests.mutants.hooks import Hooked, Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import Siblings, Wrapped, ignore_errors, is_int, raising, reference, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault
WORDS = ("rd", "wr", "rdwr")


def word(table: dict[Any, str], where: Callable[[Any], bool] = lambda sock: True) -> Any:
    """Replace one keyword with another; None means no argument."""

    def pass_on(sock: Any, *arguments: Any) -> tuple[Any, ...]:
        how = arguments[0] if arguments else None
        known = how is None or isinstance(how, str)
        return (table[how],) if known and how in table and where(sock) else arguments

    return pass_on


def any_word(change: Callable[[Any], Any]) -> Any:
    """Change the argument."""
    return lambda sock, *a: (change(a[0]),) if a and a[0] is not None else a


def first_letter(how: Any) -> Any:
    """The keyword that begins with the first letter of a string."""
    if not isinstance(how, str) or how in WORDS:
        return how
    return {"r": "rd", "w": "wr"}.get(how[:1], how)


row = GROUP.rows(Hooked, "shutdown-{}", "shutdown {}", methods=("shutdown",))
row("default-wr", "defaults to wr", "shutdown.rdwr.own-end").override(pass_on=word({None: "wr"}))
row("default-rd", "defaults to rd", "shutdown.rdwr.peer-end", "shutdown.rdwr.no-sending").override(
    pass_on=word({None: "rd"})
)
row("default-wr-unix", "defaults to wr on UNIX", "shutdown.rdwr.own-end").override(
    pass_on=word({None: "wr"}, lambda s: s.unix)
)
row("required", "requires an argument", "shutdown.result.true").override(
    pass_on=lambda s, *a: a if a and a[0] is not None else raising(TypeError("how"))
)
row("swapped", "exchanges rd and wr", "shutdown.wr.peer-end", "shutdown.rd.own-end").override(
    pass_on=word({"rd": "wr", "wr": "rd"})
)
row("swapped-unix", "exchanges rd and wr on UNIX", "shutdown.wr.peer-end").override(
    pass_on=word({"rd": "wr", "wr": "rd"}, lambda s: s.unix)
)
row("rdwr-is-wr", "treats rdwr as wr", "shutdown.rdwr.own-end").override(pass_on=word({"rdwr": "wr"}))
row("rdwr-is-rd", "treats rdwr as rd", "shutdown.rdwr.no-sending").override(pass_on=word({"rdwr": "rd"}))
row("rd-is-rdwr", "treats rd as rdwr", "shutdown.rd.still-sends").override(pass_on=word({"rd": "rdwr"}))
row("wr-is-rdwr", "treats wr as rdwr", "shutdown.wr.still-receives", "shutdown.wr.still-waits").override(
    pass_on=word({"wr": "rdwr"})
)
row("wr-is-rdwr-inet6", "treats wr as rdwr on IPv6", "shutdown.wr.still-receives").override(
    pass_on=word({"wr": "rdwr"}, lambda s: s.domain == "inet6")
)
row("dgram-wr-is-rdwr", "treats wr as rdwr on datagram sockets", "shutdown.dgram.still-receives").override(
    pass_on=word({"wr": "rdwr"}, lambda s: s.dgram)
)
row("dgram-rd-is-rdwr", "treats rd as rdwr on datagram sockets", "shutdown.dgram.still-sends").override(
    pass_on=word({"rd": "rdwr"}, lambda s: s.dgram)
)
row("any-word", "treats any other keyword as rdwr", "shutdown.word.refused", "shutdown.word.nothing-done").override(
    pass_on=any_word(lambda h: h if h in WORDS else "rdwr")
)
row("upper-case", "accepts upper case", "shutdown.word.refused").override(
    pass_on=any_word(lambda h: h.lower() if isinstance(h, str) else h)
)
row("blanks", "accepts blanks around a keyword", "shutdown.word.refused").override(
    pass_on=any_word(lambda h: h.strip() if isinstance(h, str) else h)
)
row("first-letter", "looks at the first letter only", "shutdown.word.refused").override(pass_on=any_word(first_letter))
row("empty-word", "treats an empty string as no argument", "shutdown.word.refused").override(
    pass_on=lambda s, *a: () if a and a[0] == "" else a
)
row("numbers", "accepts the numbers 0, 1 and 2", "shutdown.word.refused").override(
    pass_on=any_word(lambda h: WORDS[h] if is_int(h) and 0 <= h < 3 else h)
)
row("bool", "treats true as rdwr", "shutdown.word.refused").override(
    pass_on=any_word(lambda h: "rdwr" if h is True else h)
)
row("word-key-error", "raises KeyError for an unknown keyword", "shutdown.word.refused").override(
    failed=substitute(KeyError("how"), bad_argument)
)
row("word-attribute-error", "raises AttributeError for an unknown keyword", "shutdown.word.refused").override(
    failed=substitute(AttributeError("how"), bad_argument)
)
row("word-false", "returns false for an unknown keyword", "shutdown.word.refused").override(
    failed=answer(False, bad_argument)
)
row("word-does-wr", "shuts down wr before it checks the keyword", "shutdown.word.nothing-done").override(
    before=lambda s, *a: ignore_errors(s.inner.shutdown, "wr") if a and a[0] not in (*WORDS, None) else None
)
row("unconnected-swallowed", "reports success without a peer", "shutdown.unconnected").override(
    failed=answer(True, errno.ENOTCONN)
)
row(
    "unconnected-swallowed-dgram", "reports success on datagram sockets without a peer", "shutdown.unconnected"
).override(failed=lambda s, e: True if s.dgram and with_errno(e, errno.ENOTCONN) else raising(e))
row("unconnected-runtime", "raises RuntimeError without a peer", "shutdown.unconnected").override(
    failed=substitute(RuntimeError("peer"), errno.ENOTCONN)
)
row("returns-word", "returns the keyword", "shutdown.result.true").override(result=lambda s, r: "rdwr")
row("closes", "closes the descriptor", "shutdown.socket.open", "shutdown.socket.address").override(
    after=lambda s, r: s.inner.close()
)
row("dgram-returns-none", "returns nothing on datagram sockets", "shutdown.dgram.result").override(
    result=lambda s, r: None if s.dgram else r
)


class Nothing(Wrapped):
    """One keyword has no effect, on sockets of some types."""

    word: ClassVar[str] = ""
    on: ClassVar[tuple[str, ...]] = ("stream", "dgram")

    def shutdown(self, *arguments: Any) -> Any:
        if arguments == (self.word,) and self.type in self.on:
            self.inner.getpeername()
            return True
        return self.inner.shutdown(*arguments)


nothing = GROUP.rows(Nothing, "shutdown-{}", "shutdown {}")
nothing("rd-nothing", "rd does nothing on streams", "shutdown.rd.own-end").override(word="rd", on=("stream",))
nothing("wr-nothing", "wr does nothing on streams", "shutdown.wr.peer-end").override(word="wr", on=("stream",))
nothing("rd-nothing-dgram", "rd does nothing on datagram sockets", "shutdown.dgram.own-end").override(
    word="rd", on=("dgram",)
)
nothing("wr-nothing-dgram", "wr does nothing on datagram sockets", "shutdown.dgram.no-sending").override(
    word="wr", on=("dgram",)
)


@fault(
    "shutdown-remembered",
    "shutdown wr is only stored: send fails, and the peer sees no end",
    "shutdown.wr.peer-end",
    "shutdown.connection",
)
class Remembered(Sender):
    shut = False

    def shutdown(self, *arguments: Any) -> Any:
        if arguments == ("wr",):
            self.inner.getpeername()
            self.shut = True
            return True
        return self.inner.shutdown(*arguments)

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        return raising(system(errno.EPIPE)) if self.shut else (buffer, offset, length)


@fault("shutdown-resets", "shutdown wr resets the connection", "shutdown.wr.data-first", "shutdown.wr.still-receives")
def shutdown(self: Wrapped, *arguments: Any) -> Any:
    if arguments != ("wr",) or not (self.stream and self.internet):
        return self.inner.shutdown(*arguments)
    with self.borrowed() as sock:
        sock.getpeername()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    other = reference().socket(self.domain, self.type)
    os.dup2(other.fileno(), self.number, inheritable=False)
    other.close()
    return True


@fault("shutdown-drains", "shutdown wr drops the received data", "shutdown.wr.keeps-received")
def shutdown(self: Wrapped, *arguments: Any) -> Any:
    result = self.inner.shutdown(*arguments)
    if arguments == ("wr",) and self.stream:
        with self.for_now(blocking=False), contextlib.suppress(OSError):
            while self.inner.recv(8192):
                pass
    return result


@fault("shutdown-once", "a second shutdown of another half fails", "shutdown.halves.result")
class ShutdownOnce(Wrapped):
    shut = False

    def shutdown(self, *arguments: Any) -> Any:
        if self.shut:
            raise system(errno.ENOTCONN)
        result = self.inner.shutdown(*arguments)
        self.shut = True
        return result


@fault("shutdown-second-ignored", "a second shutdown is ignored", "shutdown.halves.peer-end", "shutdown.halves.own-end")
def shutdown(self: ShutdownOnce, *arguments: Any) -> Any:
    return True if self.shut else ShutdownOnce.shutdown(self, *arguments)


@fault(
    "shutdown-again-closes-other", "a second shutdown of one half shuts the other one", "shutdown.again.keeps-open-half"
)
class AgainOther(Wrapped):
    last: Any = None

    def shutdown(self, *arguments: Any) -> Any:
        if arguments and arguments == self.last:
            ignore_errors(self.inner.shutdown, "rdwr")
        self.last = arguments
        return self.inner.shutdown(*arguments)


@fault("shutdown-again-fails", "a second shutdown of a half fails with EINVAL", "shutdown.again")
class AgainFails(Wrapped):
    last: Any = None

    def shutdown(self, *arguments: Any) -> Any:
        if arguments and arguments == self.last:
            raise system(errno.EIO)
        self.last = arguments
        return self.inner.shutdown(*arguments)


@fault("shutdown-others", "shutdown of an accepted socket shuts the one after it", "shutdown.independent")
def shutdown(self: Siblings, *arguments: Any) -> Any:
    if self.sibling is not None:
        ignore_errors(self.sibling.inner.shutdown, *arguments)
    return self.inner.shutdown(*arguments)


@fault("end-shuts", "end of file shuts sending down too", "shutdown.other-end")
def recv(self: Wrapped, *arguments: Any) -> Any:
    data = self.inner.recv(*arguments)
    if self.stream and not data and arguments != (0,):
        ignore_errors(self.inner.shutdown, "wr")
    return data
