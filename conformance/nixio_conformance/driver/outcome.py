"""The outcome of a call on the implementation: returned values, or a failure of one of the contract's kinds."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Literal

from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.text import show

#: Error names that share a number on some systems and not on others; verdicts treat them as equal.
_SYNONYMS = {"EWOULDBLOCK": "EAGAIN", "ENOTSUP": "EOPNOTSUPP"}


class SocketHandle:
    """A socket of the implementation: the number that the agent assigned, and its name in the transcript."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Returned:
    """The call returned these values."""

    values: tuple[bool | int | float | str | bytes | Foreign | SocketHandle | None, ...]

    def __str__(self) -> str:
        if len(self.values) == 1:
            return show(self.values[0])
        return "(" + ", ".join(show(value) for value in self.values) + ")"


@dataclass(frozen=True)
class Failure:
    """The call failed."""

    kind: Literal["system", "would-block", "resolver", "argument", "exception", "missing"]
    #: Symbolic name, such as `ECONNREFUSED` or `EAI_NONAME`; empty if there is none.
    name: str
    number: int | None
    message: str

    @property
    def tokens(self) -> frozenset[str]:
        """The names that the specification's tables may use for this failure: its kind and its symbolic name."""
        return frozenset({self.kind, canonical(self.name)} - {""})

    def __str__(self) -> str:
        name = self.name or self.kind
        prefix = "" if self.name else f"{self.kind}: "
        return f"{prefix}{self.message or name}" if not self.name else f"{name} ({self.message or self.kind})"


Outcome = Returned | Failure


def canonical(name: str) -> str:
    """The one name used for all synonyms of an error: EAGAIN for EWOULDBLOCK."""
    return _SYNONYMS.get(name, name)


def errno_name(number: int | None) -> str:
    """The symbolic name of an errno of this machine; the number as text if it has none, empty for None."""
    return errno.errorcode.get(number, str(number)) if number is not None else ""
