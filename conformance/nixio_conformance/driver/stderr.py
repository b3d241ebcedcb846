"""An agent's standard error: a file, so that an agent that writes a lot is neither held up nor kept in memory."""

from __future__ import annotations

import contextlib
import os
import tempfile

#: Bytes of a case's standard error that a report shows: its end, where a crash tells of itself.
KEPT = 4000


class Stderr:
    """What an agent writes to standard error, from one case to the next."""

    def __init__(self) -> None:
        """Make the file; `writer` is the descriptor that the agent gets."""
        self._reader, name = tempfile.mkstemp(prefix="nx-stderr-")
        # Appending, so that it can be cut short while the agent holds it.
        self.writer = os.open(name, os.O_WRONLY | os.O_APPEND)
        with contextlib.suppress(OSError):  # Windows keeps it until it is closed
            os.unlink(name)

    def size(self) -> int:
        """Bytes of it since it was last forgotten."""
        return os.fstat(self._reader).st_size

    def text(self) -> str:
        """The end of it, and how much there was before that."""
        if self._reader < 0:
            return ""
        dropped = max(self.size() - KEPT, 0)
        os.lseek(self._reader, dropped, os.SEEK_SET)
        end = os.read(self._reader, KEPT).decode("utf-8", "replace")
        return f"[{dropped} bytes before this are left out]\n{end}" if dropped else end

    def forget(self) -> None:
        """Start again with nothing."""
        if self.size():
            os.ftruncate(self._reader, 0)

    def close(self) -> None:
        """Give the file up; safe to call twice."""
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self.writer)
            self._reader = self.writer = -1
