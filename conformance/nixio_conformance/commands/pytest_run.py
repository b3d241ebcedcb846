"""Runs pytest with the suite's plugin in this process, and writes and shows the report, also when a signal ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest
from rich.console import Console

from nixio_conformance.commands.output import standard_output
from nixio_conformance.commands.report import show
from nixio_conformance.driver import inherited
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.own_errors import OwnErrors
from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.driver.temporary import temporary_folder
from nixio_conformance.pytest_plugin import controller
from nixio_conformance.pytest_plugin.recorder import STREAM, Recorder
from nixio_reports import Progress, StreamError

#: The exit code for each of pytest's, if a run ended before its stream began.
_WITHOUT_STREAM = {int(pytest.ExitCode.INTERRUPTED): 130, int(pytest.ExitCode.USAGE_ERROR): 2}


def judge(arguments: Sequence[str], folder: Path, console: Console) -> int:
    """Run pytest with these arguments, write the report into `folder`; returns the exit code."""
    if reason := inherited.too_little():  # pytest itself would fail with a traceback
        click.echo(reason, err=True)
        return 3
    # Other installed plugins must not change what the suite does, here or in the workers.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    folder = folder.absolute()
    errors = OwnErrors(folder)
    try:
        return _judge(arguments, folder, console, errors)
    except StreamError as error:
        click.echo(
            f"the stream was destroyed during the run, by the implementation or another program: {error}", err=True
        )
        return 3
    except Exception as error:
        errors.report(error)
        return 3


def _judge(arguments: Sequence[str], folder: Path, console: Console, errors: OwnErrors) -> int:
    stream = folder / STREAM
    plugin = _Quiet(Progress(console, None), errors)
    with (
        stopping.step(Stage.FILES, lambda: _remove_drafts(folder)),
        stopping.step(Stage.REPORT, lambda: _report_stop(stream, plugin.kept)),
        # Also for pytest, which names its usual folder after the user: in the hermetic network every user is root.
        _temporary_folder() as temporary,
    ):
        status = _pytest([f"--basetemp={temporary}/pytest", *arguments], plugin)
        code = show(stream, folder, console) if plugin.kept else _WITHOUT_STREAM.get(status, 3)
    if not plugin.recorded and code == 3:
        with contextlib.suppress(OSError):
            stream.unlink()  # an older run's results are not those of this implementation
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo("no case is selected: no case matches all axes of --select", err=True)
    return 3 if status == pytest.ExitCode.INTERNAL_ERROR else code


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """`temporary_folder`, or the end of the process with exit code 3 if none can be made."""
    try:
        with temporary_folder() as folder:
            yield folder
    except CannotStart as error:
        click.echo(str(error), err=True)
        sys.exit(3)


def _pytest(arguments: list[str], plugin: _Quiet) -> int:
    plugin.progress.start()
    try:
        return int(pytest.main(arguments, plugins=[plugin]))
    except Exception as error:  # of a hook at the end, from where pytest lets them pass
        plugin.errors.report(error)
        return int(pytest.ExitCode.INTERNAL_ERROR)
    finally:
        plugin.progress.stop()


class _Quiet:
    """Replaces pytest's terminal output, because the suite prints its own progress and summary."""

    def __init__(self, progress: Progress, errors: OwnErrors) -> None:
        self.progress = progress
        self.errors = errors
        self._config: pytest.Config | None = None

    @property
    def recorded(self) -> bool:
        """Whether the run has begun its stream."""
        return (recorder := self._recorder()) is not None and recorder.begun

    @property
    def kept(self) -> bool:
        """Whether that is still where the run has made it."""
        return (recorder := self._recorder()) is not None and recorder.kept

    def _recorder(self) -> Recorder | None:
        return self._config.stash.get(controller.RECORDER, None) if self._config is not None else None

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config
        config.stash[controller.PROGRESS] = self.progress
        if config.getoption("usepdb"):
            signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is the debugger's
            return
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Report an exception of any hook, in this process or in a worker."""
        if "Traceback (most recent call last)" in (text := str(excinfo.value)):
            self.errors.report_text(text)  # of a worker's, xdist has only the text
        else:
            self.errors.report(excinfo.value)
        return True  # otherwise pytest prints the traceback

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report a check that cannot be collected."""
        if report.failed:
            self.errors.report_text(report.longreprtext, f"the suite itself cannot be collected: {report.nodeid}")


def _report_stop(stream: Path, recorded: bool) -> None:
    """Write and show the report of a run that a signal has ended."""
    if not recorded:
        print("stopped before the first case: nothing was recorded", file=sys.stderr, flush=True)
        return
    console = Console(file=standard_output())
    try:
        show(stream, stream.parent, console)
    except Exception as error:  # what it needs may be what was interrupted
        console.print(f"no report was written ({error}); to write it: nixio-conformance report {stream}", markup=False)


def _remove_drafts(folder: Path) -> None:
    """Remove the half of a file that this process was writing."""
    for draft in folder.glob(f".*.{os.getpid()}"):
        with contextlib.suppress(OSError):
            draft.unlink()
