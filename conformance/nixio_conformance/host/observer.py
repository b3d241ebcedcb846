"""What the system itself says of the port's sockets, without asking the port.

Linux only; a case that needs it names the capability `descriptors` or `kernel-view`, and is skipped elsewhere.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIDFD_GETFD = 438
_O_CLOEXEC = 0o2000000


def descriptors(pid: int) -> dict[int, str]:
    """The open descriptors of a process, and what each is (`socket:[4711]`)."""
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    for name in os.listdir(folder):
        try:
            found[int(name)] = os.readlink(f"{folder}/{name}")
        except OSError:
            continue  # closed in the meantime, or the listing's own
    return found


def sockets(pid: int) -> set[str]:
    """The sockets that a process holds, as the system names them."""
    return {target for target in descriptors(pid).values() if target.startswith("socket:")}


def belongings(pid: int) -> set[str]:
    """What a process holds, each with a name of its own: sockets, other descriptors, child processes."""
    found = {
        target if target.startswith("socket:") else f"descriptor {number}, {target}"
        for number, target in descriptors(pid).items()
    }
    return found | {f"child process {child}" for child in children(pid)}


def children(pid: int) -> list[int]:
    """The processes that a process started and that have not ended, or that it has not waited for."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []  # a kernel without this list


def close_on_exec(pid: int, descriptor: int) -> bool:
    """Whether programs that the process starts later would not inherit the descriptor."""
    for line in Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("flags:"):
            return bool(int(line.split()[1], 8) & _O_CLOEXEC)
    raise OSError(f"no flags for descriptor {descriptor} of process {pid}")


@contextmanager
def no_descriptor_left(pid: int) -> Iterator[None]:
    """Have a process be unable to open anything, by a limit at the lowest number that it does not use."""
    import resource  # not on every system

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
    """A second descriptor for a socket of another process: what is set here is set there, and the other way round."""
    sock = socket.socket(fileno=_take(pid, descriptor))
    try:
        yield sock
    finally:
        sock.close()


def _take(pid: int, descriptor: int) -> int:
    if pid == os.getpid():
        return os.dup(descriptor)
    if not sys.platform.startswith("linux"):
        raise OSError("descriptors of another process cannot be had on this system")
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
