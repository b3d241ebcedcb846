"""Conforming variants: unusual failures, results, attributes and timing."""

from __future__ import annotations

import collections
import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.mutants.registry import Group
from tests.mutants.wrapper import METHODS, WithSpare, Wrapped, is_int, reference, with_effect

GROUP = Group(__name__)
variant = GROUP.variant
FLAGS = (
    *("keepalive", "reuseaddr", "broadcast", "dontroute", "oobinline", "cork", "nodelay", "hdrincl"),
    *("multicast_loop", "v6only"),
)


class Every(Wrapped):
    """All methods, with two hooks."""

    def result(self, value: Any, name: str) -> Any:
        """The result."""
        return value

    def error(self, error: Exception) -> Exception:
        """The failure to raise instead of this one."""
        return error


def through(name: str) -> Callable[..., Any]:
    """A method of `Every`."""

    def method(self: Every, *arguments: Any) -> Any:
        try:
            value = getattr(Wrapped, name)(self, *arguments)
        except (OSError, ValueError, TypeError) as error:
            raise self.error(error) from None
        return self.result(value, name)

    return method


for name in METHODS:
    setattr(Every, name, through(name))


@variant("plain", "passes every call on")
class Plain(Wrapped):
    pass


# -- failures ----------------------------------------------------------------------------------------------------------
class OwnValue(ValueError):
    """A subclass of ValueError, for bad arguments."""


class OwnType(TypeError):
    """A subclass of TypeError, for bad arguments."""


class OwnResolver(socket.gaierror):
    """A subclass of gaierror, for the resolver's errors."""


class OwnBlock(BlockingIOError):
    """A subclass of BlockingIOError, for would-block."""


class OwnSystem(OSError):
    """A direct subclass of OSError, for system errors, instead of the one that its constructor selects by errno."""

    def __new__(cls, *arguments: Any) -> OwnSystem:
        return OSError.__new__(cls, *arguments)


def own(error: Exception) -> Exception:
    """The same failure as one of the exceptions above."""
    if isinstance(error, socket.gaierror):
        return OwnResolver(*error.args)
    if isinstance(error, BlockingIOError):
        return OwnBlock(*error.args[:2])
    if isinstance(error, OSError):
        return OwnSystem(*error.args[:2])
    return OwnType(*error.args) if isinstance(error, TypeError) else OwnValue(*error.args)


def exchanged(error: Exception) -> Exception:
    """ValueError for TypeError, and TypeError for ValueError."""
    if isinstance(error, OSError):
        return error
    return ValueError(*error.args) if isinstance(error, TypeError) else TypeError(*error.args)


def other_words(error: Exception) -> Exception:
    """The same failure in Spanish."""
    if isinstance(error, OSError):
        return type(error)(error.errno, f"fallo número {error.errno}")
    return type(error)("argumento no válido")


variant("own-errors", "raises subclasses of the usual exceptions").override(Every, error=lambda s, e: own(e))
variant("exchanged", "exchanges TypeError and ValueError").override(Every, error=lambda s, e: exchanged(e))
variant("messages", "has messages in another language").override(Every, error=lambda s, e: other_words(e))


# -- results -----------------------------------------------------------------------------------------------------------
class Number(int):
    """An int with another repr."""

    def __repr__(self) -> str:
        return f"Number({int(self)})"

    __str__ = __repr__


class Text(str):
    """A subclass of str."""


TUPLES = {
    "getsockname": collections.namedtuple("Address", "host port"),
    "getpeername": collections.namedtuple("Address", "host port"),
    "accept": collections.namedtuple("Accepted", "socket host port"),
    "recvfrom": collections.namedtuple("Message", "data host port"),
    "getopt": collections.namedtuple("Timeout", "seconds microseconds"),
}


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change a value, or each of several."""
    return tuple(change(one) for one in value) if isinstance(value, tuple) else change(value)


def numbers(value: Any) -> Any:
    """Ints as `Number`."""
    return each(value, lambda one: Number(one) if is_int(one) else one)


def texts(value: Any) -> Any:
    """Strings as `Text`."""
    return each(value, lambda one: Text(one) if isinstance(one, str) else one)


def named(value: Any, name: str) -> Any:
    """A tuple as a named tuple."""
    return TUPLES[name](*value) if isinstance(value, tuple) else value


variant("numbers", "returns a subclass of int").override(Every, result=lambda s, v, n: numbers(v))
variant("texts", "returns a subclass of str").override(Every, result=lambda s, v, n: texts(v))
variant("named-tuples", "returns tuples with names", "accept", "getsockname", "recvfrom").override(
    Every, result=lambda s, v, n: named(v, n)
)


@variant("bools", "reads flags as bools", "getopt", "setopt")
def getopt(self: Wrapped, *arguments: Any) -> Any:
    found = self.inner.getopt(*arguments)
    return bool(found) if arguments[1] in FLAGS else found


# -- looks -------------------------------------------------------------------------------------------------------------
@variant("more", "has more methods, options and keywords, is falsy, and compares equal to everything")
class More(Wrapped):
    name = "more"

    def __len__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "<a socket,\nwith an odd repr>"

    def __enter__(self) -> More:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_socket(self) -> bool:
        """A further method, which nixio's sockets have too."""
        return True

    def setopt(self, *arguments: Any) -> Any:
        if arguments[:2] == ("socket", "reuseport"):
            with self.borrowed() as sock:
                sock.setsockopt(socket.SOL_SOCKET, 15, arguments[2])
            return True
        return self.inner.setopt(*arguments)

    def shutdown(self, *arguments: Any) -> Any:
        words = {"both": "rdwr", "read": "rd", "write": "wr"}
        return self.inner.shutdown(*(words.get(how, how) if isinstance(how, str) else how for how in arguments))


@variant("spaced", "holds a second descriptor for each socket", "close", "socket", "fileno")
class Spaced(WithSpare):
    def start(self) -> None:
        self.spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


class ByName:
    """A socket that has no methods of its own; `__getattr__` finds them."""

    __slots__ = ("__weakref__", "_inner")

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "accept":
            return lambda: (lambda sock, host, port: (ByName(sock), host, port))(*self._inner.accept())
        if name in METHODS:
            return getattr(self._inner, name)
        raise AttributeError(name)


class Instance:
    """An object with a method `socket`."""

    name, version, buffersize = "instance", "0", 8192

    def socket(self, domain: Any, type: Any, protocol: Any = None) -> Any:  # noqa: A002
        """The factory."""
        return Wrapped(domain, type, protocol)


def by_name(domain: Any, type: Any, protocol: Any = None) -> Any:  # noqa: A002
    """The factory."""
    return ByName(reference().socket(domain, type, protocol))


variant("by-name", "finds its methods by name").use(by_name)
variant("instance", "is an object with the factory as a method").use(Instance())


# -- pace and noise ----------------------------------------------------------------------------------------------------
def slowly(seconds: float) -> Callable[..., Any]:
    """Sleep after each call."""
    return lambda sock, value, name: with_effect(value, lambda: time.sleep(seconds))


variant("slow", "takes 3 ms longer for each call").override(Every, result=slowly(0.003))
variant("prints", "prints each call").override(Every, result=lambda s, v, n: with_effect(v, lambda: print(n, v)))
variant("logs", "logs each call").override(
    Every, result=lambda s, v, n: with_effect(v, lambda: print(n, v, file=sys.stderr))
)


@variant("threaded", "receives in another thread", "recv")
def recv(self: Wrapped, *arguments: Any) -> Any:
    came: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            came.append((self.inner.recv(*arguments), None))
        except BaseException as error:
            came.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    data, error = came[0]
    if error is not None:
        raise error
    return data


# -- after close -------------------------------------------------------------------------------------------------------
class Closed(Wrapped):
    """A socket with a flag that says whether it was closed."""

    closed = False

    def refuse(self) -> Exception:
        """The failure of a closed socket."""
        return ValueError("the socket is closed")

    def close(self) -> Any:
        if self.closed:
            raise self.refuse()
        result = self.inner.close()
        self.closed = True
        return result


def unless_closed(name: str) -> Callable[..., Any]:
    """A method that checks the flag first."""

    def method(self: Closed, *arguments: Any) -> Any:
        if self.closed:
            raise self.refuse()
        return getattr(Wrapped, name)(self, *arguments)

    return method


GUARDED = {name: unless_closed(name) for name in METHODS if name != "close"}
variant("closed-argument", "reports any call after close as a bad argument", "close").override(Closed, **GUARDED)
variant("closed-ebadf", "answers any call after close with EBADF", "close").override(
    Closed, refuse=lambda s: OSError(errno.EBADF, "closed"), **GUARDED
)
