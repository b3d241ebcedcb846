"""Finds and kills all processes that an agent started, also those that left its group, session and parent (Linux).

This process adopts their orphans (`adopt_orphans`): the kernel then makes it the parent of a daemon whose own parent
has ended, instead of the system's first process. On other systems a process that leaves its group is not found.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection

from nixio_conformance.driver import procfs

_PR_SET_CHILD_SUBREAPER = 36
#: Seconds after which processes that do not end are given up: they wait for a device, or start others too fast.
_GIVE_UP = 3.0
_POLL_INTERVAL = 0.0005


def adopt_orphans() -> None:
    """Become the parent of all orphans among this process's descendants; nothing if the system has no such call."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def adopted(own: Collection[int]) -> list[int]:
    """The orphans that this process has adopted and that still run; those that have ended are waited for.

    `own` are the children that this process started in sessions of their own. A child that is none of them and not in
    this process's session either has been adopted, as agents are started in sessions of their own.
    """
    found = []
    for pid in procfs.children(os.getpid()):
        stat = None if pid in own else procfs.stat(pid)
        if stat is None or stat.session == os.getsid(0):
            continue
        if stat.state != "Z":
            found.append(pid)
            continue
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return found


def kill_all(leader: int, own: Collection[int]) -> set[int]:
    """Kill a process group, all descendants of its leader, and all orphans; `own` as in `adopted`.

    The leader must not have been waited for yet. Returns those that this user may not kill.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    refused = set() if _killed(leader) else {leader}
    return refused | kill_orphans(own, leader)


def kill_orphans(own: Collection[int], leader: int | None = None) -> set[int]:
    """Kill all orphans and the leader, with their descendants. Returns those that this user may not kill.

    The others have ended then, or they were given up.
    """
    end = time.monotonic() + _GIVE_UP
    refused: set[int] = set()
    while left := _running(own, leader) - refused:
        refused |= {pid for pid in left if not _killed(pid)}
        if time.monotonic() > end:
            break
        time.sleep(_POLL_INTERVAL)
    return refused


def _running(own: Collection[int], leader: int | None) -> set[int]:
    """The orphans and the leader, with their descendants; only those that have not ended."""
    found: set[int] = set()
    waiting = adopted(own) + ([leader] if leader else [])
    while waiting:
        pid = waiting.pop()
        if pid not in found and not procfs.has_ended(pid):
            found.add(pid)
            waiting += procfs.children(pid)
    return found


def _killed(pid: int) -> bool:
    """Kill a process; False if this user may not."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True
