"""Writes each step of a transcript in the notation of one language.

Two things are looked up when the script runs, because they differ in each run: port numbers, and the folder
of the socket files. A call that was left pending is written where it began and where it returned.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import PENDING, Step

#: The system never chooses port numbers below this one.
_FIRST_CHOSEN_PORT = 1024


class Notation(ABC):
    """The notation of one language. `folder` is the case's folder, whose path must not appear in the script."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        #: Expressions that give the port numbers that the system chose, by the number in the transcript.
        self.ports: dict[int, str] = {}

    @abstractmethod
    def call(self, step: Step) -> Iterator[str]:
        """A call on the implementation that returned before the next step began."""

    @abstractmethod
    def begin(self, step: Step, name: str) -> Iterator[str]:
        """A call on the implementation that is left pending; `name` is a variable for its result."""

    @abstractmethod
    def end(self, step: Step, name: str) -> Iterator[str]:
        """The result of the call that was left pending as `name`; it may never have returned."""

    @abstractmethod
    def peer(self, step: Step) -> Iterator[str]:
        """A step of the suite's peer."""

    @abstractmethod
    def release(self, names: Sequence[str]) -> str:
        """Drop the last references to these sockets of the implementation."""

    @abstractmethod
    def comment(self, text: str) -> str:
        """A line that does nothing."""

    @abstractmethod
    def lookup(self, subject: str, method: str) -> str:
        """An expression for the port number that `getsockname` or `getpeername` of a socket returns."""

    @abstractmethod
    def as_text(self, expression: str) -> str:
        """An expression for a number as text."""

    def chosen_port(self, argument: object) -> str:
        """The expression for an argument that is a port number chosen by the system; empty for any other argument."""
        if isinstance(argument, int) and not isinstance(argument, bool):
            return self.ports.get(argument, "")
        if isinstance(argument, str) and argument.isdecimal() and (expression := self.ports.get(int(argument))):
            return self.as_text(expression)
        return ""

    def learn(self, step: Step) -> None:
        """Note the port number that a step returned, if the system chose it."""
        values = step.values
        if len(values) < 2 or not isinstance(port := values[-1], int) or port < _FIRST_CHOSEN_PORT:
            return
        if step.actor == "peer":
            self.ports.setdefault(port, self.lookup(step.subject, "getsockname"))
        elif step.method in ("getsockname", "getpeername") and not isinstance(values[0], ImplSocket):
            self.ports.setdefault(port, self.lookup(step.subject, step.method))


def replay(steps: Sequence[Step], notation: Notation) -> Iterator[str]:
    """The lines that repeat the steps, in their order."""
    pending: dict[str, Step] = {}
    for number, step in enumerate(steps):
        yield from _returned(pending, step.at, notation)
        if step.actor == "observer":
            yield notation.comment(f"seen from outside: {step.call} -> {step.result}")
        elif step.actor == "peer":
            yield from notation.peer(step)
        elif step.method == "forget":
            yield notation.release([str(argument) for argument in step.arguments])
        elif step.overlapped:
            pending[f"pending_{number}"] = step
            yield from notation.begin(step, f"pending_{number}")
        else:
            yield from notation.call(step)
        if not step.overlapped:
            notation.learn(step)
    yield from _returned(pending, math.inf, notation)


def _returned(pending: dict[str, Step], now: float, notation: Notation) -> Iterator[str]:
    """The results of the calls that had returned by `now`; at the end also of those that never returned."""
    for name, step in list(pending.items()):
        if now == math.inf or (step.result != PENDING and step.at + step.seconds <= now):
            del pending[name]
            yield from notation.end(step, name)
            notation.learn(step)
