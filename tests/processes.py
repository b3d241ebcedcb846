"""Information about processes, for tests."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def running(pid: int) -> bool:
    """Whether a process exists and has not ended; a zombie has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def marked(text: str) -> set[int]:
    """The running processes that were started with this text in their environment (Linux)."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and text.encode() in (entry / "environ").read_bytes():
                found.add(int(entry.name))
    return {pid for pid in found if running(pid)}
