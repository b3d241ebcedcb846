"""`nixio-conformance run`: what the options mean to pytest, which runs in this process, and the reports in the end."""

from __future__ import annotations

import contextlib
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
from nixio_conformance.commands import target_options
from nixio_conformance.commands.stress import busy
from nixio_conformance.driver.limits import Limits
from nixio_conformance.driver.timeouts import CALL
from nixio_conformance.pytest_plugin import controller, selection
from nixio_conformance.pytest_plugin.recorder import STREAM
from nixio_conformance.target.target import Target
from nixio_fixtures import load
from nixio_reports import Progress, print_report, read, write_reports

_CHECKS = Path(shipped_checks.__file__).parent


@click.command(epilog=target_options.EPILOG)
@target_options.options
@click.option(
    "--select", metavar="TERM", multiple=True, help="Only these: a clause, method, family, kind, level or case."
)
@click.option("--level", type=click.Choice(["must", "should", "may"]), multiple=True, help="Judge only these levels.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Known deviations: only what is not in it makes the run fail, and what is in it and passes.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first finding.")
@click.option("-n", "workers", metavar="N", default="0", show_default=True, help="Worker processes, or `auto`.")
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("nixio-report"),
    show_default=True,
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=CALL,
    show_default=True,
    help="What a call may take; time without a processor does not count.",
)
@click.option(
    "--memory",
    metavar="MIB",
    type=click.IntRange(min=16),
    help=f"What a port's process may use, in MiB (Linux).  [default: {Limits().memory}]",
)
@click.option("--require", metavar="CAPABILITY", multiple=True, help="End the run where this host lacks it (exit 3).")
@click.option("--without", metavar="CAPABILITY", multiple=True, help="Judge as if this host lacked it (see `list`).")
@click.option("--in-process", is_flag=True, help="Host a Python port in the test process (debugger, coverage).")
@click.option(
    "--checks", metavar="DIR", hidden=True, type=click.Path(path_type=Path, file_okay=False), default=_CHECKS
)  # for the tests of the suite's machinery
@click.option("--seed", metavar="N", type=int, default=0, help="What random sequences of calls are drawn from.")
@click.option("--shuffle", metavar="SEED", help="Run the cases in an order that this seed decides.")
@click.option("--repeat", metavar="N", type=click.IntRange(min=1), help="Run N times, shuffled: are verdicts stable?")
@click.option("--load", "loaded", is_flag=True, help="Keep processors and memory busy meanwhile.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def run(
    name: str | None,
    target: str | None,
    agent: str | None,
    pytest_arguments: tuple[str, ...],
    repeat: int | None,
    loaded: bool,
    **choices: Any,
) -> None:
    """Judge one implementation and write a report.

    What stands after `--` goes to pytest (`-- --pdb`).
    """
    if (target or agent or target_options.lua_module()[0]) and name and name.startswith("-"):  # `--target m:o -- --pdb`
        pytest_arguments = (name, *pytest_arguments)
        name = None
    chosen = target_options.choose(name, target, agent, choices["in_process"])
    if not (choices["workers"] == "auto" or choices["workers"].isdigit()):
        raise click.BadParameter(f"{choices['workers']!r} is neither a number nor `auto`", param_hint="-n")
    try:
        selection.parse(choices["select"], load())
    except selection.UnknownSelection as error:
        raise click.UsageError(str(error)) from None
    with busy() if loaded else contextlib.nullcontext():
        if repeat:
            again = _again(click.get_current_context(), chosen, pytest_arguments)
            sys.exit(repeating.run(again, repeat, choices["shuffle"] or "0", choices["report"], Console()))
        arguments = _pytest_arguments(chosen, **choices)
        sys.exit(_run(arguments + list(pytest_arguments), choices["report"], Console()))


def _again(context: click.Context, target: Target, pytest_arguments: tuple[str, ...]) -> list[str]:
    """The words that name the same choices, but for what each repetition decides for itself."""
    own = {"repeat", "loaded", "shuffle", "report", "target", "agent", "in_process"}
    words = list(target.arguments)
    for option in context.command.params:
        given = context.params.get(option.name or "")
        if isinstance(option, click.Argument) or option.name in own or given in (None, (), False):
            continue
        values = given if isinstance(given, tuple) else (given,)
        words += (
            [option.opts[0]] if given is True else [word for value in values for word in (option.opts[0], str(value))]
        )
    return [*words, "--", *pytest_arguments]


def _pytest_arguments(
    target: Target,
    *,
    select: tuple[str, ...],
    level: tuple[str, ...],
    fail_fast: bool,
    workers: str,
    report: Path,
    deadline: float,
    memory: int | None,
    require: tuple[str, ...],
    without: tuple[str, ...],
    in_process: bool,
    checks: Path,
    shuffle: str | None,
    baseline: Path | None,
    seed: int,
) -> list[str]:
    names = {"entry-point": "--nixio", "target": "--nixio-target", "agent": "--nixio-agent", "lua": "--nixio-lua"}
    arguments = ["-c", f"{_CHECKS}/pytest.ini", f"--rootdir={checks}", str(checks)]
    # The checks say by themselves what they expected: rewriting assertions would cost more than to start.
    arguments += ["-p", "nixio_conformance.pytest_plugin.plugin", "-p", "xdist.plugin", "--assert=plain"]
    arguments += [f"{names[target.form]}={target.name}", f"--nixio-report={report.absolute()}"]
    arguments += target.lua.pytest_arguments
    arguments += [f"--nixio-select={term}" for term in (*select, *(f"level={name}" for name in level))]
    arguments += [f"--nixio-level={name}" for name in level]
    arguments += [f"--nixio-without={name}" for name in without]
    arguments += [f"--nixio-require={name}" for name in require]
    arguments += [f"--nixio-deadline={deadline}", f"--nixio-seed={seed}"]
    arguments += [f"--nixio-memory={memory}"] if memory else []
    arguments += [f"--nixio-baseline={baseline}"] if baseline else []
    arguments += ["--nixio-in-process"] if in_process else []
    arguments += ["--nixio-fail-fast"] if fail_fast else []
    arguments += [f"--nixio-shuffle={shuffle}"] if shuffle else []
    # A port that brings its worker down, case after case, still gets a row for each.
    return arguments + (["-n", workers, "--max-worker-restart=100000"] if workers != "0" else [])


class _Quiet:
    """Takes pytest's own terminal away: the progress and the summary are the reports'."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[controller.PROGRESS] = self.progress
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and not config.getoption("usepdb"):
            config.pluginmanager.unregister(reporter)


def _run(arguments: list[str], folder: Path, console: Console) -> int:
    # Other plugins that happen to be installed must not change what the suite does, in the workers neither.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    stream = folder / STREAM
    stream.unlink(missing_ok=True)
    progress = Progress(console, None)
    # A folder of the run's own: pytest's usual one belongs to the user of a name, and in the lab everybody is root.
    with _SigtermAsInterrupt() as terminated, tempfile.TemporaryDirectory(prefix="nx") as temporary:
        progress.start()
        try:
            base = f"--basetemp={temporary}/pytest"
            status = int(pytest.main([base, *arguments], plugins=[_Quiet(progress)]))
        finally:
            progress.stop()
        code = show(stream, folder, console) if stream.exists() else _WITHOUT_STREAM.get(status, 3)
    if code == 2 and stream.exists():
        click.echo("no case is selected: the terms of --select exclude each other, or no check has them all", err=True)
    return 143 if terminated else code


#: Exit codes by pytest's, when a run ended before its stream began.
_WITHOUT_STREAM = {int(pytest.ExitCode.INTERRUPTED): 130, int(pytest.ExitCode.USAGE_ERROR): 2}


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


def show(path: Path, folder: Path, console: Console) -> int:
    """Write and print the reports of a stream; its exit code, or 1 if the run did not end."""
    stream = read(path)
    written = write_reports(stream, folder)
    print_report(console, stream, html=written["html"])
    return stream.footer.exit_code if stream.footer else 1
