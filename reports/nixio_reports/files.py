"""Opens files that a user names. They may be anything: a pipe that never ends, a device, text in another encoding."""

from __future__ import annotations

import codecs
import os
import stat
from io import BufferedReader
from pathlib import Path

from .text import one_line

#: The first bytes of files that are often given by mistake, what they are, and what to do.
_SIGNATURES = (
    (b"\x1f\x8b", "is compressed with gzip: decompress it first"),
    (b"BZh", "is compressed with bzip2: decompress it first"),
    (b"\xfd7zXZ", "is compressed with xz: decompress it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: decompress it first"),
    (b"PK\x03\x04", "is a zip archive: extract the file from it first"),
    (codecs.BOM_UTF16_LE, "is UTF-16 or UTF-32 text: save it as UTF-8"),
    (codecs.BOM_UTF16_BE, "is UTF-16 or UTF-32 text: save it as UTF-8"),
)
_TYPES = (
    (stat.S_ISDIR, "is a directory: name the file in it"),
    (stat.S_ISFIFO, "is a pipe: copy its data to a file first"),
    (stat.S_ISSOCK, "is a socket: name a file"),
    (stat.S_ISCHR, "is a device: name a file"),
    (stat.S_ISBLK, "is a device: name a file"),
)


class FileError(ValueError):
    """A file that cannot be used; the text is one line that names the file, what is wrong, and how to fix it."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text, 2000))


def open_file(path: str | Path) -> BufferedReader:
    """Open a regular file for reading in binary, after a byte order mark of UTF-8.

    Raises `FileError` for everything else, without waiting for it.
    """
    if str(path) == "-":
        raise FileError("standard input cannot be read here: copy its data to a file first")
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise FileError(f"{path} {next((what for test, what in _TYPES if test(mode)), 'is not a file')}")
        file = Path(path).open("rb")  # noqa: SIM115, returned
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        start = file.peek(8)
        for signature, what in _SIGNATURES:
            if start.startswith(signature):
                raise FileError(f"{path} {what}")
        if b"\0" in start[:2]:  # the first character of every file of ours is ASCII
            raise FileError(f"{path} is UTF-16 text, or no text at all: it must be UTF-8")
        if start.startswith(codecs.BOM_UTF8):
            file.seek(len(codecs.BOM_UTF8))
    except OSError as error:
        file.close()
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    except FileError:
        file.close()
        raise
    return file
