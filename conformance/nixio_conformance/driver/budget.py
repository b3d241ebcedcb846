"""The budget of a case: how long it may take, how many bytes its peers may receive, and how many steps it may have.

It is checked at each step and each wait, whichever loop of a check makes them, and by an alarm (`driver.alarm`).
When it is used up, the agent is killed and `CaseTimedOut` is raised, again and again until the case has ended.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator

from nixio_conformance.driver.deadline import starvation
from nixio_conformance.driver.errors import CaseTimedOut
from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.wire import HeldAs

#: Bytes that the peers of a case may receive and its calls may carry. The suite keeps them until the case has ended.
#: The largest case of a conforming implementation needs less than one million.
BYTES = 32 << 20
#: Calls of the implementation and of peers in one case. The longest case of a conforming implementation has 127.
STEPS = 50_000
#: Time without a processor is not counted, but only until this many times the deadline has passed by the clock.
_MOST_CREDIT = 3


class Budget:
    """What one case may use. One without limits never ends."""

    def __init__(
        self,
        seconds: float = math.inf,
        kill: Callable[[], object] = lambda: None,
        pid: Callable[[], int] = os.getpid,
        *,
        most_bytes: float = math.inf,
        most_steps: float = math.inf,
    ) -> None:
        """`seconds` count from now. `kill` ends the agent, and `pid` is its process or, where it has none, this one."""
        self._seconds = seconds
        self._kill = kill
        self._pid = pid
        self._most_bytes = most_bytes
        self._most_steps = most_steps
        self._start = time.monotonic()
        self._end = self._start + seconds
        #: When to look at the processes next: early, to note how long they had been starved before, then at the end.
        self._look = self._start + min(seconds / 4, 1.0)
        self._starved: float | None = None
        self._bytes = 0
        self._steps = 0
        self._why = ""
        self._shields = 0

    def step(self, arguments: Iterable[object] = ()) -> None:
        """Count a step with its arguments. Raises `CaseTimedOut` when the budget is used up."""
        self._steps += 1
        self.keep(arguments)
        if self._steps > self._most_steps:
            self._exceed(f"the case made more than {self._most_steps} calls")
        self.check()

    def keep(self, values: Iterable[object]) -> None:
        """Count values that the case's transcript keeps."""
        self._bytes += sum(map(_size, values))

    def receive(self, count: int) -> None:
        """Count bytes that a peer received. Raises `CaseTimedOut` when the budget is used up."""
        self._bytes += count
        self.check()

    def check(self) -> None:
        """Raise `CaseTimedOut` when the budget is used up."""
        if self._why:
            raise CaseTimedOut(self._why)
        if self._bytes > self._most_bytes:
            limit = f"{self._most_bytes / (1 << 20):g} MiB"
            self._exceed(f"the case sent or received more than {limit}")
        if time.monotonic() >= self._look and self.remaining() <= 0:
            self._exceed(f"the case did not end within {self._seconds:g} s")

    def remaining(self) -> float:
        """Seconds left, without those in which the agent or this process waited for a processor; 0.0 at the end."""
        now = time.monotonic()
        if now >= self._look and self._end < math.inf:
            if self._starved is None:
                self._starved = self._starvation()
            if now >= self._end:
                credit = max(self._starvation() - self._starved, 0.0)
                self._end = self._start + self._seconds + min(credit, (_MOST_CREDIT - 1) * self._seconds)
            self._look = self._end
        return max(self._end - now, 0.0)

    @property
    def limited(self) -> bool:
        """Whether it ends at any time."""
        return self._end < math.inf

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """While this is entered the alarm waits: the start or the end of an agent must not be cut short."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1

    def alarm(self) -> None:
        """Raise `CaseTimedOut` if the budget is used up, from wherever the main thread is now."""
        if not self._shields:
            self.check()

    def _exceed(self, why: str) -> None:
        self._why = why
        self._kill()
        raise CaseTimedOut(why)

    def _starvation(self) -> float:
        """Seconds that the agent and this process have been runnable without running; 0.0 if that is unknown."""
        return sum(map(starvation, {self._pid(), os.getpid()}))


def _size(value: object) -> int:
    if isinstance(value, (bytes, str, bytearray)):
        return len(value)
    if isinstance(value, Foreign):
        return len(value.repr)
    return len(value.data) if isinstance(value, HeldAs) else 0
