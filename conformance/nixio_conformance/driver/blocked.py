"""Whether a process waits inside the system: the way to tell a pending call from one that has not begun.

Linux shows the system call that a process sleeps in (/proc/PID/syscall). Elsewhere, and for agents whose main thread
never makes the call itself, a bounded grace is all there is; no verdict on a right port depends on it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds after which a call that neither came back nor was seen to sleep is taken to be blocked.
GRACE = 0.3
#: The same for a process that is seen to run, or to want a processor: it has a large request to read, or is starved.
BUSY = 2.0


def idle(pid: int) -> str:
    """What the agent sleeps in while it waits for a request; empty where that cannot be seen."""
    end = time.monotonic() + GRACE
    while time.monotonic() < end:
        first = _sleeping_in(pid)
        if first is None:
            return ""
        if first and first == _sleeping_in(pid):
            return first
        time.sleep(0.0005)
    return ""


def wait(pid: int, idle_in: str, answered: Callable[[float], bool]) -> bool:
    """Wait until the process sleeps in another system call than when idle (True), or has answered (False)."""
    begin = time.monotonic()
    while not answered(0.0):
        now = _sleeping_in(pid) if idle_in else None
        if now and now != idle_in and now == _sleeping_in(pid) and not answered(0.0):
            return True
        if time.monotonic() - begin > (BUSY if now == "" else GRACE):
            return not answered(0.0)
        time.sleep(0.0005)
    return False


def _sleeping_in(pid: int) -> str | None:
    """Number and first argument of the system call that the process sleeps in; empty when it runs, None if unknown."""
    if pid == os.getpid():
        return None  # in-process: the calls are made by another thread than the one that would be seen
    try:
        words = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return None
    return " ".join(words[:2]) if len(words) > 2 else ""
