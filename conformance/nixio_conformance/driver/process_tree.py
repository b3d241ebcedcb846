"""Kills a process with all processes that it started, including those that left its group and session (Linux).

On other systems a process that leaves its group is not found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

from nixio_conformance.driver import procfs
from nixio_conformance.driver.procfs import Stat

#: Environment variable of each agent, inherited by all that it starts: it identifies a process that left its group,
#: its session and its parent.
MARK = "NIXIO_CONFORMANCE_AGENT"
#: Environment variable of each process that a run starts: the path of the run's folder.
RUN = "NIXIO_CONFORMANCE_RUN"
#: How often the search is repeated while processes are still found. A fork bomb that is faster is not caught.
_ROUNDS = 10


def kill_all(pid: int, mark: str) -> set[int]:
    """Kill the leader of a process group and its offspring. The leader must not have been waited for yet.

    Returns those that this user may not kill.
    """
    refused: set[int] = set()
    for _ in range(_ROUNDS):
        found = set(_offspring(pid, mark))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        refused = {other for other in (pid, *found) if not _killed(other)}
        if found <= refused:
            break
    return refused


def _killed(pid: int) -> bool:
    """Kill a process; False if this user may not."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True


def _offspring(pid: int, mark: str) -> Iterator[int]:
    """Running processes of its session, its descendants and processes with its mark, without itself."""
    if sys.platform != "linux":
        return
    processes = {found.pid: found for found in procfs.stats()}
    start = processes[pid].start if pid in processes else 0
    for process in processes.values():
        # Its offspring is younger: this skips most processes of the system before their environment is read.
        if process.start < start or process.state == "Z" or process.pid in (pid, os.getpid()):
            continue
        if process.session == pid or _descends(process, pid, processes) or _has_mark(process.pid, mark):
            yield process.pid


def _descends(process: Stat, pid: int, processes: dict[int, Stat]) -> bool:
    seen: set[int] = set()
    ancestor: Stat | None = process
    while ancestor is not None and ancestor.pid not in seen:
        if ancestor.parent == pid:
            return True
        seen.add(ancestor.pid)
        ancestor = processes.get(ancestor.parent)
    return False


def _has_mark(pid: int, mark: str) -> bool:
    return f"{MARK}={mark}".encode() in procfs.environ(pid)
