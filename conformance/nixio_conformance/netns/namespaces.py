"""Linux namespaces: private users, networks, mounts, host names and IPC objects for this process and its children.

Nothing needs to be undone: the kernel removes a namespace when the last process in it has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
#: Where the C library keeps POSIX shared memory and named semaphores, and where POSIX message queues can be listed.
_SHARED_MEMORY, _MESSAGE_QUEUES = Path("/dev/shm"), Path("/dev/mqueue")


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
    _unshare_with_mounts(_NEWNET, "CLONE_NEWNET | ")


def _unshare_with_mounts(flags: int = 0, names: str = "") -> None:
    _check(_libc().unshare(flags | _NEWNS), f"unshare({names}CLONE_NEWNS)")
    _check(_libc().mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount(/, MS_PRIVATE)")


def isolate(shared_memory: bool = True) -> None:
    """Give this thread and its children a host name, IPC objects and mounts of their own, each if the kernel permits.

    What an implementation changes or leaves there is gone with the run. `shared_memory` includes the files in /dev/shm,
    unless this process uses a path in it: for its temporary files, its report, its code.
    """
    if not sys.platform.startswith("linux"):
        return
    steps = [_separate_host_name, _separate_ipc]
    for step in (*steps, _separate_shared_memory) if shared_memory else steps:
        with contextlib.suppress(OSError):
            step()


def _separate_host_name() -> None:
    _check(_libc().unshare(_NEWUTS), "unshare(CLONE_NEWUTS)")


def _separate_ipc() -> None:
    _unshare_with_mounts(_NEWIPC, "CLONE_NEWIPC | ")
    if _MESSAGE_QUEUES.is_dir():
        _mount("mqueue", _MESSAGE_QUEUES)


def _separate_shared_memory() -> None:
    if _SHARED_MEMORY.is_dir() and not _uses(_SHARED_MEMORY):
        _unshare_with_mounts()
        cover_with_nothing(_SHARED_MEMORY)


def _uses(folder: Path) -> bool:
    """Whether anything that this process was started with mentions a folder, or its own folders are in it."""
    own = [os.path.realpath(path) for path in (os.getcwd(), tempfile.gettempdir())]
    return any(str(folder) in text for text in (*own, *sys.argv, *sys.path, *os.environ.values()))


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
    _mount("tmpfs", path)


def _mount(kind: str, path: Path) -> None:
    _check(_libc().mount(b"none", bytes(path), kind.encode(), 0, None), f"mount({kind} over {path})")


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
