"""What /proc shows of processes: state, memory, parent, session. Empty on systems other than Linux."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")

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
    #: Start time, in clock ticks after boot.
    start: int


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


def environ(pid: int) -> list[bytes]:
    """The environment that a process was started with, as NAME=value; empty for another user's or an ended process."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def children() -> list[int]:
    """The children of this process; none where that is unknown."""
    own = os.getpid()
    return [found.pid for found in stats() if found.parent == own] if _PROC.joinpath("self").exists() else []


def stats() -> Iterator[Stat]:
    """All processes."""
    for name in os.listdir(_PROC):
        if name.isdigit() and (found := stat(int(name))):
            yield found


def stat(pid: int) -> Stat | None:
    """One process; None if it has ended or there is no /proc."""
    try:
        # open() and not Path: this is read for each process of the system.
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # The fields after the name, which is in brackets and may contain any character.
            fields = file.read(4096).rpartition(b")")[2].split()
        return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None
