"""How long a call may take, told fairly on a loaded machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nixio_conformance.driver.timeouts import CALL, HUNG


class Deadline:
    """Runs out `seconds` after it was made; what a process spends waiting for a processor does not count.

    A port that is starved by other programs is slow, not wrong. Linux tells how long a process was runnable without
    running (/proc/PID/schedstat); elsewhere the clock alone decides. What was waited before the first look at the
    deadline is not known and counts: a caller looks when a call has not come back at once.
    """

    def __init__(self, seconds: float = CALL, pid: int | None = None, proc: Path = Path("/proc")) -> None:
        """`pid` is the process that is waited for; `proc` is where the system tells of it."""
        self._seconds = seconds
        # A text, because one of these is made for each call and hardly any is looked at.
        self._schedstat = f"{proc}/{pid}/schedstat" if pid is not None else ""
        self._starved: float | None = None
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made, by the clock."""
        return time.monotonic() - self._start

    def remaining(self) -> float:
        """Seconds left; never more than the clock could bring, 0.0 when it has run out."""
        if self._starved is None:
            self._starved = self._waited_for_processor()
        elapsed = self.elapsed
        left = self._seconds - elapsed
        if left <= 0 and elapsed < max(HUNG, self._seconds):
            left += self._waited_for_processor() - self._starved
        return max(left, 0.0)

    def _waited_for_processor(self) -> float:
        try:
            return int(Path(self._schedstat).read_text().split()[1]) / 1e9 if self._schedstat else 0.0
        except (OSError, IndexError, ValueError):
            return 0.0


def wait_for(condition: Callable[[], bool], seconds: float = CALL) -> bool:
    """Wait until a condition holds; False when it does not within that time."""
    deadline = time.monotonic() + seconds
    pause = 0.0002
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return True
