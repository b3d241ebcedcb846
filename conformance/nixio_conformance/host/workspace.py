"""The folder for the socket files of a run."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nixio_conformance.driver.temporary import BASE


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A temporary folder whose path is short enough for a UNIX address; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="nx", dir=BASE, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
