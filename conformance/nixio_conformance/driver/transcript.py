"""The transcript of a case: its calls and the peers' actions, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from nixio_conformance.driver.text import show

#: The result of a step that has not returned.
PENDING = "..."

Actor = Literal["port", "peer", "observer"]


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
        arguments = ", ".join(show(argument) for argument in self.arguments)
        prefix = f"{self.subject}." if self.subject else ""
        return f"{prefix}{self.method}({arguments})"


@dataclass
class Transcript:
    """The steps of one case, in order, and the names of its sockets."""

    steps: list[Step] = field(default_factory=list)
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
        """Record the beginning of a step and return it; `end` records its result."""
        step = Step(self.now(), actor, subject, method, tuple(arguments))
        if self.steps and self.steps[-1].result == PENDING:
            self.steps[-1].overlapped = True
        self.steps.append(step)
        return step

    def end(self, step: Step, result: str, values: Sequence[object] = (), assigns: Sequence[str] = ()) -> None:
        """Record the result of a step."""
        step.result = result
        step.values = tuple(values)
        step.assigns = tuple(assigns)
        step.seconds = self.now() - step.at
