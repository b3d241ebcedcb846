"""What a call may come to: a few ways, each of which fits some outcomes and says what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nixio_conformance.driver.outcome import Failure, Outcome, Returned
from nixio_conformance.driver.text import show
from nixio_conformance.model.state import UNKNOWN, Name, State

#: The ways to say that there is no address.
NOTHING = (None, "", 0)


@dataclass(frozen=True)
class Way:
    """One way that a call may legally come out."""

    #: As a person reads it: `True`, `would-block`.
    says: str
    fits: Callable[[Outcome], bool]
    #: What the sockets are afterwards.
    then: Callable[[Outcome], State]
    #: Right for the moment only: something is on its way, so that the same call comes to something else before long.
    for_now: bool = False


@dataclass(frozen=True)
class Legal:
    """What the model says of a call: its ways; or that it waits; or nothing, if neither."""

    ways: tuple[Way, ...] = ()
    #: It does not come back before somebody else does something.
    waits: bool = False

    def match(self, outcome: Outcome) -> Way | None:
        """The first way that an outcome fits."""
        return next((way for way in self.ways if way.fits(outcome)), None)

    def __str__(self) -> str:
        if self.waits:
            return "nothing: the call waits"
        return " or ".join(dict.fromkeys(way.says for way in self.ways if not way.for_now))


#: The model has no opinion: systems differ too much, or the call could wait for ever.
UNSAID = Legal()
WAITS = Legal(waits=True)


def returns(says: str, fits: Callable[[tuple[object, ...]], bool], then: Callable[[tuple[object, ...]], State]) -> Way:
    """The call succeeds with values of which something holds."""
    return Way(
        says,
        lambda outcome: isinstance(outcome, Returned) and fits(outcome.values),
        lambda outcome: then(outcome.values if isinstance(outcome, Returned) else ()),
    )


def true(then: State) -> Way:
    """The documented true."""
    return returns("True", lambda values: len(values) == 1 and values[0] is True, lambda _: then)


def fails(then: State, *tokens: str, for_now: bool = False) -> Way:
    """The call fails in one of these ways: symbolic errors, or kinds of failure."""
    return Way(
        " or ".join(tokens),
        lambda outcome: isinstance(outcome, Failure) and bool(outcome.tokens & set(tokens)),
        lambda _: then,
        for_now,
    )


def would_block(then: State, *, for_now: bool = False) -> Way:
    """The call says that it would have to wait."""
    return fails(then, "would-block", for_now=for_now)


def number(low: int, high: int, then: Callable[[int], State]) -> Way:
    """The call returns a whole number from `low` to `high`."""

    def fits(values: tuple[object, ...]) -> bool:
        return len(values) == 1 and is_int(values[0]) and low <= int(values[0]) <= high  # type: ignore[call-overload]

    return returns(f"{low} to {high}" if low != high else str(low), fits, lambda values: then(int(str(values[0]))))


def is_int(value: object) -> bool:
    """A whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_name(values: tuple[object, ...], name: Name) -> bool:
    """Host and port are exactly these; a port that nobody knows is any that there can be."""
    if len(values) != 2 or values[0] != name.host or type(values[0]) is not str:
        return False
    if name.port == UNKNOWN:
        return is_int(values[1]) and 0 < int(values[1]) < 65536  # type: ignore[call-overload]
    return values[1] == name.port and (name.port is None or is_int(values[1]))


def is_nothing(values: tuple[object, ...]) -> bool:
    """No address, in any of the ways to say so."""
    return len(values) <= 2 and all(value in NOTHING and not isinstance(value, bool) for value in values)


def is_socket(value: object) -> bool:
    """A socket object, of the port or of the suite: what a method can be called on."""
    return hasattr(value, "call")


def shown(data: bytes) -> str:
    """Data in a sentence."""
    return show(data)
