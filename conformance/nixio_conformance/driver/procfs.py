"""What /proc shows of processes: state, memory, children, session. Empty on systems other than Linux."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

_ACTIVITY = {
    "R": "it was computing",
    "S": "it was waiting inside the system",
    "D": "it was waiting inside the system",
    "T": "it was stopped by a signal",
    "t": "it was stopped by a debugger",
}


class Stat(NamedTuple):
    """Some fields of /proc/PID/stat, see proc(5)."""

    pid: int
    state: str
    parent: int
    session: int


def activity(pid: int) -> str:
    """What a process is doing, as the end of a sentence; empty if unknown."""
    found = stat(pid)
    return _ACTIVITY.get(found.state, "") if found else ""


def has_ended(pid: int) -> bool:
    """Whether a process has ended, or is not known here."""
    found = stat(pid)
    return found is None or found.state in "ZX"


def memory(pid: int) -> int:
    """Bytes of a process's writable memory, as RLIMIT_DATA counts them; 0 if that is unknown."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def threads(pid: int) -> int:
    """The number of threads of a process; 0 if that is unknown."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """The child processes of a process: running, or ended and not yet waited for. None where that is unknown."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        # open() and not Path: this is read before and after each case.
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
            found += map(int, file.readall().split())
    return found


def stat(pid: int) -> Stat | None:
    """One process; None if it has ended or there is no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # The fields after the name, which is in brackets and may contain any character.
            fields = file.read(4096).rpartition(b")")[2].split()
        return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[3]))
    except (OSError, IndexError, ValueError):
        return None
