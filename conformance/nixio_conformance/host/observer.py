"""The kernel's view of another process: its descriptors, sockets and children, without asking the process.

Linux only. A case that needs it names the capability `descriptors` or `kernel-view`, and is skipped elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nixio_conformance.driver import procfs
from nixio_conformance.driver.errors import out_of_resources

_PIDFD_GETFD = 438
_LARGEST_DESCRIPTOR = 2**31 - 1
_O_CLOEXEC = 0o2000000


class Hidden(Exception):
    """The kernel does not show a process: it has ended, has the rights of another user, or /proc is gone."""


def descriptors(pid: int) -> dict[int, str]:
    """The open descriptors of a process, each with its target in /proc: `socket:[4711]`, `/dev/null`.

    Raises `Hidden`, as all functions here do.
    """
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise _hidden(pid, error) from error
    for name in names:
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


def close_on_exec(pid: int, descriptor: int) -> bool | None:
    """Whether a descriptor of a process is close-on-exec: not inherited by programs that it starts later.

    None if the process has no such descriptor.
    """
    if descriptor not in descriptors(pid):
        return None
    try:
        lines = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines()
    except FileNotFoundError:
        return None  # closed in the meantime
    except OSError as error:
        raise _hidden(pid, error) from error
    flags = next((line.split()[1] for line in lines if line.startswith("flags:")), "0")
    return bool(int(flags, 8) & _O_CLOEXEC)


@contextmanager
def no_descriptor_left(pid: int) -> Iterator[None]:
    """Set RLIMIT_NOFILE of a process to its lowest free descriptor, so that it cannot open any in the `with` block."""
    import resource  # missing on some systems

    held = descriptors(pid)
    lowest = next(number for number in range(len(held) + 1) if number not in held)
    try:
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, hard))
    except OSError as error:
        raise _hidden(pid, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the process may have ended
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def borrowed(pid: int, descriptor: int) -> Iterator[socket.socket]:
    """A second descriptor for a socket of another process; options and state are shared by both.

    Raises `OSError` if it is not the descriptor of a socket.
    """
    number = _take(pid, descriptor)
    try:
        sock = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        raise
    with sock:
        yield sock


def _hidden(pid: int, error: OSError) -> Hidden | OSError:
    """The exception for a failure to look at a process: one that is the suite's own stays as it is."""
    return error if out_of_resources(error) else Hidden(f"process {pid}, the agent's, cannot be observed: {error}")


def _take(pid: int, descriptor: int) -> int:
    if not 0 <= descriptor <= _LARGEST_DESCRIPTOR:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if pid == os.getpid():
        return os.dup(descriptor)
    if not sys.platform.startswith("linux"):
        raise OSError("this system has no call that takes a descriptor of another process")
    try:
        handle = os.pidfd_open(pid)
    except OSError as error:
        raise _hidden(pid, error) from error
    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        taken: int = syscall(_PIDFD_GETFD, handle, descriptor, 0)
    finally:
        os.close(handle)
    if taken < 0:
        number = ctypes.get_errno()
        refused = OSError(number, os.strerror(number))
        if number in (errno.EPERM, errno.ESRCH):
            raise _hidden(pid, refused) from refused
        raise refused
    return taken
