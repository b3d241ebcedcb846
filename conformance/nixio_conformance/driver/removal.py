"""Removes a folder whatever an implementation has put into it, and nothing outside of it.

`shutil.rmtree` is not enough: it fails at deep nesting, at folders without permissions and at immutable files, and it
deletes what is mounted inside of the folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

#: Elsewhere (Windows) no file is named relative to an open folder.
_BY_DESCRIPTOR = os.unlink in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
#: Linux: FS_IOC_GETFLAGS and FS_IOC_SETFLAGS, and the flags of a file that may not be changed or only be appended to.
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_FIXED = 0x10 | 0x20
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8


def remove(folder: str | Path, last: str = "") -> bool:
    """Remove a folder, or whatever has taken its place; returns whether it is gone.

    `last` is the name of a file that is removed after everything else. Symbolic links are removed and not followed.
    What is mounted in the folder is detached; where that is not allowed it stays, and the folder with it.
    """
    if not _BY_DESCRIPTOR:
        shutil.rmtree(folder, ignore_errors=True)
        return not os.path.lexists(folder)
    with (
        contextlib.suppress(OSError),
        _opened(os.open(os.path.dirname(folder) or ".", os.O_RDONLY | os.O_DIRECTORY)) as parent,
    ):
        _remove(parent, os.path.basename(folder), last)
    return not os.path.lexists(folder)


def _remove(parent: int, name: str, last: str) -> None:
    if _unlink(parent, name):
        return
    with _opened(_open(parent, name)) as top:
        _empty(top, last)
        if os.listdir(top) == [last]:
            _empty(top, "")
    _unlink(parent, name)


def _empty(top: int, last: str) -> None:
    """Remove what is in a folder.

    The folders in a folder are moved up to `top` before it is removed, so that no depth needs recursion, long paths or
    many descriptors. Each folder is listed once: an implementation that adds files does not keep this busy.
    """
    waiting = [name for name in os.listdir(top) if name != last]
    while waiting:
        name = waiting.pop()
        with contextlib.suppress(OSError):
            if not _unlink(top, name):
                with _opened(_open(top, name)) as inner:
                    _move_up(top, inner, waiting)
                _unlink(top, name)


def _move_up(top: int, inner: int, moved: list[str]) -> None:
    """Remove the files in a folder, move the folders in it to `top`, and add their new names to `moved`."""
    for name in os.listdir(inner):
        with contextlib.suppress(OSError):
            if not _unlink(inner, name):
                os.close(_open(inner, name))  # a folder is moved only if it may be changed itself
                fresh = secrets.token_hex(8)
                os.rename(name, fresh, src_dir_fd=inner, dst_dir_fd=top)
                moved.append(fresh)


def _unlink(parent: int, name: str) -> bool:
    """Remove a file or an empty folder; False for a folder that is not empty or may not be removed."""
    for call in (os.unlink, os.rmdir):
        try:
            call(name, dir_fd=parent)
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno == errno.EBUSY:
                _unmount(parent, name)
                return _unlink(parent, name)
        else:
            return True
    if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        return False
    with _opened(os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=parent)) as file:
        _clear_flags(file)
    os.unlink(name, dir_fd=parent)
    return True


def _open(parent: int, name: str) -> int:
    """A descriptor of a folder in which files can then be removed. Not of a link, which O_NOFOLLOW refuses."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        found = os.open(name, flags, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        found = os.open(name, flags, dir_fd=parent)
    _clear_flags(found)
    os.fchmod(found, 0o700)
    return found


@contextlib.contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unmount(parent: int, name: str) -> None:
    """Detach what is mounted at a name, and leave it as it is. Raises OSError if that is impossible."""
    if sys.platform != "linux":
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    import ctypes

    # Through the folder's descriptor: its own path may be too long, or be another folder's by now.
    path = os.fsencode(f"/proc/self/fd/{parent}/{name}")
    if ctypes.CDLL(None, use_errno=True).umount2(path, _MNT_DETACH | _UMOUNT_NOFOLLOW):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _clear_flags(found: int) -> None:
    if sys.platform != "linux":
        return
    import fcntl  # missing on Windows

    with contextlib.suppress(OSError):
        (flags,) = struct.unpack("l", fcntl.ioctl(found, _GET_FLAGS, bytes(struct.calcsize("l"))))
        if flags & _FIXED:
            fcntl.ioctl(found, _SET_FLAGS, struct.pack("l", flags & ~_FIXED))
