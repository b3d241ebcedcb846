"""shutdown: the words, the halves, and who else is shut down."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.hooks import Hooked, Sender
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import Port, Siblings, doing, is_int, quietly, raising, reference, system, with_errno

CHAPTER = Chapter(__name__)
WORDS = ("rd", "wr", "rdwr")


def word(table: dict[Any, str], where: Callable[[Any], bool] = lambda sock: True) -> Any:
    """Take a word for another one; None stands for no word at all."""

    def given(sock: Any, *arguments: Any) -> tuple[Any, ...]:
        how = arguments[0] if arguments else None
        known = how is None or isinstance(how, str)
        return (table[how],) if known and how in table and where(sock) else arguments

    return given


def any_word(change: Callable[[Any], Any]) -> Any:
    """Change what was given."""
    return lambda sock, *a: (change(a[0]),) if a and a[0] is not None else a


def bad_word(error_of: Callable[[], BaseException]) -> Any:
    """Report a bad word in another way."""
    return lambda sock, error: raising(error_of() if isinstance(error, (TypeError, ValueError)) else error)


def not_connected(answer: Callable[[BaseException], Any], where: Callable[[Any], bool] = lambda sock: True) -> Any:
    """Something else where there is no peer."""
    return lambda sock, error: answer(error) if with_errno(error, errno.ENOTCONN) and where(sock) else raising(error)


def first_letter(how: Any) -> Any:
    """What a word begins with."""
    if not isinstance(how, str) or how in WORDS:
        return how
    return {"r": "rd", "w": "wr"}.get(how[:1], how)


SHUTDOWN: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("default-wr", "takes no word for wr", ("shutdown.rdwr.own-end",), {"given": word({None: "wr"})}),
    (
        "default-rd",
        "takes no word for rd",
        ("shutdown.rdwr.peer-end", "shutdown.rdwr.no-sending"),
        {"given": word({None: "rd"})},
    ),
    (
        "default-wr-unix",
        "takes no word for wr on UNIX",
        ("shutdown.rdwr.own-end",),
        {"given": word({None: "wr"}, lambda s: s.unix)},
    ),
    (
        "required",
        "wants a word",
        ("shutdown.result.true",),
        {"given": lambda s, *a: a if a and a[0] is not None else raising(TypeError("how"))},
    ),
    (
        "swapped",
        "takes rd for wr and wr for rd",
        ("shutdown.wr.peer-end", "shutdown.rd.own-end"),
        {"given": word({"rd": "wr", "wr": "rd"})},
    ),
    (
        "swapped-unix",
        "takes rd for wr and wr for rd on UNIX",
        ("shutdown.wr.peer-end",),
        {"given": word({"rd": "wr", "wr": "rd"}, lambda s: s.unix)},
    ),
    ("rdwr-is-wr", "takes rdwr for wr", ("shutdown.rdwr.own-end",), {"given": word({"rdwr": "wr"})}),
    ("rdwr-is-rd", "takes rdwr for rd", ("shutdown.rdwr.no-sending",), {"given": word({"rdwr": "rd"})}),
    ("rd-is-rdwr", "takes rd for rdwr", ("shutdown.rd.still-sends",), {"given": word({"rd": "rdwr"})}),
    (
        "wr-is-rdwr",
        "takes wr for rdwr",
        ("shutdown.wr.still-receives", "shutdown.wr.still-waits"),
        {"given": word({"wr": "rdwr"})},
    ),
    (
        "wr-is-rdwr-inet6",
        "takes wr for rdwr on IPv6",
        ("shutdown.wr.still-receives",),
        {"given": word({"wr": "rdwr"}, lambda s: s.domain == "inet6")},
    ),
    (
        "dgram-wr-is-rdwr",
        "takes wr for rdwr on datagram sockets",
        ("shutdown.dgram.still-receives",),
        {"given": word({"wr": "rdwr"}, lambda s: s.dgram)},
    ),
    (
        "dgram-rd-is-rdwr",
        "takes rd for rdwr on datagram sockets",
        ("shutdown.dgram.still-sends",),
        {"given": word({"rd": "rdwr"}, lambda s: s.dgram)},
    ),
    (
        "any-word",
        "takes any other word for rdwr",
        ("shutdown.word.refused", "shutdown.word.nothing-done"),
        {"given": any_word(lambda h: h if h in WORDS else "rdwr")},
    ),
    (
        "upper-case",
        "takes upper case",
        ("shutdown.word.refused",),
        {"given": any_word(lambda h: h.lower() if isinstance(h, str) else h)},
    ),
    (
        "blanks",
        "takes blanks around a word",
        ("shutdown.word.refused",),
        {"given": any_word(lambda h: h.strip() if isinstance(h, str) else h)},
    ),
    ("first-letter", "looks at the first letter only", ("shutdown.word.refused",), {"given": any_word(first_letter)}),
    (
        "empty-word",
        "takes an empty word for none",
        ("shutdown.word.refused",),
        {"given": lambda s, *a: () if a and a[0] == "" else a},
    ),
    (
        "numbers",
        "takes the numbers 0, 1 and 2",
        ("shutdown.word.refused",),
        {"given": any_word(lambda h: WORDS[h] if is_int(h) and 0 <= h < 3 else h)},
    ),
    (
        "bool",
        "takes true for rdwr",
        ("shutdown.word.refused",),
        {"given": any_word(lambda h: "rdwr" if h is True else h)},
    ),
    (
        "word-key-error",
        "raises KeyError for another word",
        ("shutdown.word.refused",),
        {"failed": bad_word(lambda: KeyError("how"))},
    ),
    (
        "word-attribute-error",
        "raises AttributeError for another word",
        ("shutdown.word.refused",),
        {"failed": bad_word(lambda: AttributeError("how"))},
    ),
    (
        "word-false",
        "returns false for another word",
        ("shutdown.word.refused",),
        {"failed": lambda s, e: False if isinstance(e, (TypeError, ValueError)) else raising(e)},
    ),
    (
        "word-does-wr",
        "shuts down wr before it looks at the word",
        ("shutdown.word.nothing-done",),
        {
            "given": lambda s, *a: doing(
                a, lambda: quietly(s.inner.shutdown, "wr") if a and a[0] not in (*WORDS, None) else None
            )
        },
    ),
    (
        "unconnected-swallowed",
        "is said to work without a peer",
        ("shutdown.unconnected",),
        {"failed": not_connected(lambda e: True)},
    ),
    (
        "unconnected-swallowed-dgram",
        "is said to work on datagram sockets without a peer",
        ("shutdown.unconnected",),
        {"failed": not_connected(lambda e: True, lambda s: s.dgram)},
    ),
    (
        "unconnected-runtime",
        "raises RuntimeError without a peer",
        ("shutdown.unconnected",),
        {"failed": not_connected(lambda e: raising(RuntimeError("peer")))},
    ),
    ("returns-word", "returns the word", ("shutdown.result.true",), {"told": lambda s, r: "rdwr"}),
    (
        "closes",
        "closes the descriptor",
        ("shutdown.socket.open", "shutdown.socket.address"),
        {"told": lambda s, r: doing(r, lambda: s.inner.close())},
    ),
    (
        "dgram-returns-none",
        "returns nothing on datagram sockets",
        ("shutdown.dgram.result",),
        {"told": lambda s, r: None if s.dgram else r},
    ),
)


for name, does, clauses, members in SHUTDOWN:
    CHAPTER.row(f"shutdown-{name}", f"shutdown {does}", clauses, Hooked, method="shutdown", **members)


class Nothing(Port):
    """One word does nothing, on some sockets."""

    word: ClassVar[str] = ""
    on: ClassVar[tuple[str, ...]] = ("stream", "dgram")

    def shutdown(self, *arguments: Any) -> Any:
        if arguments == (self.word,) and self.type in self.on:
            self.inner.getpeername()
            return True
        return self.inner.shutdown(*arguments)


for name, does, clause, members in (
    ("rd-nothing", "rd does nothing on streams", "shutdown.rd.own-end", {"word": "rd", "on": ("stream",)}),
    ("wr-nothing", "wr does nothing on streams", "shutdown.wr.peer-end", {"word": "wr", "on": ("stream",)}),
    (
        "rd-nothing-dgram",
        "rd does nothing on datagram sockets",
        "shutdown.dgram.own-end",
        {"word": "rd", "on": ("dgram",)},
    ),
    (
        "wr-nothing-dgram",
        "wr does nothing on datagram sockets",
        "shutdown.dgram.no-sending",
        {"word": "wr", "on": ("dgram",)},
    ),
):
    CHAPTER.row(f"shutdown-{name}", f"shutdown {does}", [clause], Nothing, **members)


@CHAPTER.fault(
    "shutdown-remembered",
    "shutdown wr is only remembered: send fails, and the peer sees no end",
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

    def chosen(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        return raising(system(errno.EPIPE)) if self.shut else (buffer, offset, length)


@CHAPTER.fault(
    "shutdown-resets", "shutdown wr breaks the connection", "shutdown.wr.data-first", "shutdown.wr.still-receives"
)
class Resets(Port):
    def shutdown(self, *arguments: Any) -> Any:
        if arguments != ("wr",) or not (self.stream and self.internet):
            return self.inner.shutdown(*arguments)
        with self.borrowed() as sock:
            sock.getpeername()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        other = reference().socket(self.domain, self.type)
        os.dup2(other.fileno(), self.number, inheritable=False)
        other.close()
        return True


@CHAPTER.fault("shutdown-drains", "shutdown wr throws away what was received", "shutdown.wr.keeps-received")
class Drains(Port):
    def shutdown(self, *arguments: Any) -> Any:
        result = self.inner.shutdown(*arguments)
        if arguments == ("wr",) and self.stream:
            with self.for_now(blocking=False), contextlib.suppress(OSError):
                while self.inner.recv(8192):
                    pass
        return result


@CHAPTER.fault("shutdown-once", "a second shutdown of another half fails", "shutdown.halves.result")
class ShutdownOnce(Port):
    shut = False

    def shutdown(self, *arguments: Any) -> Any:
        if self.shut:
            raise system(errno.ENOTCONN)
        result = self.inner.shutdown(*arguments)
        self.shut = True
        return result


@CHAPTER.fault(
    "shutdown-second-ignored", "a second shutdown is ignored", "shutdown.halves.peer-end", "shutdown.halves.own-end"
)
class SecondIgnored(ShutdownOnce):
    def shutdown(self, *arguments: Any) -> Any:
        return True if self.shut else super().shutdown(*arguments)


@CHAPTER.fault(
    "shutdown-again-closes-other", "a second shutdown of a half shuts the other one", "shutdown.again.keeps-open-half"
)
class AgainOther(Port):
    last: Any = None

    def shutdown(self, *arguments: Any) -> Any:
        if arguments and arguments == self.last:
            quietly(self.inner.shutdown, "rdwr")
        self.last = arguments
        return self.inner.shutdown(*arguments)


@CHAPTER.fault("shutdown-again-fails", "a second shutdown of a half fails with EINVAL", "shutdown.again")
class AgainFails(Port):
    last: Any = None

    def shutdown(self, *arguments: Any) -> Any:
        if arguments and arguments == self.last:
            raise system(errno.EIO)
        self.last = arguments
        return self.inner.shutdown(*arguments)


@CHAPTER.fault("shutdown-others", "shutdown of an accepted socket shuts the one after it", "shutdown.independent")
class Others(Siblings):
    def shutdown(self, *arguments: Any) -> Any:
        if self.sibling is not None:
            quietly(self.sibling.inner.shutdown, *arguments)
        return self.inner.shutdown(*arguments)


@CHAPTER.fault("end-shuts", "the peer's end shuts sending down too", "shutdown.other-end")
class EndShuts(Port):
    def recv(self, *arguments: Any) -> Any:
        data = self.inner.recv(*arguments)
        if self.stream and not data and arguments != (0,):
            quietly(self.inner.shutdown, "wr")
        return data
