"""How a process ended, and what a person should know of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from nixio_conformance.driver.limits import MIB, Limits

#: The part of a limit from which on it is told of: what fails at a limit asked for more than it had.
_NEAR = 0.75


def wait(process: subprocess.Popen[bytes], seconds: float | None = None) -> int | None:
    """Wait until it ended, at most that long: the most memory that it used in bytes (0 where unknown), else None.

    The exit status is in `process.returncode` afterwards.
    """
    if process.returncode is not None:
        return 0
    if sys.platform == "win32":
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return 0
    end = None if seconds is None else time.monotonic() + seconds
    pause = 0.0005
    while True:
        try:
            pid, status, used = os.wait4(process.pid, 0 if end is None else os.WNOHANG)
        except ChildProcessError:
            process.poll()  # somebody else waited for it
            return 0
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        if end is not None and time.monotonic() >= end:
            return None
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def told(status: int, memory: int, limits: Limits) -> str:
    """An exit status in words; `memory` is the most that the process had in bytes, 0 where that is not known."""
    return f"the agent {_status(status)}{near(memory, limits)}{_reason(status, limits)}"


def near(memory: int, limits: Limits) -> str:
    """That a process is near its limit of memory; empty when it is not."""
    if memory < limits.memory * MIB * _NEAR:
        return ""
    return f"; it used {memory // MIB} MiB of memory, and its limit is {limits.memory} MiB (--memory)"


def _status(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _reason(status: int, limits: Limits) -> str:
    if sys.platform != "win32" and status == -signal.SIGXFSZ:
        return f"; it wrote more than {limits.file} MiB to one file (standard error is one too)"
    return ""
