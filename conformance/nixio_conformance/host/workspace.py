"""The folder that the socket files of a run are in."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder of the run's own whose path is short enough for a UNIX address, removed in the end."""
    base = "/tmp" if sys.platform == "darwin" else None  # macOS's own temporary folder leaves no room in sun_path
    with tempfile.TemporaryDirectory(prefix="nx", dir=base, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
