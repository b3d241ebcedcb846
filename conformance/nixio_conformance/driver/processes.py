"""What the system tells of processes: what one does, what it has, and which others came of it.

Linux tells all of it (/proc). Elsewhere a process that leaves its group and its session is not found again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
#: In the environment of each agent, and so of whatever it starts: by it a process is found that left its group, its
#: session and its parent.
MARK = "NIXIO_CONFORMANCE_AGENT"
#: How often what an agent started is looked for while more is found: one that forks faster than that is not caught.
_ROUNDS = 10

_DOING = {
    "R": "it was computing",
    "S": "it was waiting inside the system",
    "D": "it was waiting inside the system",
    "T": "it was stopped by a signal",
    "t": "it was stopped by a debugger",
}


class _Entry(NamedTuple):
    pid: int
    state: str
    parent: int
    session: int
    #: When it began, in ticks since the system did.
    start: int


def doing(pid: int) -> str:
    """What a process is doing just now, as half a sentence; empty where that cannot be told."""
    entry = _entry(pid)
    return _DOING.get(entry.state, "") if entry else ""


def memory(pid: int) -> int:
    """Bytes of memory that a process can write to, as a limit counts them; 0 where that cannot be told."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def kill_all(pid: int, mark: str) -> None:
    """Kill a process that leads a group and a session, and whatever came of it. It must not have been waited for."""
    for _ in range(_ROUNDS):
        found = set(_offspring(pid, mark))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        for other in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(other, signal.SIGKILL)
        if not found:
            return


def _offspring(pid: int, mark: str) -> Iterator[int]:
    """Processes of its session, its descendants, and those that carry its mark; without the ended, and itself."""
    if sys.platform != "linux":
        return
    entries = {entry.pid: entry for entry in _entries()}
    start = entries[pid].start if pid in entries else 0
    for entry in entries.values():
        # Nothing that came of it is older: most processes of a system need not be looked at more closely.
        if entry.start < start or entry.state == "Z" or entry.pid in (pid, os.getpid()):
            continue
        if entry.session == pid or _descends(entry, pid, entries) or _carries(entry.pid, mark):
            yield entry.pid


def _descends(entry: _Entry, pid: int, entries: dict[int, _Entry]) -> bool:
    seen: set[int] = set()
    above: _Entry | None = entry
    while above is not None and above.pid not in seen:
        if above.parent == pid:
            return True
        seen.add(above.pid)
        above = entries.get(above.parent)
    return False


def _carries(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False  # another user's, or gone


def _entries() -> Iterator[_Entry]:
    for name in os.listdir(_PROC):
        if name.isdigit() and (entry := _entry(int(name))):
            yield entry


def _entry(pid: int) -> _Entry | None:
    try:
        # Not with Path: this is read for each process of the system.
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # Behind the name, which is in brackets and may have any letters.
            words = file.read(4096).rpartition(b")")[2].split()
        return _Entry(pid, words[0].decode(), int(words[1]), int(words[3]), int(words[19]))
    except (OSError, IndexError, ValueError):
        return None
