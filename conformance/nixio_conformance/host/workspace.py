"""The folder for the socket files of a run."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder whose path is short enough for a UNIX address; removed at the end."""
    base = "/tmp" if sys.platform == "darwin" else None  # macOS: the path of $TMPDIR alone almost fills sun_path
    with tempfile.TemporaryDirectory(prefix="nx", dir=base, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
