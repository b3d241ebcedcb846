"""Removes what killed runs of this user have left: their folders, and the processes that they started.

A folder is one of a dead run if its lock is free. The processes of that run have the folder's path in the environment
that they were started with (Linux; elsewhere no other process's environment can be read).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from dataclasses import dataclass

from nixio_conformance.driver import procfs, run_folder
from nixio_conformance.driver.run_folder import MARK

#: How often the search for processes is repeated while some are found: they may start others.
_ROUNDS = 10


@dataclass(frozen=True)
class Leftover:
    """What a dead run has left."""

    folder: str
    #: The number of its processes that were killed.
    processes: int
    removed: bool


def remove() -> list[Leftover]:
    """Remove what dead runs have left; live runs, other users and all other files and processes are left alone."""
    found = []
    for folder in run_folder.dead():
        processes = _kill_all(folder.path)
        folder.remove()
        found.append(Leftover(folder.path, processes, not os.path.lexists(folder.path)))
    return found


def _kill_all(folder: str) -> int:
    """Kill the processes of the run whose folder this is; returns their number."""
    killed: set[int] = set()
    own = _ancestors()
    for _ in range(_ROUNDS if sys.platform == "linux" else 0):
        found = {int(name) for name in os.listdir("/proc") if name.isdigit()} - own
        found = {pid for pid in found if not procfs.has_ended(pid) and _kill(pid, folder)}
        if not found - killed:
            break
        killed |= found
    return len(killed)


def _ancestors() -> set[int]:
    """This process and those that it descends from, which may be of the dead run themselves."""
    found = {os.getpid()}
    stat = procfs.stat(os.getpid())
    while stat is not None and stat.parent not in found:
        found.add(stat.parent)
        stat = procfs.stat(stat.parent)
    return found


def _marked(pid: int, folder: str) -> bool:
    with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
        return os.fsencode(f"{MARK}={folder}") in file.readall().split(b"\0")


def _kill(pid: int, folder: str) -> bool:
    """Kill a process if it has the mark in its environment, which another user's does not show."""
    with contextlib.suppress(OSError):
        if _marked(pid, folder):
            os.kill(pid, signal.SIGKILL)
            return True
    return False
