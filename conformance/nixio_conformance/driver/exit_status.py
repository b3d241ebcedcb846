"""Waits for an agent's process to end, and describes its exit status in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from nixio_conformance.driver.limits import MIB, Limits

#: If a process used at least this fraction of its memory limit, its message mentions the limit. The peak stays below
#: the limit, because it does not include the allocation that failed.
_NEAR_LIMIT = 0.75


def wait_for_exit(process: subprocess.Popen[bytes], seconds: float | None = None) -> int | None:
    """Wait at most `seconds` for a process to end (None: without a limit).

    Returns its peak memory in bytes (0 if unknown), or None if it still runs. The exit status is in
    `process.returncode`.
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
            pid, status, usage = os.wait4(process.pid, 0 if end is None else os.WNOHANG)
        except ChildProcessError:
            process.poll()  # another part of this process has waited for it already
            return 0
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        if end is not None and time.monotonic() >= end:
            return None
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def describe(status: int, memory: int, limits: Limits) -> str:
    """An exit status in words, with the limit that may explain it; `memory` is the peak in bytes, 0 if unknown."""
    return f"the agent {_status(status)}{memory_note(memory, limits)}{_file_limit_note(status, limits)}"


def memory_note(memory: int, limits: Limits) -> str:
    """A note for a process that came close to its memory limit; empty for any other."""
    if memory < limits.memory * MIB * _NEAR_LIMIT:
        return ""
    return f"; it used {memory // MIB} MiB of memory, and its limit is {limits.memory} MiB (--memory)"


def _status(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _file_limit_note(status: int, limits: Limits) -> str:
    if sys.platform != "win32" and status == -signal.SIGXFSZ:
        return f"; it wrote more than {limits.file} MiB to one file (standard error is one too)"
    return ""
