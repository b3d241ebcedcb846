"""Errors of the suite itself outside of a case: one message on the terminal, the tracebacks in a file of the report."""

from __future__ import annotations

import contextlib
import sys
import traceback
from pathlib import Path

from nixio_reports.text import one_line

#: Name of the file with the tracebacks.
FILE = "suite-error.txt"
#: Most characters of an error on the terminal.
_LONGEST = 500
_ADVICE = "unless this host lacks what it names (memory, descriptors, space, permissions), please report it"


class OwnErrors:
    """The errors of one run."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is that of the report; a file that an earlier run has left there is removed."""
        self._path = folder / FILE if folder is not None else None
        self._printed = False
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def report(self, error: BaseException) -> None:
        """Add the error's traceback to the file; the first error is printed, because others follow from it."""
        self.report_text("".join(traceback.format_exception(error)))

    def report_text(self, trace: str, what: str = "the suite itself failed") -> None:
        """The same for an error of which only the traceback is left."""
        written = self._write(trace)
        if self._printed:
            return
        self._printed = True
        lines = [line.removeprefix("E ").strip() for line in trace.splitlines() if line.strip()]
        places = [line for line in lines if line.startswith("File ")]
        advice = f"{_ADVICE}: {self._path if written else ''.join(places[-1:])}"
        with contextlib.suppress(OSError, ValueError):
            print(f"{what}: {one_line(''.join(lines[-1:]), _LONGEST)}\n{advice}", file=sys.stderr, flush=True)

    def _write(self, trace: str) -> bool:
        if self._path is None:
            return False
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(trace.rstrip("\n") + "\n\n")
            return True
        return False
