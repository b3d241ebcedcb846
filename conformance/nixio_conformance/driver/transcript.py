"""The transcript of a case: its calls and the peers' actions, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from nixio_conformance.driver.budget import Budget
from nixio_conformance.driver.text import LARGE, TEXT, VALUES, cut, show_all

#: The result of a step that has not returned.
PENDING = "..."

Actor = Literal["port", "peer", "observer"]
_T = TypeVar("_T")


@dataclass
class Step:
    """One step: a call on a socket, or an observation, and its result."""

    #: Seconds since the case began.
    at: float
    actor: Actor
    #: Variable whose method is called: `s1`, `peer1`; empty for a constructor.
    subject: str
    method: str
    arguments: tuple[object, ...]
    result: str = PENDING
    #: Variables that hold the returned values, by position; empty for a value that is not kept.
    assigns: tuple[str, ...] = ()
    values: tuple[object, ...] = ()
    seconds: float = 0.0
    #: For steps other than calls on the implementation: the step as a line of Python, for reproducer scripts.
    code: str = ""
    #: True if other steps began before this one ended: the call was left pending.
    overlapped: bool = False

    @property
    def call(self) -> str:
        """The step in the notation of a call: `s1.recv(16)`."""
        prefix = f"{self.subject}." if self.subject else ""
        return cut(f"{prefix}{self.method}({show_all(self.arguments)})")


@dataclass
class Transcript:
    """The steps of one case, in order, and the names of its sockets."""

    steps: list[Step] = field(default_factory=list)
    #: Whether a call returned more values, or longer ones, than any check asks for.
    large: bool = False
    #: What the case may use; the session sets it when the case begins.
    budget: Budget = field(default_factory=Budget)
    _start: float = field(default_factory=time.monotonic)
    _names: dict[str, int] = field(default_factory=dict)

    def now(self) -> float:
        """Seconds since the case began."""
        return time.monotonic() - self._start

    def name(self, prefix: str) -> str:
        """The next free variable name: `s1`, `s2`, `peer1`."""
        self._names[prefix] = self._names.get(prefix, 0) + 1
        return f"{prefix}{self._names[prefix]}"

    def begin(self, actor: Actor, subject: str, method: str, arguments: Sequence[object]) -> Step:
        """Record the beginning of a step and return it; `end` records its result.

        Raises `CaseTimedOut` when the case's budget is used up.
        """
        self.budget.step(arguments)
        step = Step(self.now(), actor, subject, method, tuple(arguments))
        if self.steps and self.steps[-1].result == PENDING:
            self.steps[-1].overlapped = True
        self.steps.append(step)
        return step

    def end(self, step: Step, result: str, values: Sequence[object] = (), assigns: Sequence[str] = ()) -> None:
        """Record the result of a step, and of long results only the part that reports need."""
        self.budget.keep(values)
        self.large = self.large or len(values) > VALUES or any(map(_is_large, values))
        step.result = cut(result)
        step.values = tuple(_kept(value) for value in _ends(values))
        step.assigns = tuple(_ends(assigns))
        step.seconds = self.now() - step.at


def _ends(values: Sequence[_T]) -> Sequence[_T]:
    """The values; of too many, the first and the last one, in which scripts find sockets and port numbers."""
    return values if len(values) <= VALUES else [values[0], values[-1]]


def _is_large(value: object) -> bool:
    return isinstance(value, (str, bytes)) and len(value) > LARGE


def _kept(value: object) -> object:
    """The value, and of long data the beginning: a case may receive any number of them."""
    return value[:TEXT] if isinstance(value, (str, bytes)) else value
