"""Kills the agents when the suite's own process dies without cleaning up, as after SIGKILL.

A shell reads from a pipe whose other end only the suite holds. However the suite ends, the kernel closes that end, and
the shell kills the process groups in the last line that it read. This works on every POSIX system, needs no code in a
forked child and no cooperation of the agents. Processes that left their group are found by their environment (Linux).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from functools import cache

from nixio_conformance.driver import process_tree, procfs
from nixio_conformance.driver.stopping import Stage, stopping

#: Seconds that processes which can end by themselves, as workers, have for it when this one is stopped.
_ENDING = 3.0
_POLL_INTERVAL = 0.005

_SCRIPT = """
trap '' INT TERM HUP
while read -r line; do live=$line; done
for group in $live; do kill -s KILL -- "$group"; done 2>/dev/null
for file in $(grep -ls "$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    kill -s KILL "${pid%/environ}"
done 2>/dev/null
"""


class OrphanGuard:
    """The processes that must not outlive this one."""

    def __init__(self) -> None:
        #: Common prefix of the marks in the environments of all agents of this process.
        self.mark = secrets.token_hex(8)
        self._live: set[int] = set()
        self._shell: subprocess.Popen[bytes] | None = None

    def watch(self, pid: int, group: bool = True) -> None:
        """Have this process (with its process group) killed when this process ends."""
        self._live.add(-pid if group else pid)
        self._update_shell()

    def unwatch(self, pid: int) -> None:
        """Stop watching a process that has ended: its id may soon belong to another one."""
        self._live -= {pid, -pid}
        self._update_shell()

    def _update_shell(self) -> None:
        if sys.platform == "win32":
            return
        line = " ".join(str(number) for number in sorted(self._live)).encode() + b"\n"
        # If no shell can be started, agents are not guarded, but everything else works.
        with contextlib.suppress(OSError):
            if self._shell is None:
                self._shell = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT, "sh", f"{process_tree.MARK}={self.mark}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                )
                atexit.register(self._end)
            assert self._shell.stdin is not None
            os.write(self._shell.stdin.fileno(), line)

    def _end(self) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            self._shell.wait()

    def end_children(self) -> None:
        """End all that this process has started, when it is stopped: agents at once, workers after their own steps."""
        shell = self._shell.pid if self._shell is not None else 0
        groups = {number for number in self._live if number < 0}
        _send(groups, signal.SIGKILL)
        children = {abs(number) for number in self._live} | set(procfs.children()) - {shell}
        _send(children, signal.SIGTERM)
        _send(children if stopping.hurried else _wait(children), signal.SIGKILL)
        # The shell finds what left its group or its parent, and an agent that was being started just now.
        self._update_shell()
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            if not stopping.hurried:
                _wait({self._shell.pid})


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _wait(pids: set[int]) -> set[int]:
    """Wait for children, at most `_ENDING`; those that still run.

    Not with `Popen.wait`, in which this process may have been interrupted.
    """
    end = time.monotonic() + _ENDING
    while (pids := {pid for pid in pids if _runs(pid)}) and time.monotonic() < end:
        time.sleep(_POLL_INTERVAL)
    return pids


def _runs(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] == 0
    except OSError:
        return False


@cache
def guard() -> OrphanGuard:
    """The guard of this process."""
    made = OrphanGuard()
    if sys.platform != "win32":
        stopping.add(Stage.PROCESSES, made.end_children)
    return made
