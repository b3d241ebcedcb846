"""Linux namespaces: private users, networks and mounts for this process and its children.

Nothing needs to be undone: the kernel removes a namespace when the last process in it has ended.
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
    """Become root of a new user namespace. Raises OSError when refused, as for a process with several threads.

    Files that are created later still belong to the user outside.
    """
    user, group = os.geteuid(), os.getegid()
    _check(_libc().unshare(_NEWUSER), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def enter_network_and_mount() -> None:
    """Move this thread and its children to an empty network and to private mounts. Raises OSError when refused."""
    _check(_libc().unshare(_NEWNET | _NEWNS), "unshare(CLONE_NEWNET | CLONE_NEWNS)")
    _check(_libc().mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount(/, MS_PRIVATE)")


def cover(path: Path, by: Path) -> None:
    """Bind-mount the file `by` over `path` for this process and its children. Raises OSError when refused."""
    libc = _libc()
    result = libc.mount(bytes(by), bytes(path), None, _MS_BIND, None)
    if result != 0 and ctypes.get_errno() == errno.ENOENT:
        # The parent process is in a hermetic network too, and the file that it mounted here has been removed since.
        # Linux does not mount over a removed file, so that mount has to go first.
        libc.umount2(bytes(path), _MNT_DETACH)
        result = libc.mount(bytes(by), bytes(path), None, _MS_BIND, None)
    _check(result, f"mount({by} over {path})")


def cover_with_nothing(path: Path) -> None:
    """Mount an empty file system over a folder, for this process and its children. Raises OSError when refused."""
    _check(_libc().mount(b"none", bytes(path), b"tmpfs", 0, None), f"mount(tmpfs over {path})")


def cover_with_layer(path: Path, scratch: Path) -> None:
    """Let this process and its children create and remove files of a folder, which stays as it is for all others.

    `scratch` is an empty folder. Raises OSError when refused.
    """
    libc = _libc()
    cover_with_nothing(scratch)
    try:
        for name in ("upper", "work"):
            (scratch / name).mkdir()
        options = f"lowerdir={path},upperdir={scratch}/upper,workdir={scratch}/work"
        result = libc.mount(b"overlay", bytes(path), b"overlay", 0, f"{options},userxattr".encode())
        if result != 0:  # a kernel before 5.11
            result = libc.mount(b"overlay", bytes(path), b"overlay", 0, options.encode())
        _check(result, f"mount(overlay over {path})")
    finally:
        libc.umount2(bytes(scratch), _MNT_DETACH)


def threads() -> int:
    """The number of threads of this process, whether Python or a library started them."""
    return len(os.listdir("/proc/self/task"))


class NetworkNamespace:
    """A network namespace other than this thread's, kept alive by a descriptor."""

    def __init__(self) -> None:
        """Create an empty one; this thread stays where it is."""
        home = _own_network()
        try:
            _check(_libc().unshare(_NEWNET), "unshare(CLONE_NEWNET)")
            self.descriptor = _own_network()
        finally:
            _enter(home)
            os.close(home)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Move this thread there for the body of a `with`; sockets that it creates in it stay there afterwards."""
        home = _own_network()
        _enter(self.descriptor)
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def socket(self, family: socket.AddressFamily, type_: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """Create a socket in it."""
        with self.entered():
            return socket.socket(family, type_, protocol)

    def close(self) -> None:
        """Close the descriptor; the namespace ends with its last socket."""
        os.close(self.descriptor)


def _own_network() -> int:
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int) -> None:
    _check(_libc().setns(descriptor, _NEWNET), "setns(CLONE_NEWNET)")
