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
    for _ in range(_ROUNDS if sys.platform == "linux" else 0):
        found = {pid for pid in _processes(folder) if _kill(pid, folder)}
        if not found - killed:
            break
        killed |= found
    return len(killed)


def _processes(folder: str) -> list[int]:
    """All running processes with the mark, without this one and those that it descends from."""
    processes = {found.pid: found for found in procfs.stats()}
    own = os.getpid()
    ancestors = set()
    while own in processes and own not in ancestors:
        ancestors.add(own)
        own = processes[own].parent
    return [pid for pid in processes if pid not in ancestors and processes[pid].state != "Z" and _marked(pid, folder)]


def _marked(pid: int, folder: str) -> bool:
    return os.fsencode(f"{MARK}={folder}") in procfs.environ(pid)


def _kill(pid: int, folder: str) -> bool:
    """Kill a process if it still is the one with the mark: an id may belong to a new process by now."""
    with contextlib.suppress(OSError):
        if _marked(pid, folder):
            os.kill(pid, signal.SIGKILL)
            return True
    return False
