"""The folder that a command writes its findings into."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import click

from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.pytest_plugin.recorder import STREAM
from nixio_reports import StreamInUse
from nixio_reports.lock import locked, release


@contextlib.contextmanager
def report_folder(folder: Path) -> Iterator[None]:
    """`writable_folder` that keeps other runs out.

    Raises `click.UsageError` also if another run is writing into it.
    """
    stream = (folder / STREAM).absolute()
    with writable_folder(folder), contextlib.ExitStack() as stack:
        try:
            stack.enter_context(stopping.step(Stage.FILES, lambda: release(stream)))
            with stopping.held():
                stack.enter_context(locked(stream))
        except StreamInUse as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            raise _unwritable(folder, error) from None
        yield


@contextlib.contextmanager
def writable_folder(folder: Path) -> Iterator[None]:
    """Make the folder; it is removed if nothing is written into it. Raises `click.UsageError` if that is impossible."""
    made = not folder.exists()

    def leave() -> None:
        if made:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()

    with stopping.step(Stage.FILES, leave):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise click.UsageError(f"{folder} is a file: name a folder with --report") from None
        except OSError as error:
            raise _unwritable(folder, error) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise click.UsageError(f"{folder} cannot be written: change that, or name another folder with --report")
        try:
            yield
        finally:
            leave()


def _unwritable(folder: Path, error: OSError) -> click.UsageError:
    return click.UsageError(
        f"no report can be written into {folder}: {error.strerror or error}; choose another with --report"
    )
