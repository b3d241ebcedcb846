"""Expectations of outcomes: each function returns what the check needs next, or raises `Mismatch`.

A mismatch carries what was expected and what was seen instead as two texts, so that reports need no parsing. The
argument `what` of all functions names what is compared, usually the call.
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
    """The condition is true; `expected` and `actual` describe it."""
    if not condition:
        mismatch(what, expected, actual)


def same(actual: object, expected: object, what: str) -> None:
    """The values are equal. A bool is not equal to a number here, as it is in Python."""
    if actual != expected or isinstance(actual, bool) != isinstance(expected, bool):
        mismatch(what, show(expected), show(actual))


def one_of(actual: object, allowed: Collection[object], what: str) -> None:
    """The value is equal to one of those allowed."""
    if actual not in allowed:
        mismatch(what, alternatives([show(value) for value in allowed]), show(actual))


# --- a call that returned


def returned(outcome: Outcome, what: str = "the call") -> tuple[object, ...]:
    """The call returned. Returns its values, however many."""
    if isinstance(outcome, Failure):
        mismatch(what, "success", outcome)
    return outcome.values


def values(outcome: Outcome, count: int, what: str = "the call") -> tuple[object, ...]:
    """The call returned this number of values. Returns them."""
    found = returned(outcome, what)
    holds(len(found) == count, what, f"{count} values" if count != 1 else "one value", outcome)
    return found


def value(outcome: Outcome, what: str = "the call") -> object:
    """The call returned one value. Returns it."""
    return values(outcome, 1, what)[0]


def true(outcome: Outcome, what: str = "the call") -> None:
    """The call returned True and nothing else, as the document says of many methods."""
    if not (isinstance(outcome, Returned) and len(outcome.values) == 1 and outcome.values[0] is True):
        mismatch(what, "True", outcome)


def integer(outcome: Outcome, what: str = "the call") -> int:
    """The call returned one int, and not a bool. Returns it."""
    found = value(outcome, what)
    if not isinstance(found, int) or isinstance(found, bool):
        mismatch(what, "an int", outcome)
    return found


def count(outcome: Outcome, expected: int, what: str = "number of bytes written") -> None:
    """The call returned exactly this int."""
    found = integer(outcome, what)
    holds(found == expected, what, expected, found)


def buffer(outcome: Outcome, what: str = "the call") -> bytes:
    """The call returned one buffer. Returns its bytes."""
    found = value(outcome, what)
    if not isinstance(found, bytes):
        mismatch(what, "bytes", outcome)
    return found


def data(outcome: Outcome, expected: bytes, what: str = "data received") -> None:
    """The call returned exactly these bytes and nothing else."""
    found = buffer(outcome, what)
    holds(found == expected, what, show(expected), show(found))


def address(outcome: Outcome, what: str = "the address") -> tuple[object, object]:
    """The call returned two values, a host and a port of any type. Returns them."""
    host, port = values(outcome, 2, what)
    return host, port


def at(outcome: Outcome, expected: tuple[object, object], what: str = "the address") -> None:
    """The call returned exactly this host and port, of the same types."""
    host, port = address(outcome, what)
    right = host == expected[0] and type(host) is type(expected[0]) and port == expected[1]
    holds(right and not isinstance(port, (bool, float)), what, f"({show(expected[0])}, {show(expected[1])})", outcome)


def socket(found: object, what: str = "the call") -> ImplSocket:
    """The value is a socket of the implementation. Returns it."""
    if not isinstance(found, ImplSocket):
        mismatch(what, "a socket object", show(found))
    return found


def accepted(outcome: Outcome, what: str = "accept()") -> ImplSocket:
    """An accept() returned a socket as its first value. Returns it; the other values are for other checks."""
    return socket(returned(outcome, what)[0], what)


def waits(pending: Pending, what: str) -> None:
    """The call has not returned, and sleeps in the system."""
    holds(pending.blocked(), what, "a call that waits", "a call that returned")


# --- a call that failed


def fails(outcome: Outcome, *allowed: str, what: str = "the call") -> Failure:
    """The call failed in an allowed way: with an error of this symbolic name, or a failure of this kind.

    Without `allowed`, any failure that the contract has is right; one that it does not have never is: an exception of
    another type, a missing method, or a system error without a known number. Returns the failure.
    """
    expected = f"failure ({alternatives(allowed)})" if allowed else "a failure of the contract"
    if isinstance(outcome, Returned):
        mismatch(what, expected, outcome)
    unnamed = outcome.kind == "system" and not outcome.name
    if outcome.kind in ("exception", "missing") or unnamed or (allowed and not outcome.tokens & set(allowed)):
        mismatch(what, expected, outcome)
    return outcome


def would_block(outcome: Outcome, what: str = "the call") -> None:
    """The call failed because it would have to wait, and not with another error."""
    fails(outcome, WOULD_BLOCK, what=what)


def refused_argument(outcome: Outcome, what: str = "the call") -> None:
    """The call failed because of an argument: `ValueError` or `TypeError` in Python."""
    fails(outcome, ARGUMENT, what=what)
