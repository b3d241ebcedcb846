"""What the checks say of outcomes: each function either returns what is needed next or raises `Mismatch`.

A mismatch carries what was expected and what came instead, as two texts, so that reports need no parsing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.text import alternatives, show

#: Failures that a table or a check may name besides symbolic error names.
ARGUMENT = "argument"
RESOLVER = "resolver"
WOULD_BLOCK = "would-block"
SYSTEM = "system"


class Mismatch(AssertionError):
    """The port did something else than the clause requires."""

    def __init__(self, what: str, expected: str, actual: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {actual}")
        self.what = what
        self.expected = expected
        self.actual = actual


def mismatch(what: str, expected: object, actual: object) -> NoReturn:
    """Say that something is wrong."""
    raise Mismatch(what, str(expected), str(actual))


def holds(condition: bool, what: str, expected: object, actual: object) -> None:
    """A condition that says in words what was expected."""
    if not condition:
        mismatch(what, expected, actual)


def same(actual: object, expected: object, what: str) -> None:
    """Equal, and both or neither a bool, which Python would call equal to a number."""
    if actual != expected or isinstance(actual, bool) != isinstance(expected, bool):
        mismatch(what, show(expected), show(actual))


def one_of(actual: object, allowed: Collection[object], what: str) -> None:
    """Equal to one of several legal values."""
    if actual not in allowed:
        mismatch(what, alternatives([show(value) for value in allowed]), show(actual))


def returned(outcome: Outcome, what: str = "the call") -> tuple[object, ...]:
    """The call succeeded: its values, however many."""
    if isinstance(outcome, Failure):
        mismatch(what, "success", outcome)
    return outcome.values


def values(outcome: Outcome, count: int, what: str = "the call") -> tuple[object, ...]:
    """The call succeeded with so many values."""
    found = returned(outcome, what)
    holds(len(found) == count, what, f"{count} values" if count != 1 else "one value", outcome)
    return found


def value(outcome: Outcome, what: str = "the call") -> object:
    """The call succeeded with one value."""
    return values(outcome, 1, what)[0]


def true(outcome: Outcome, what: str = "the call") -> None:
    """The call returned the documented `true`, and nothing else."""
    if not (isinstance(outcome, Returned) and len(outcome.values) == 1 and outcome.values[0] is True):
        mismatch(what, "True", outcome)


def integer(outcome: Outcome, what: str = "the call") -> int:
    """The call returned one whole number."""
    found = value(outcome, what)
    if not isinstance(found, int) or isinstance(found, bool):
        mismatch(what, "an int", outcome)
    return found


def count(outcome: Outcome, expected: int, what: str = "number of bytes written") -> None:
    """The call returned exactly this number."""
    found = integer(outcome, what)
    holds(found == expected, what, expected, found)


def buffer(outcome: Outcome, what: str = "the call") -> bytes:
    """The call returned one buffer."""
    found = value(outcome, what)
    if not isinstance(found, bytes):
        mismatch(what, "bytes", outcome)
    return found


def data(outcome: Outcome, expected: bytes, what: str = "data received") -> None:
    """The call returned exactly these bytes."""
    found = buffer(outcome, what)
    holds(found == expected, what, show(expected), show(found))


def address(outcome: Outcome, what: str = "the address") -> tuple[object, object]:
    """The call returned a host and a port, whatever they are."""
    host, port = values(outcome, 2, what)
    return host, port


def at(outcome: Outcome, expected: tuple[object, object], what: str = "the address") -> None:
    """The call returned exactly this host and port."""
    host, port = address(outcome, what)
    right = host == expected[0] and type(host) is type(expected[0]) and port == expected[1]
    holds(right and not isinstance(port, (bool, float)), what, f"({show(expected[0])}, {show(expected[1])})", outcome)


def socket(found: object, what: str = "the call") -> ImplSocket:
    """A value that is a socket of the port."""
    if not isinstance(found, ImplSocket):
        mismatch(what, "a socket object", show(found))
    return found


def fails(outcome: Outcome, *allowed: str, what: str = "the call") -> Failure:
    """The call failed, in one of these ways: an error's symbolic name, or a kind of failure.

    No `allowed` stands for any failure of the contract. A failure outside of the contract is never right.
    """
    expected = f"failure ({alternatives(allowed)})" if allowed else "a failure of the contract"
    if isinstance(outcome, Returned):
        mismatch(what, expected, outcome)
    unnamed = outcome.kind == "system" and not outcome.name
    if outcome.kind in ("exception", "missing") or unnamed or (allowed and not outcome.tokens & set(allowed)):
        mismatch(what, expected, outcome)
    return outcome


def would_block(outcome: Outcome, what: str = "the call") -> None:
    """The call said that it would block: neither data nor another error."""
    fails(outcome, WOULD_BLOCK, what=what)


def refused_argument(outcome: Outcome, what: str = "the call") -> None:
    """The call refused an argument: `ValueError` or `TypeError` in Python."""
    fails(outcome, ARGUMENT, what=what)
