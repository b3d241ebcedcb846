"""`nixio-conformance run`: runs pytest with the suite's plugin in this process, and writes the reports at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from nixio_conformance import checks as shipped_checks
from nixio_conformance.commands import repeat as repeating
from nixio_conformance.commands.output import standard_output
from nixio_conformance.commands.pytest_run import judge
from nixio_conformance.commands.report_folder import report_folder
from nixio_conformance.commands.stress import busy
from nixio_conformance.commands.target_options import EPILOG, chosen
from nixio_conformance.driver.stopping import stopping
from nixio_conformance.pytest_plugin import plugin, selection
from nixio_conformance.pytest_plugin.options import RunOptions, command_options
from nixio_fixtures import load

_CHECKS = Path(shipped_checks.__file__).parent


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
    stopping.continue_without_terminal()  # its report shows everything
    options = RunOptions(**values)
    chosen(options)
    if not (workers == "auto" or workers.isdigit()):
        raise click.BadParameter(f"{workers!r} is neither a number nor `auto`", param_hint="-n")
    try:
        selection.parse(options.select, load())
    except selection.UnknownSelection as error:
        raise click.UsageError(str(error)) from None
    with report_folder(_folder(options)), busy() if loaded else contextlib.nullcontext():
        if repeat:
            words = [*options.command_line("shuffle", "report"), "-n", workers, f"--checks={checks}"]
            again = [*words, "--", *pytest_arguments]
            sys.exit(repeating.run(again, repeat, options.shuffle or "0", _folder(options), Console()))
        arguments = [*_arguments(options, workers, checks), *pytest_arguments]
        sys.exit(judge(arguments, _folder(options), Console(file=standard_output())))


def _folder(options: RunOptions) -> Path:
    assert options.report is not None, "the command has a default"
    return options.report


def _arguments(options: RunOptions, workers: str, checks: Path) -> list[str]:
    """The options as pytest's arguments."""
    terms = (*options.select, *(f"level={name}" for name in options.level))
    options = dataclasses.replace(options, select=terms, report=_folder(options).absolute())
    arguments = ["-c", f"{_CHECKS}/pytest.ini", f"--rootdir={checks}", str(checks)]
    # Checks raise errors with complete messages, and rewriting assertions would take longer than the rest of the start.
    # Imported here, because pytest has messages of its own for a plugin that it cannot import.
    plugins = [plugin.__name__, importlib.import_module("xdist.plugin").__name__]
    arguments += [*(f"-p{name}" for name in plugins), "--assert=plain", "--noconftest"]
    arguments += options.pytest_arguments()
    # An implementation that crashes its worker in each case still gets a row for each case.
    return arguments + (["-n", workers, "--max-worker-restart=100000"] if workers != "0" else [])
