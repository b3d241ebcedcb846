"""One folder for all temporary files of this process and its workers, so that it can be removed whatever ends them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nixio_conformance.driver.stopping import Stage, stopping

#: Where folders with sockets in them are made. macOS: the path of $TMPDIR alone almost fills sun_path.
BASE = "/tmp" if sys.platform == "darwin" else None
#: The folder of this process; empty without one. `tempfile.tempdir`, which follows it, is module-level state too.
_folder = ""
#: A process that is being killed may still write while the folder is removed.
_ROUNDS = 3


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make the folder and let module `tempfile` use it for the body of a `with`; removed at the end.

    Inside of another such `with` it is the same folder.
    """
    global _folder
    if _folder:
        yield Path(_folder)
        return
    before = tempfile.tempdir
    with stopping.held():
        folder = _folder = tempfile.tempdir = tempfile.mkdtemp(prefix="nx", dir=BASE)
        stopping.add(Stage.FILES, lambda: _remove(folder))
    try:
        yield Path(folder)
    finally:
        tempfile.tempdir, _folder = before, ""
        _remove(folder)


def use_folder(folder: str) -> None:
    """In a worker: use the folder of the process that started it, which removes it; none on another machine."""
    if os.path.isdir(folder):
        tempfile.tempdir = folder


def _remove(folder: str) -> None:
    for _ in range(_ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
