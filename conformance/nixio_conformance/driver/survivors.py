"""Processes of agents that this process could not end: another user's (sudo), or one that is blocked in the system.

A command that finds one ends with exit code 3, instead of waiting for it for ever.
"""

from __future__ import annotations

from nixio_conformance.driver import procfs
from nixio_conformance.driver.timeouts import KILLING

#: Module-level state, as agents are ended in several places, also where no caller could handle an error.
_messages: list[str] = []


def note(pid: int, agent: str, refused: bool) -> None:
    """Note that a process still runs. `refused`: the system does not permit to kill it."""
    if refused:
        why = f"this user may not kill it; to end it: sudo kill -9 {pid}"
    else:
        why = f"it was killed, and the system does not end it ({procfs.activity(pid) or 'its state is unknown'})"
    _messages.append(f"process {pid} of the agent {agent!r} still runs after {KILLING:g} s: {why}")


def survivors() -> list[str]:
    """One message for each process that could not be ended."""
    return list(_messages)
