"""Leaves no agent behind when the suite's process is killed: SIGKILL gives it no chance to clean up by itself.

A shell waits at a pipe whose other end only the suite holds. However the suite ends, the system closes that end, and
the shell kills the process groups that it was last told of. It works on every POSIX system, needs no code in a forked
child, and agents in any language need not know of it. What left its group is found by its environment (Linux).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import subprocess
import sys
from functools import cache

from nixio_conformance.driver import processes

_SCRIPT = """
trap '' INT TERM HUP
while read -r line; do live=$line; done
for group in $live; do kill -s KILL -- "$group"; done 2>/dev/null
for file in $(grep -ls "$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    kill -s KILL "${pid%/environ}"
done 2>/dev/null
"""


class Guard:
    """Knows what must not outlive this process."""

    def __init__(self) -> None:
        #: What the environments of all agents of this process have in common.
        self.mark = secrets.token_hex(8)
        self._live: set[int] = set()
        self._shell: subprocess.Popen[bytes] | None = None

    def watch(self, pid: int, group: bool = True) -> None:
        """Have this process (with its group) killed when the suite's process ends."""
        self._live.add(-pid if group else pid)
        self._tell()

    def forget(self, pid: int) -> None:
        """It ended: its number may be another's soon."""
        self._live -= {pid, -pid}
        self._tell()

    def _tell(self) -> None:
        if sys.platform == "win32":
            return
        line = " ".join(str(number) for number in sorted(self._live)).encode() + b"\n"
        # Without a shell nothing is guarded, and nothing else is wrong.
        with contextlib.suppress(OSError):
            if self._shell is None:
                self._shell = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT, "sh", f"{processes.MARK}={self.mark}"],
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


@cache
def guard() -> Guard:
    """The one of this process."""
    return Guard()
