"""One folder for all temporary files of this process and its workers, so that it can be removed whatever ends them.

An implementation may delete this folder, fill its disk or put something else in its place. It is then replaced by a new
one when the next file is needed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nixio_conformance.driver import leftovers
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.removal import remove
from nixio_conformance.driver.run_folder import MARK, PREFIX, RunFolder, in_first_base
from nixio_conformance.driver.stopping import Stage, stopping

#: The folders of this process: the last one is in use, those before it were replaced. `tempfile.tempdir` and a variable
#: of the environment follow it, and both are module-level state too.
_folders: list[RunFolder] = []


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make the folder and let module `tempfile` use it for the body of a `with`; removed at the end.

    Inside of another such `with` it is the same folder. What killed runs have left is removed first. Raises
    `CannotStart` if no folder can be made.
    """
    if _folders:
        yield Path(_folders[-1].path)
        return
    leftovers.remove()
    with _removed_at_the_end():
        try:
            _use(RunFolder.make)
        except OSError as error:
            raise CannotStart(str(error)) from None
        yield Path(_folders[-1].path)


@contextlib.contextmanager
def shared_folder(path: str) -> Iterator[None]:
    """In a worker: use the folder of the process that started it, which removes it; on another machine make one."""
    with _removed_at_the_end():
        try:
            _use(lambda: RunFolder.of(path))
        except OSError:
            _use(RunFolder.make)
        yield


def make_folder() -> str:
    """Make a folder in the run's folder, or outside of a run in a base. Raises OSError if that is impossible.

    Its path fits into the address of a UNIX socket, unless every base is too long.
    """
    ensure()
    if not _folders:
        return in_first_base(lambda base: tempfile.mkdtemp(prefix=PREFIX, dir=base))
    try:
        return tempfile.mkdtemp(prefix="")
    except OSError:
        _use(RunFolder.make)
        return tempfile.mkdtemp(prefix="")


@contextlib.contextmanager
def fresh_folder() -> Iterator[Path]:
    """`make_folder` for the body of a `with`; removed at the end."""
    folder = make_folder()
    try:
        yield Path(folder)
    finally:
        remove(folder)


def ensure() -> None:
    """Replace the run's folder if it cannot be used any more: before a file is made with module `tempfile`."""
    if _folders and not _folders[-1].usable():
        _use(RunFolder.make)


def _use(make: Callable[[], RunFolder]) -> None:
    with stopping.held():
        _folders.append(make())
        tempfile.tempdir = os.environ[MARK] = _folders[-1].path


@contextlib.contextmanager
def _removed_at_the_end() -> Iterator[None]:
    before, mark = tempfile.tempdir, os.environ.get(MARK)
    with stopping.step(Stage.FILES, _remove_all):
        try:
            yield
        finally:
            tempfile.tempdir = before
            os.environ.pop(MARK, None)
            if mark is not None:
                os.environ[MARK] = mark
            _remove_all()
            _folders.clear()


def _remove_all() -> None:
    """Remove the folders that this process has made."""
    for folder in _folders:
        folder.remove()
