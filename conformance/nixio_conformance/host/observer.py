"""The kernel's view of another process: its descriptors, sockets and children, without asking the process.

Linux only. A case that needs it names the capability `descriptors` or `kernel-view`, and is skipped elsewhere.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nixio_conformance.driver import procfs

_PIDFD_GETFD = 438
_O_CLOEXEC = 0o2000000


def descriptors(pid: int) -> dict[int, str]:
    """The open descriptors of a process, each with its target in /proc: `socket:[4711]`, `/dev/null`."""
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    for name in os.listdir(folder):
        try:
            found[int(name)] = os.readlink(f"{folder}/{name}")
        except OSError:
            continue  # closed in the meantime, or the descriptor of this listing
    return found


def sockets(pid: int) -> set[str]:
    """The sockets that a process holds, as /proc names them: `socket:[4711]`."""
    return {target for target in descriptors(pid).values() if target.startswith("socket:")}


def belongings(pid: int) -> set[str]:
    """Everything that a process holds, as unique texts: sockets, other descriptors, child processes."""
    found = {
        target if target.startswith("socket:") else f"descriptor {number}, {target}"
        for number, target in descriptors(pid).items()
    }
    return found | {f"child process {child}" for child in procfs.children(pid)}


def close_on_exec(pid: int, descriptor: int) -> bool:
    """Whether a descriptor of a process is close-on-exec: not inherited by programs that it starts later."""
    for line in Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("flags:"):
            return bool(int(line.split()[1], 8) & _O_CLOEXEC)
    raise OSError(f"no flags for descriptor {descriptor} of process {pid}")


@contextmanager
def no_descriptor_left(pid: int) -> Iterator[None]:
    """Set RLIMIT_NOFILE of a process to its lowest free descriptor, so that it cannot open any in the `with` block."""
    import resource  # missing on some systems

    held = descriptors(pid)
    lowest = next(number for number in range(len(held) + 1) if number not in held)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def borrowed(pid: int, descriptor: int) -> Iterator[socket.socket]:
    """A second descriptor for a socket of another process; options and state are shared by both."""
    sock = socket.socket(fileno=_take(pid, descriptor))
    try:
        yield sock
    finally:
        sock.close()


def _take(pid: int, descriptor: int) -> int:
    if pid == os.getpid():
        return os.dup(descriptor)
    if not sys.platform.startswith("linux"):
        raise OSError("this system has no call that takes a descriptor of another process")
    handle = os.pidfd_open(pid)
    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        taken: int = syscall(_PIDFD_GETFD, handle, descriptor, 0)
    finally:
        os.close(handle)
    if taken < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return taken
