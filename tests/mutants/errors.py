"""Hooks for `failed`: what a faulty implementation returns or raises in place of an error.

Each takes the errors that it applies to as errnos, classes or predicates; other errors are raised unchanged.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from tests.mutants.wrapper import raising, size, system, with_errno

#: Which errors: an errno, a class, or a function of the error.
When = int | type[BaseException] | Callable[[BaseException], bool]
Hook = Callable[..., Any]
WOULD_BLOCK, RESOLVER = BlockingIOError, socket.gaierror


def answer(value: Any, *when: When) -> Hook:
    """Return a value instead of the error."""
    return lambda sock, error, *_: value if matches(error, *when) else raising(error)


def all_sent(*when: When) -> Hook:
    """Return the whole buffer's size instead of the error."""
    return lambda sock, error, buffer, *_: size(buffer) if matches(error, *when) else raising(error)


def substitute(other: int | BaseException, *when: When) -> Hook:
    """Raise another error instead: an errno's, or a copy of an exception."""

    def failed(sock: Any, error: BaseException, *_: Any) -> Any:
        if not matches(error, *when):
            raise error
        # A copy, since an exception keeps the frames that it passed and so their sockets alive.
        raise system(other) if isinstance(other, int) else type(other)(*other.args)

    return failed


def bad_argument(error: BaseException) -> bool:
    """Whether an error refuses an argument."""
    return isinstance(error, (TypeError, ValueError))


def matches(error: BaseException, *when: When) -> bool:
    """Whether an error is one of these."""
    return any(
        with_errno(error, one)
        if isinstance(one, int)
        else isinstance(error, one)
        if isinstance(one, type)
        else one(error)
        for one in when
    )
