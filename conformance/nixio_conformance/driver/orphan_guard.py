"""Kills the agents when the suite's own process dies without cleaning up, as after SIGKILL.

A shell reads from a pipe whose other end only the suite holds. However the suite ends, the kernel closes that end, and
the shell kills the process groups in the last line that it read. This works on every POSIX system, needs no code in a
forked child and no cooperation of the agents.

On Linux the shell also finds what has left its group, its session and its parent, and has emptied its environment: by a
limit that all processes inherit from this one and that Linux does not enforce, of the resident set. This process sets
it to a random number. While this process lives it needs no such mark: it adopts orphans (`process_tree`).
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
_REAP_INTERVAL = 0.1

#: Its arguments: the limit's value, and this process. It looks again while it finds others than before, and twice more,
#: because a list of processes may miss one that has just been started. What it finds again cannot be killed, or has
#: ended and is not waited for.
_SCRIPT = """
trap '' INT TERM HUP
while read -r line; do live=$line; done
for group in $live; do kill -s KILL -- "$group"; done 2>/dev/null
[ -n "$1" ] || exit 0
round=0
quiet=0
while [ "$quiet" -lt 3 ] && [ "$round" -lt 100 ]; do
    before=$found
    found=
    for file in $(grep -ls "^Max resident set  *$1 " /proc/[0-9]*/limits); do
        pid=${file#/proc/}
        pid=${pid%/limits}
        if [ "$pid" != $$ ] && [ "$pid" != "$2" ] && kill -s KILL "$pid"; then found="$found $pid"; fi
    done
    if [ -z "$found" ] || [ "$found" = "$before" ]; then quiet=$((quiet + 1)); else quiet=0; fi
    round=$((round + 1))
done 2>/dev/null
"""
#: Values of the limit, in bytes: more than any memory.
_MARKS = range(1 << 60, 1 << 62)


class OrphanGuard:
    """The processes that must not outlive this one."""

    def __init__(self) -> None:
        self._live: set[int] = set()
        self._shell: subprocess.Popen[bytes] | None = None
        self._mark = _mark_children()
        self._reaped = 0.0

    def watch(self, pid: int, group: bool = True) -> None:
        """Have this process (with its process group) killed when this process ends."""
        self._live.add(-pid if group else pid)
        self._update_shell()

    def unwatch(self, pid: int) -> None:
        """Stop watching a process that has ended: its id may soon belong to another one."""
        self._live -= {pid, -pid}
        self._update_shell()

    def start(self) -> None:
        """Have all that this process starts killed when it ends, whether it is watched or not (Linux)."""
        self._update_shell()

    def adopt_orphans(self) -> None:
        """Become the parent of orphans. Call this before an agent is started, and then `reap` from time to time."""
        process_tree.adopt_orphans()

    def reap(self) -> None:
        """Wait for the orphans that have ended, a few times a second: they must not fill the table of processes."""
        if (now := time.monotonic()) > self._reaped + _REAP_INTERVAL:
            self._reaped = now
            self.adopted()

    def kill_all(self, leader: int) -> set[int]:
        """Kill an agent's process group with all that it started, and orphans of any other agent.

        Returns those that this user may not kill.
        """
        return process_tree.kill_all(leader, self._own())

    def kill_orphans(self) -> None:
        """Kill what a worker that has died has started."""
        process_tree.kill_orphans(self._own())

    def adopted(self) -> list[int]:
        """The orphans of agents that still run."""
        return process_tree.adopted(self._own())

    def _own(self) -> set[int]:
        shell = {self._shell.pid} if self._shell is not None else set()
        return {abs(number) for number in self._live} | shell

    def _update_shell(self) -> None:
        if sys.platform == "win32":
            return
        line = " ".join(str(number) for number in sorted(self._live)).encode() + b"\n"
        # If no shell can be started, agents are not guarded, but everything else works.
        with contextlib.suppress(OSError):
            if self._shell is None:
                self._shell = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT, "sh", self._mark, str(os.getpid())],
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
        self.kill_orphans()  # faster than the shell, and none of them stays a zombie
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            self._shell.wait()

    def end_children(self) -> None:
        """End all that this process has started, when it is stopped: agents at once, workers after their own steps."""
        shell = self._shell.pid if self._shell is not None else 0
        _send({number for number in self._live if number < 0} | set(self.adopted()), signal.SIGKILL)
        children = {abs(number) for number in self._live} | set(procfs.children(os.getpid())) - {shell}
        _send(children, signal.SIGTERM)
        _send(children if stopping.hurried else _wait(children), signal.SIGKILL)
        # The shell finds what left its group or its parent, and an agent that was being started just now.
        self._update_shell()
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            if not stopping.hurried:
                _wait({self._shell.pid})


def _mark_children() -> str:
    """Set the limit that this process's children inherit; its value, empty where there is none (see above)."""
    if sys.platform != "linux":
        return ""
    import resource  # missing on Windows

    mark = secrets.choice(_MARKS)
    try:
        resource.setrlimit(resource.RLIMIT_RSS, (mark, resource.getrlimit(resource.RLIMIT_RSS)[1]))
    except (OSError, ValueError):  # the user has a lower limit
        return ""
    return str(mark)


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
