"""Linux namespaces: a private user, network and mount space for this process and what it starts.

Everything here is undone by the end of the process: the kernel takes a namespace away with the last that is in it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEWNS, _NEWUSER, _NEWNET = 0x00020000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_user() -> None:
    """Become root of a user namespace of our own. Only a process with one thread may.

    Files made from now on still belong to the user outside.
    """
    user, group = os.geteuid(), os.getegid()
    _check(_libc().unshare(_NEWUSER), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def enter_network_and_mount() -> None:
    """Move this thread, and what it starts, to an empty network and to mounts that nobody else sees."""
    _check(_libc().unshare(_NEWNET | _NEWNS), "unshare(CLONE_NEWNET | CLONE_NEWNS)")
    _check(_libc().mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount(/, MS_PRIVATE)")


def cover(path: Path, by: Path) -> None:
    """Have `path` show the file `by` to this process and what it starts."""
    libc = _libc()
    result = libc.mount(bytes(by), bytes(path), None, _MS_BIND, None)
    if result != 0 and ctypes.get_errno() == errno.ENOENT:
        # The lab of the process that started this one covers it by a file that has been removed: nothing can be put
        # over that, only in its place.
        libc.umount2(bytes(path), _MNT_DETACH)
        result = libc.mount(bytes(by), bytes(path), None, _MS_BIND, None)
    _check(result, f"mount({by} over {path})")


def cover_with_nothing(path: Path) -> None:
    """Have a folder be empty for this process and what it starts."""
    _check(_libc().mount(b"none", bytes(path), b"tmpfs", 0, None), f"mount(tmpfs over {path})")


def threads() -> int:
    """How many threads the process has, Python's and others."""
    return len(os.listdir("/proc/self/task"))


class Network:
    """A network namespace, held by a descriptor."""

    def __init__(self) -> None:
        """Make a new one that nothing is in."""
        home = _own_network()
        try:
            _check(_libc().unshare(_NEWNET), "unshare(CLONE_NEWNET)")
            self.descriptor = _own_network()
        finally:
            _enter(home)
            os.close(home)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it: sockets that this thread makes meanwhile stay there."""
        home = _own_network()
        _enter(self.descriptor)
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def socket(self, family: socket.AddressFamily, type_: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """A socket that lives there."""
        with self.entered():
            return socket.socket(family, type_, protocol)

    def close(self) -> None:
        """Let go of it; it goes away with the last socket in it."""
        os.close(self.descriptor)


def _own_network() -> int:
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int) -> None:
    _check(_libc().setns(descriptor, _NEWNET), "setns(CLONE_NEWNET)")
