"""The lock of a result stream, so that two runs do not write into one folder.

It is a file beside the stream with the process id of the run in it. The system keeps it locked for as long as the run
lives: what a killed run leaves is not locked, and the next run takes it over.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

#: Seconds for which a lock is tried: `writer_of` holds it for a moment.
_TIMEOUT = 0.2
#: The byte that is locked on Windows, where a locked byte cannot be read: the process id is in front of it.
_BYTE = 1 << 20
#: The open files of the locks that this process holds.
_held: dict[Path, int] = {}


class StreamInUse(Exception):
    """Another run is writing the stream; the text is one line for the user."""


@contextlib.contextmanager
def locked(stream: str | Path) -> Iterator[None]:
    """Hold the lock of a stream, in a folder that exists. A part of the process that holds it already may enter too.

    Raises `StreamInUse`, and OSError if the folder cannot be written.
    """
    path = _path(stream)
    if path in _held:
        yield
        return
    _held[path] = _acquire(path)
    try:
        yield
    finally:
        release(stream)


def release(stream: str | Path) -> None:
    """Release the lock; if this process does not hold it, do nothing."""
    file = _held.pop(_path(stream), -1)
    if file < 0:
        return
    with contextlib.suppress(OSError):  # Windows does not delete an open file; the next run takes it over
        _path(stream).unlink()
    os.close(file)


def writer_of(stream: str | Path) -> int | None:
    """The process id of another process that is writing the stream, 0 if it is unknown; None if there is none."""
    path = _path(stream)
    if path in _held:
        return None
    try:
        file = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return None if _lock(file, shared=True) else _pid(file)
    finally:
        os.close(file)


def remove_free(stream: str | Path) -> None:
    """Remove the lock that a killed run has left, if there is one."""
    if _path(stream).exists():
        with contextlib.suppress(StreamInUse, OSError), locked(stream):
            pass


def _path(stream: str | Path) -> Path:
    path = Path(stream).absolute()
    return path.with_name(f"{path.name}.lock")


def _acquire(path: Path) -> int:
    """The open and locked file; the one that has this name, because the run before may have just deleted it."""
    end = time.monotonic() + _TIMEOUT
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if _lock(file):
                if os.path.samestat(os.fstat(file), os.stat(path)):
                    _write_pid(file, path)
                    return file
            elif time.monotonic() > end:
                raise StreamInUse(_message(path, _pid(file)))
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        time.sleep(0.01)


def _write_pid(file: int, path: Path) -> None:
    try:
        os.ftruncate(file, 0)
        os.write(file, b"%d\n" % os.getpid())
    except OSError:  # the disk is full: no run begins
        path.unlink(missing_ok=True)
        raise


def _message(path: Path, pid: int) -> str:
    run = f"another run, process {pid}" if pid else "another run"
    return f"{path.parent} is in use by {run}: wait for its end, or name another folder with --report ({path.name})"


def _lock(file: int, *, shared: bool = False) -> bool:
    """Lock an open file if no other process has locked it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(file, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return not is_running(_pid(file))
    return True


def _pid(file: int) -> int:
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, 20)
    return int(text) if text.strip().isdigit() else 0


def is_running(pid: int) -> bool:
    """Whether another process with this id runs; 0 stands for none. Not on Windows."""
    if pid in (0, os.getpid()):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
