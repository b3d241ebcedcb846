"""Call timeout that does not count the time during which the agent was runnable but not scheduled."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nixio_conformance.driver.timeouts import CALL, HUNG


class Deadline:
    """Expires `seconds` after its creation, not counting the time that a process waits for a processor.

    An implementation that other programs starve is slow, not wrong. Linux reports how long a process was runnable
    without running (/proc/PID/schedstat); on other systems only the clock counts. Starvation before the first call of
    `remaining` is unknown and therefore counts; callers ask as soon as a call does not return at once.
    """

    def __init__(self, seconds: float = CALL, pid: int | None = None, proc: Path = Path("/proc")) -> None:
        """`pid` is the process that is waited for; `proc` is where procfs is mounted."""
        self._seconds = seconds
        self._pid = pid
        self._proc = proc
        self._starved: float | None = None
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of wall-clock time since the creation."""
        return time.monotonic() - self._start

    def remaining(self) -> float:
        """Seconds left, 0.0 once expired; starvation is credited only up to `HUNG` seconds after the creation."""
        if self._starved is None:
            self._starved = self._starvation()
        elapsed = self.elapsed
        left = self._seconds - elapsed
        if left <= 0 and elapsed < max(HUNG, self._seconds):
            left += self._starvation() - self._starved
        return max(left, 0.0)

    def _starvation(self) -> float:
        return starvation(self._pid, self._proc) if self._pid is not None else 0.0


def starvation(pid: int, proc: Path = Path("/proc")) -> float:
    """Seconds that a process has been runnable without running; 0.0 if that is unknown."""
    try:
        return int((proc / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def wait_for(condition: Callable[[], bool], seconds: float = CALL) -> bool:
    """Poll until a condition holds; returns False if it does not hold within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.0002
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return True
