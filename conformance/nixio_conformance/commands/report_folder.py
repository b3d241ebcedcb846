"""The folder that a run writes its report into."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.pytest_plugin.recorder import STREAM
from nixio_reports import StreamInUse
from nixio_reports.lock import locked, release


@contextlib.contextmanager
def report_folder(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other runs out of it; it is removed if nothing is written into it.

    Raises `click.UsageError` if another run is writing into it.
    """
    stream = (folder / STREAM).absolute()
    made = not folder.exists()
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(stopping.step(Stage.FILES, lambda: _leave(stream, made)))
            with stopping.held():
                stack.enter_context(locked(stream))
        except StreamInUse as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            text = f"no report can be written into {folder}: {error.strerror or error}; choose another with --report"
            raise click.UsageError(text) from None
        try:
            yield
        finally:
            _leave(stream, made)


def _leave(stream: Path, made: bool) -> None:
    release(stream)
    if made:
        with contextlib.suppress(OSError):  # it is not empty
            stream.parent.rmdir()
