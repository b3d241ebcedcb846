"""Standard output and standard error of the command line, and what happens when they can no longer be written.

A terminal is closed, the reader of a pipe ends, a disk is full, or there is no standard output at all. No command ends
because of that, and none fails in the middle: what cannot be written is discarded, and the end of the command says so.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from typing import IO, Any, TextIO

from nixio_conformance.driver.stopping import Stage, stopping

#: The exit code of a command that does nothing but print, and could not.
NOT_PRINTED = 3
_SHOW_CURSOR = b"\x1b[?25h"


class Output:
    """Standard output or standard error, as the process was started with it."""

    def __init__(self, number: int) -> None:
        """`number` is the descriptor: 1 or 2."""
        self.number = number
        #: Where it is written, also while pytest has put another file in its place; -1 if there is none.
        self.descriptor = -1
        #: Why it can no longer be written.
        self.lost: OSError | None = None
        #: Whether success is to have printed everything. Other commands have a verdict, and a run writes a report.
        self.needed = True
        #: Whether a stream of this object has taken the place of Python's.
        self.taken = False
        self._encoding = "utf-8"

    def take(self, usual: TextIO | None) -> TextIO:
        """Return a stream that replaces the usual one of Python, which is None if the descriptor is closed."""
        if usual is None:
            self.taken = True
            return self.open()
        usual.flush()
        self._encoding = usual.encoding
        if sys.platform == "win32" and usual.isatty():
            return usual  # a console is not written as a file is
        self.taken = True
        with contextlib.suppress(OSError):
            self.descriptor = os.dup(self.number)
        return self.open(line_buffering=self.number == 2 or usual.isatty())

    def open(self, *, line_buffering: bool = False) -> TextIO:
        """A new stream. It may be used where another one was interrupted in the middle of a write."""
        # What the encoding does not have is escaped: a character in a message must not end a command.
        buffer = io.BufferedWriter(_Raw(self))
        return io.TextIOWrapper(
            buffer, encoding=self._encoding, errors="backslashreplace", line_buffering=line_buffering
        )

    def show_cursor(self) -> None:
        """Show a terminal's cursor: a progress bar may have hidden it."""
        with contextlib.suppress(OSError):
            if os.isatty(self.descriptor):
                os.write(self.descriptor, _SHOW_CURSOR)


class _Raw(io.RawIOBase):
    """Writes to an output until that fails, and discards the rest."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._output.number

    def isatty(self) -> bool:
        return os.isatty(self._output.descriptor)

    def write(self, data: Any, /) -> int:
        """Write some bytes; returns their number."""
        while self._output.lost is None:
            try:
                return os.write(self._output.descriptor, data)
            except BlockingIOError:  # a pipe that another process has made non-blocking: wait as usual
                select.select([], [self._output.descriptor], [])
            except OSError as error:
                self._output.lost = error
        return len(data)


#: Of this process.
stdout = Output(1)
stderr = Output(2)


def take_over() -> None:
    """Write through `stdout` and `stderr` from now on. In a process that was started without one, nothing is lost."""
    _fill_gaps()
    sys.stdout = stdout.take(sys.stdout)
    sys.stderr = stderr.take(sys.stderr)
    stopping.add(Stage.FILES, stdout.show_cursor)


def standard_output() -> IO[str]:
    """Standard output, also while another file has taken its place."""
    return stdout.open() if stdout.taken else sys.stdout


def exit_code(code: str | int | None) -> str | int | None:
    """The exit code of the process, for that of its command. Reports that standard output was lost.

    A reader that wanted no more, as `head`, is not a failure.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    lost = stdout.lost
    if lost is None or lost.errno == errno.EPIPE:
        return code
    reason = "it is closed" if stdout.descriptor < 0 else lost.strerror
    print(f"standard output cannot be written: {reason}; redirect it to a file or a pipe", file=sys.stderr, flush=True)
    return code or (NOT_PRINTED if stdout.needed else 0)


def _fill_gaps() -> None:
    """Open what is closed of descriptors 0, 1 and 2, so that no other file gets such a number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
