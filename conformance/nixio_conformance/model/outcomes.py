"""The outcomes that the model allows for one call, and the state after each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.model.state import UNKNOWN, Address, State

#: The values that mean "no address".
NO_ADDRESS = (None, "", 0)
#: Errors of a sending call on a socket that has no peer.
NOT_CONNECTED_ERRORS = ("ENOTCONN", "EPIPE", "EDESTADDRREQ")


@dataclass(frozen=True)
class AllowedOutcome:
    """One allowed outcome of a call, or a group of them that lead to the same state."""

    #: For people: `True`, `would-block`.
    text: str
    matches: Callable[[Outcome], bool]
    next_state: Callable[[Outcome], State]
    #: Valid while data, EOF, a handshake or a reset is in flight; the caller retries.
    transient: bool = False


@dataclass(frozen=True)
class Allowed:
    """All allowed outcomes of a call. With no outcome, and not blocking, the model does not specify the call."""

    outcomes: tuple[AllowedOutcome, ...] = ()
    #: The call blocks until another socket acts.
    blocks: bool = False

    def match(self, outcome: Outcome) -> AllowedOutcome | None:
        """The first allowed outcome that matches; None if the outcome is not allowed."""
        return next((allowed for allowed in self.outcomes if allowed.matches(outcome)), None)

    def __str__(self) -> str:
        if self.blocks:
            return "no outcome yet: the call blocks"
        return " or ".join(dict.fromkeys(allowed.text for allowed in self.outcomes if not allowed.transient))


#: Systems differ too much, or the call could block for ever: the operation is left out.
UNSPECIFIED = Allowed()
BLOCKS = Allowed(blocks=True)


def returns(
    text: str, matches: Callable[[tuple[object, ...]], bool], next_state: Callable[[tuple[object, ...]], State]
) -> AllowedOutcome:
    """The call returns values for which `matches` is true."""
    return AllowedOutcome(
        text,
        lambda outcome: isinstance(outcome, Returned) and matches(outcome.values),
        lambda outcome: next_state(outcome.values if isinstance(outcome, Returned) else ()),
    )


def true(next_state: State) -> AllowedOutcome:
    """The call returns the documented true."""
    return returns("True", lambda values: len(values) == 1 and values[0] is True, lambda _: next_state)


def fails(next_state: State, *tokens: str, transient: bool = False) -> AllowedOutcome:
    """The call fails with one of these tokens: names of errors (`EPIPE`), or categories (`argument`, `would-block`)."""
    return AllowedOutcome(
        " or ".join(tokens),
        lambda outcome: isinstance(outcome, Failure) and bool(outcome.tokens & set(tokens)),
        lambda _: next_state,
        transient,
    )


def would_block(next_state: State, *, transient: bool = False) -> AllowedOutcome:
    """The call fails because it would have to block."""
    return fails(next_state, "would-block", transient=transient)


def integer(low: int, high: int, next_state: Callable[[int], State]) -> AllowedOutcome:
    """The call returns an integer from `low` to `high`."""

    def matches(values: tuple[object, ...]) -> bool:
        return len(values) == 1 and is_int(values[0]) and low <= int(values[0]) <= high  # type: ignore[call-overload]

    text = f"{low} to {high}" if low != high else str(low)
    return returns(text, matches, lambda values: next_state(int(str(values[0]))))


def is_int(value: object) -> bool:
    """True for an int that is not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_address(values: tuple[object, ...], address: Address) -> bool:
    """True if host and port number are exactly these; `UNKNOWN` stands for any valid port number."""
    if len(values) != 2 or values[0] != address.host or type(values[0]) is not str:
        return False
    if address.port == UNKNOWN:
        return is_int(values[1]) and 0 < int(values[1]) < 65536  # type: ignore[call-overload]
    return values[1] == address.port and (address.port is None or is_int(values[1]))


def is_no_address(values: tuple[object, ...]) -> bool:
    """True if the values are one of the accepted forms of no address."""
    return len(values) <= 2 and all(value in NO_ADDRESS and not isinstance(value, bool) for value in values)


def is_socket(value: object) -> bool:
    """True for a socket object, of the implementation or of a peer: one that methods can be called on."""
    return hasattr(value, "call")
