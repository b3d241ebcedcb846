"""The folder of a run: where it is made, and the lock in it that shows whether the run is alive.

The process that made the folder holds a lock (flock) on a file in it. The kernel releases the lock when that process
ends, however it ends. A folder whose lock is free was therefore left by a run that was killed.
"""

from __future__ import annotations

import contextlib
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from nixio_conformance.driver.removal import remove

T = TypeVar("T")

#: Environment variable of each process that a run starts: the path of the run's folder.
MARK = "NIXIO_CONFORMANCE_RUN"
#: The beginning of the folder's name.
PREFIX = "nx-"
#: The most bytes of a path of a folder with socket files. With a file's name (24 bytes, with the endings that checks
#: add) it then fits into the shortest `sun_path`, which holds 103 bytes.
LONGEST_FOLDER = 79
#: The same for a base: the name of the run's folder in it has 12 bytes, and that of a case's folder 9.
LONGEST_BASE = LONGEST_FOLDER - 21
_LOCK = "lock"
_ROUNDS = 3
_FIRST_LINE = "temporary folder of nixio-conformance"
#: Most bytes of the lock's file.
_LONGEST = 20_000


@dataclass(frozen=True)
class RunFolder:
    """A folder that this process has made, or in a worker that of the process that started it."""

    path: str
    #: The descriptor that holds the lock; -1 in a worker.
    descriptor: int
    _identity: tuple[int, ...]

    @classmethod
    def make(cls) -> RunFolder:
        """A new folder in the first base that takes one. Raises OSError, with a text for the user, if none does."""
        return in_first_base(cls._make_in)

    @classmethod
    def _make_in(cls, base: str) -> RunFolder:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=base)
        try:
            return cls(folder, _make_lock(folder), _identity(folder))
        except OSError:
            remove(folder)
            raise

    @classmethod
    def of(cls, path: str) -> RunFolder:
        """In a worker: the folder of the process that started it. Raises OSError if it does not exist here."""
        return cls(path, -1, _identity(path))

    def usable(self) -> bool:
        """Whether it is still the same folder, with its lock in it. Permissions are restored."""
        try:
            if _identity(self.path) != self._identity:
                return False
            os.chmod(self.path, 0o700)
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Remove the folder, unless another process has made it, and end the lock."""
        if self.descriptor < 0:
            return
        # A process that is being killed may still write while the folder is removed.
        any(remove(self.path, last=_LOCK) for _ in range(_ROUNDS))
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def bases() -> list[str]:
    """The folders in which a run's folder may be made, in the order in which they are tried: short paths first."""
    named = [os.path.abspath(path) for name in ("TMPDIR", "TEMP", "TMP") if (path := os.environ.get(name))]
    if sys.platform == "win32":
        usual = [tempfile.gettempdir()]
    else:
        usual = ["/tmp", "/var/tmp", "/dev/shm"]
    with contextlib.suppress(OSError):
        usual.append(os.getcwd())
    return sorted(dict.fromkeys([*named, *usual]), key=lambda base: len(os.fsencode(base)) > LONGEST_BASE)


def in_first_base(make: Callable[[str], T]) -> T:
    """What `make` returns for the first base for which it raises no OSError. Raises OSError if it does for all."""
    reasons = []
    for base in bases():
        try:
            return make(base)
        except OSError as error:
            reasons.append(f"{base} ({error.strerror})")
    raise OSError(f"no folder takes temporary files: {', '.join(reasons)}; set TMPDIR to one that can be written to")


def dead() -> Iterator[RunFolder]:
    """The folders that killed runs of this user have left. Their locks are held until they are removed."""
    for base in bases() if sys.platform != "win32" else ():
        found = []
        with contextlib.suppress(OSError), os.scandir(base) as entries:
            found = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
        for path in found:
            with contextlib.suppress(OSError):
                yield _take(path)


def _identity(folder: str) -> tuple[int, ...]:
    """What distinguishes a folder and its lock from others at the same path. Raises OSError if either is missing."""
    found, lock = os.lstat(folder), os.lstat(os.path.join(folder, _LOCK))
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(folder)
    return found.st_dev, found.st_ino, lock.st_ino


def _make_lock(folder: str) -> int:
    """Make the lock's file, and return the descriptor that holds the lock. The file has it from the beginning on."""
    draft, final = os.path.join(folder, f".{_LOCK}"), os.path.join(folder, _LOCK)
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, _text(folder, descriptor))
    with contextlib.suppress(ImportError, OSError):  # on some network file systems; then it never counts as dead
        import fcntl  # missing on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.rename(draft, final)
    return descriptor


def _take(folder: str) -> RunFolder:
    """Take the lock of a dead run's folder. Raises OSError if it is another user's, a live run's or of no run."""
    import fcntl

    identity = _identity(folder)
    if os.lstat(folder).st_uid != os.geteuid():
        raise PermissionError(folder)
    descriptor = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have removed the folder, and one that looks like it is none.
        if _identity(folder) != identity or os.read(descriptor, _LONGEST) != _text(folder, descriptor):
            raise FileNotFoundError(folder)
    except OSError:
        os.close(descriptor)
        raise
    return RunFolder(folder, descriptor, identity)


def _text(folder: str, descriptor: int) -> bytes:
    """What stands in the lock's file: a copy of the folder, or a folder from another machine, has another text."""
    number = os.fstat(descriptor).st_ino
    return f"{_FIRST_LINE}\n{os.path.basename(folder)}\n{number}\n{platform.node()}\n".encode(errors="surrogateescape")
