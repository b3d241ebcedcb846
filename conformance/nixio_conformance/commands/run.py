"""`nixio-conformance run`: runs pytest with the suite's plugin in this process, and writes the reports at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from nixio_conformance import checks as shipped_checks
from nixio_conformance.commands import repeat as repeating
from nixio_conformance.commands.report import show
from nixio_conformance.commands.stress import busy
from nixio_conformance.commands.target_options import EPILOG, chosen
from nixio_conformance.pytest_plugin import controller, selection
from nixio_conformance.pytest_plugin.options import RunOptions, command_options
from nixio_conformance.pytest_plugin.recorder import STREAM
from nixio_fixtures import load
from nixio_reports import Progress

_CHECKS = Path(shipped_checks.__file__).parent
#: The exit code for each of pytest's, if a run ended before its stream began.
_WITHOUT_STREAM = {int(pytest.ExitCode.INTERRUPTED): 130, int(pytest.ExitCode.USAGE_ERROR): 2}


@click.command(epilog=EPILOG)
@command_options(RunOptions)
@click.option("-n", "workers", metavar="N", default="0", show_default=True, help="Worker processes, or `auto`.")
@click.option(
    "--checks", metavar="DIR", hidden=True, type=click.Path(path_type=Path, file_okay=False), default=_CHECKS
)  # for the tests of the suite's machinery
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(min=1),
    help="Run N times in random order and report verdicts that change.",
)
@click.option("--load", "loaded", is_flag=True, help="Keep processors and memory busy during the run.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def run(
    workers: str,
    checks: Path,
    repeat: int | None,
    loaded: bool,
    pytest_arguments: tuple[str, ...],
    **values: Any,
) -> None:
    """Judge one implementation and write a report.

    Arguments after `--` are passed to pytest (`-- --pdb`).
    """
    if values["name"].startswith("-") and any(values[form] for form in ("target", "agent", "lua")):
        pytest_arguments = (values["name"], *pytest_arguments)  # `--target m:o -- --pdb`: not a name
        values["name"] = ""
    options = RunOptions(**values)
    chosen(options)
    if not (workers == "auto" or workers.isdigit()):
        raise click.BadParameter(f"{workers!r} is neither a number nor `auto`", param_hint="-n")
    try:
        selection.parse(options.select, load())
    except selection.UnknownSelection as error:
        raise click.UsageError(str(error)) from None
    with busy() if loaded else contextlib.nullcontext():
        if repeat:
            words = [*options.command_line("shuffle", "report"), "-n", workers, f"--checks={checks}"]
            again = [*words, "--", *pytest_arguments]
            sys.exit(repeating.run(again, repeat, options.shuffle or "0", _folder(options), Console()))
        arguments = [*_arguments(options, workers, checks), *pytest_arguments]
        sys.exit(_run(arguments, _folder(options), Console()))


def _folder(options: RunOptions) -> Path:
    assert options.report is not None, "the command has a default"
    return options.report


def _arguments(options: RunOptions, workers: str, checks: Path) -> list[str]:
    """The options as pytest's arguments."""
    terms = (*options.select, *(f"level={name}" for name in options.level))
    options = dataclasses.replace(options, select=terms, report=_folder(options).absolute())
    arguments = ["-c", f"{_CHECKS}/pytest.ini", f"--rootdir={checks}", str(checks)]
    # Checks raise errors with complete messages, and rewriting assertions would take longer than the rest of the start.
    arguments += ["-p", "nixio_conformance.pytest_plugin.plugin", "-p", "xdist.plugin", "--assert=plain"]
    arguments += options.pytest_arguments()
    # An implementation that crashes its worker in each case still gets a row for each case.
    return arguments + (["-n", workers, "--max-worker-restart=100000"] if workers != "0" else [])


class _Quiet:
    """Removes pytest's terminal output, because the suite prints its own progress and summary."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[controller.PROGRESS] = self.progress
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and not config.getoption("usepdb"):
            config.pluginmanager.unregister(reporter)


def _run(arguments: list[str], folder: Path, console: Console) -> int:
    # Other installed plugins must not change what the suite does, here or in the workers.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    stream = folder / STREAM
    stream.unlink(missing_ok=True)
    progress = Progress(console, None)
    # A folder for this run: pytest names its usual one after the user, and in the hermetic network every user is root.
    with _SigtermAsInterrupt() as terminated, tempfile.TemporaryDirectory(prefix="nx") as temporary:
        progress.start()
        try:
            base = f"--basetemp={temporary}/pytest"
            status = int(pytest.main([base, *arguments], plugins=[_Quiet(progress)]))
        finally:
            progress.stop()
        code = show(stream, folder, console) if stream.exists() else _WITHOUT_STREAM.get(status, 3)
    if code == 2 and stream.exists():
        click.echo("no case is selected: no case matches all axes of --select", err=True)
    return 143 if terminated else code


class _SigtermAsInterrupt:
    """SIGTERM ends a run as Ctrl-C does, with its report; a second one ends it at once."""

    def __enter__(self) -> list[int]:
        self._got: list[int] = []
        self._before = signal.signal(signal.SIGTERM, self._interrupt)
        return self._got

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _interrupt(self, number: int, frame: object) -> None:
        self._got.append(number)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt
