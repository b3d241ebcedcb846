"""The folder in which an agent starts, and which is removed with it.

An implementation that binds a socket to a wrong path or leaves temporary files leaves nothing where the user stands.
What the user means by a relative path must still be found: each name in the user's folder is a link in the agent's, and
paths that lead out of it are made absolute.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Sequence

from nixio_conformance.driver.removal import remove
from nixio_conformance.driver.temporary import make_folder

#: Variables that name the folder for temporary files, on POSIX systems and on Windows.
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
#: Variables with paths in which programs, libraries and modules are searched, and what separates the paths.
_SEARCHED = {
    "PATH": os.pathsep,
    "LD_LIBRARY_PATH": os.pathsep,
    "PYTHONPATH": os.pathsep,
    "LUA_PATH": ";",
    "LUA_CPATH": ";",
}


class Scratch:
    """The folder of one agent."""

    def __init__(self) -> None:
        """Make the folder. Raises OSError if that is impossible."""
        self._path = make_folder()
        #: The names that were there before the first case, and the folder's last change that was looked at.
        self._first: set[str] | None = None
        self._changed = -1
        try:
            os.chmod(self._path, 0o755)  # for an agent that sudo starts, whose command may be a path relative to this
            self._link_names()
        except OSError:
            self.remove()
            raise

    def _link_names(self) -> None:
        if sys.platform == "win32":  # links need a privilege: agents start where the user stands
            return
        names = []
        with contextlib.suppress(OSError):  # it is gone, or may not be read
            names = os.listdir()
        for name in names:
            os.symlink(os.path.abspath(name), os.path.join(self._path, name))

    @property
    def current_folder(self) -> str | None:
        """The folder to start the agent in; None for that of this process."""
        return None if sys.platform == "win32" else self._path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the agent's environment that differ from this process's."""
        searched = {name: absolute_paths(os.environ.get(name, ""), separator) for name, separator in _SEARCHED.items()}
        return dict.fromkeys(_TEMPORARY, self._path) | {name: value for name, value in searched.items() if value}

    def clear(self) -> None:
        """Before a case: remove the socket files that the last one has left, because the next might fail at them."""
        with contextlib.suppress(OSError):
            if os.stat(self._path).st_mtime_ns == self._changed:
                return
            names = set(os.listdir(self._path))
            self._first = names if self._first is None else self._first
            for path in (os.path.join(self._path, name) for name in names - self._first):
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    os.unlink(path)
            self._changed = os.stat(self._path).st_mtime_ns

    def remove(self) -> None:
        """Remove the folder."""
        remove(self._path)


def absolute_words(argv: Sequence[str]) -> list[str]:
    """A command line in which paths that lead out of the current folder, to something that exists, are absolute."""
    return [_absolute(word) if _leads_out(word) and os.path.exists(word) else word for word in argv]


def _leads_out(path: str) -> bool:
    return not os.path.isabs(path) and os.path.normpath(path).split(os.sep)[0] == os.pardir


def absolute_paths(text: str, separator: str) -> str:
    """A list of paths in which each relative one is absolute; an empty one has a meaning of its own, and stays."""
    return separator.join(_absolute(path) if path else "" for path in text.split(separator))


def _absolute(path: str) -> str:
    try:
        return os.path.join(os.getcwd(), path)
    except OSError:  # the current folder is gone
        return path
