"""Paths for UNIX sockets: with special lengths and characters, and paths where a file or socket exists."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nixio_conformance.host import platforms
from nixio_conformance.toolkit.case import Case

#: Names of the paths that `named` makes, as case ids have them.
NAMES = ("short", "longest-2", "longest-1", "longest", "spaces", "letters")
_ENDINGS = {"short": "s", "spaces": " a:b%20 "}


def named(case: Case, name: str) -> str:
    """A new path by its name: of the longest allowed length or one or two bytes less, or with special characters."""
    if name == "letters":
        return with_letters(case)
    if name in _ENDINGS:
        return case.path() + _ENDINGS[name]
    longest = platforms.this_platform().unix_path
    return case.path(longest - 1 + int(name.removeprefix("longest") or 0)) + "!"


def with_letters(case: Case) -> str:
    """A new path with letters outside of ASCII. Skips the case if they are not UTF-8 in this locale."""
    if (encoding := sys.getfilesystemencoding()) != "utf-8":
        pytest.skip(f"file names are {encoding} and not UTF-8 in the locale of this run")
    return case.path() + "-Grün"


def existing(case: Case, what: str) -> str:
    """A path where something exists: a plain "file", a "folder", a "socket" that is open, or a "stale-socket"."""
    if what == "folder":
        return case.folder
    if what == "file":
        path = case.path()
        Path(path).write_text("mine")
        return path
    peer = case.destination()
    path = str(peer.address[0])
    if what == "stale-socket":
        peer.close()
    return path


def fingerprint(path: str) -> tuple[int, int, int] | None:
    """Inode, mode and size of the file at a path; None if there is none."""
    if not Path(path).exists():
        return None
    found = Path(path).stat()
    return found.st_ino, found.st_mode, found.st_size
