"""An agent's standard error as a temporary file: a file neither blocks the agent nor takes memory, as a pipe would."""

from __future__ import annotations

import contextlib
import os
import tempfile

from nixio_conformance.driver import temporary

#: The last bytes of a case's standard error that a report shows: a crash is reported at the end.
KEPT = 4000


class StderrFile:
    """The file that an agent's standard error is redirected to; cleared after each case."""

    def __init__(self) -> None:
        """Create the file; `writer` is the descriptor for the agent."""
        temporary.ensure()
        self._reader, name = tempfile.mkstemp(prefix="nx-stderr-")
        # Append mode, so that the agent continues at the start after the file was truncated.
        self.writer = os.open(name, os.O_WRONLY | os.O_APPEND)
        with contextlib.suppress(OSError):  # Windows does not remove open files
            os.unlink(name)

    def size(self) -> int:
        """Bytes written since the last `clear`."""
        return os.fstat(self._reader).st_size

    def text(self) -> str:
        """The last `KEPT` bytes as text, preceded by the number of bytes left out."""
        if self._reader < 0:
            return ""
        dropped = max(self.size() - KEPT, 0)
        os.lseek(self._reader, dropped, os.SEEK_SET)
        end = os.read(self._reader, KEPT).decode("utf-8", "replace")
        return f"[{dropped} bytes before this are left out]\n{end}" if dropped else end

    def clear(self) -> None:
        """Truncate the file."""
        if self.size():
            os.ftruncate(self._reader, 0)

    def close(self) -> None:
        """Close both descriptors; may be called twice."""
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self.writer)
            self._reader = self.writer = -1
