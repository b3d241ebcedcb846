"""Assertions on outcomes: each function returns the part that a check needs next, or raises `Mismatch`.

A mismatch has the expected and the actual value as two texts, so that reports need no parsing. The argument `what` of
all functions is the subject of the message, usually the call.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.driver.text import MESSAGE, alternatives, cut, show

#: Kinds of failure that tables and checks may name besides the symbolic names of errors.
ARGUMENT = "argument"
RESOLVER = "resolver"
WOULD_BLOCK = "would-block"
SYSTEM = "system"


class Mismatch(AssertionError):
    """The implementation does not do what the clause requires."""

    def __init__(self, what: str, expected: str, actual: str) -> None:
        self.what = cut(what)
        self.expected = cut(expected)
        self.actual = cut(actual)
        super().__init__(cut(f"{self.what}: expected {self.expected}, got {self.actual}", MESSAGE))


def mismatch(what: str, expected: object, actual: object) -> NoReturn:
    """Raise `Mismatch` with these values as text."""
    raise Mismatch(what, str(expected), str(actual))


def holds(condition: bool, what: str, expected: object, actual: object) -> None:
    """Check that the condition is true; `expected` and `actual` describe it."""
    if not condition:
        mismatch(what, expected, actual)


def same(actual: object, expected: object, what: str) -> None:
    """Check that the values are equal. Unlike in Python, True and 1 are not equal here, nor are False and 0."""
    if actual != expected or isinstance(actual, bool) != isinstance(expected, bool):
        mismatch(what, show(expected), show(actual))


def one_of(actual: object, allowed: Collection[object], what: str) -> None:
    """Check that the value is equal to one of those allowed."""
    if actual not in allowed:
        mismatch(what, alternatives([show(value) for value in allowed]), show(actual))


# --- a call that returned


def returned(outcome: Outcome, what: str = "the call") -> tuple[object, ...]:
    """Check that the call did not fail. Returns its values, however many."""
    if isinstance(outcome, Failure):
        mismatch(what, "success", outcome)
    return outcome.values


def values(outcome: Outcome, count: int, what: str = "the call") -> tuple[object, ...]:
    """Check that the call returned this number of values. Returns them."""
    found = returned(outcome, what)
    holds(len(found) == count, what, f"{count} values" if count != 1 else "one value", outcome)
    return found


def first(outcome: Outcome, what: str = "the call") -> object:
    """Check that the call returned at least one value. Returns the first; the others are not checked."""
    found = returned(outcome, what)
    holds(bool(found), what, "a value", outcome)
    return found[0]


def value(outcome: Outcome, what: str = "the call") -> object:
    """Check that the call returned one value. Returns it."""
    return values(outcome, 1, what)[0]


def true(outcome: Outcome, what: str = "the call") -> None:
    """Check that the call returned True and nothing else, as nixio documents it for many methods."""
    if not (isinstance(outcome, Returned) and len(outcome.values) == 1 and outcome.values[0] is True):
        mismatch(what, "True", outcome)


def integer(outcome: Outcome, what: str = "the call") -> int:
    """Check that the call returned one int that is not a bool. Returns it."""
    found = value(outcome, what)
    if not isinstance(found, int) or isinstance(found, bool):
        mismatch(what, "an int", outcome)
    return found


def count(outcome: Outcome, expected: int, what: str = "number of bytes written") -> None:
    """Check that the call returned exactly this int."""
    found = integer(outcome, what)
    holds(found == expected, what, expected, found)


def buffer(outcome: Outcome, what: str = "the call") -> bytes:
    """Check that the call returned one buffer. Returns its bytes."""
    found = value(outcome, what)
    if not isinstance(found, bytes):
        mismatch(what, "bytes", outcome)
    return found


def data(outcome: Outcome, expected: bytes, what: str = "data received") -> None:
    """Check that the call returned exactly these bytes and nothing else."""
    found = buffer(outcome, what)
    holds(found == expected, what, show(expected), show(found))


def address(outcome: Outcome, what: str = "the address") -> tuple[object, object]:
    """Check that the call returned two values, a host and a port of any type. Returns them."""
    host, port = values(outcome, 2, what)
    return host, port


def at(outcome: Outcome, expected: tuple[object, object], what: str = "the address") -> None:
    """Check that the call returned exactly this host and port, with the same types."""
    host, port = address(outcome, what)
    right = host == expected[0] and type(host) is type(expected[0]) and port == expected[1]
    holds(right and not isinstance(port, (bool, float)), what, f"({show(expected[0])}, {show(expected[1])})", outcome)


def socket(found: object, what: str = "the call") -> ImplSocket:
    """Check that the value is a socket of the implementation. Returns it."""
    if not isinstance(found, ImplSocket):
        mismatch(what, "a socket object", show(found))
    return found


def accepted(outcome: Outcome, what: str = "accept()") -> ImplSocket:
    """Check that accept() returned a socket as its first value. Returns it; the other values are not checked."""
    return socket(first(outcome, what), what)


def passable(found: object, what: str = "the call") -> bool | int | float | str | bytes | None:
    """Check that a returned value has a type that calls take, so that a later call can be given it. Returns it."""
    if not isinstance(found, (bool, int, float, str, bytes, type(None))):
        mismatch(what, "values that calls take as arguments", show(found))
    return found


def waits(pending: Pending, what: str) -> None:
    """Check that the call has not returned, and is blocked in a system call."""
    holds(pending.blocked(), what, "a call that waits", "a call that returned")


# --- a call that failed


def fails(outcome: Outcome, *allowed: str, what: str = "the call") -> Failure:
    """Check that the call failed with one of the `allowed` failures: symbolic names of errors, or kinds of failure.

    Without `allowed`, any failure that the contract defines is accepted. Never accepted are an exception of another
    type, a missing method, and a system error without a known number. Returns the failure.
    """
    expected = f"a failure ({alternatives(allowed)})" if allowed else "a failure that the contract defines"
    if isinstance(outcome, Returned):
        mismatch(what, expected, outcome)
    unnamed = outcome.kind == "system" and not outcome.name
    if outcome.kind in ("exception", "missing") or unnamed or (allowed and not outcome.tokens & set(allowed)):
        mismatch(what, expected, outcome)
    return outcome


def would_block(outcome: Outcome, what: str = "the call") -> None:
    """Check that the call failed because it would have to wait, and not with another error."""
    fails(outcome, WOULD_BLOCK, what=what)


def refused_argument(outcome: Outcome, what: str = "the call") -> None:
    """Check that the call failed because of an argument: `ValueError` or `TypeError` in Python."""
    fails(outcome, ARGUMENT, what=what)
