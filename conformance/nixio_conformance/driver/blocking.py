"""Detects that an agent is blocked in a system call: distinguishes a pending call from one that has not started.

On Linux /proc/PID/syscall shows the system call that a process sleeps in. On other systems, and for agents whose main
thread does not make the call itself, a call that has not returned after a fixed time is taken to be blocked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds after which a call that has neither returned nor been seen to sleep is taken to be blocked.
GRACE = 0.3
#: The same while the process runs or waits for a processor: it may be parsing a large request, or be starved.
GRACE_RUNNING = 2.0
_POLL_INTERVAL = 0.0005


def idle_syscall(pid: int) -> str:
    """The system call that the agent sleeps in while it waits for a request; empty if unknown."""
    end = time.monotonic() + GRACE
    while time.monotonic() < end:
        first = _syscall(pid)
        if first is None:
            return ""
        if first and first == _syscall(pid):
            return first
        time.sleep(_POLL_INTERVAL)
    return ""


def wait_until_blocked(pid: int, idle: str, answered: Callable[[float], bool]) -> bool:
    """Wait until the process sleeps in a system call other than `idle` (True) or has answered (False)."""
    begin = time.monotonic()
    while not answered(0.0):
        now = _syscall(pid) if idle else None
        # Look twice: a process may sleep for a moment before it replies.
        if now and now != idle and now == _syscall(pid) and not answered(0.0):
            return True
        if time.monotonic() - begin > (GRACE_RUNNING if now == "" else GRACE):
            return not answered(0.0)
        time.sleep(_POLL_INTERVAL)
    return False


def _syscall(pid: int) -> str | None:
    """Number and first argument of the system call that the process sleeps in; empty if it runs, None if unknown."""
    if pid == os.getpid():
        return None  # --in-process: /proc shows the main thread, and another thread makes the calls
    try:
        fields = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return None
    return " ".join(fields[:2]) if len(fields) > 2 else ""
