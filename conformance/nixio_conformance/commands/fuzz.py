"""`nixio-conformance fuzz`: runs random sequences of calls against the model for a given time."""

from __future__ import annotations

import itertools
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from nixio_conformance.commands.ending import end
from nixio_conformance.commands.output import standard_output
from nixio_conformance.commands.report_folder import writable_folder
from nixio_conformance.commands.target_options import implementation_options
from nixio_conformance.driver import messages
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.driver.temporary import temporary_folder
from nixio_conformance.driver.timeouts import CALL, CASE
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.model.examples import example_row
from nixio_conformance.model.search import Counterexample, Searcher
from nixio_conformance.model.sequences import KINDS, OperationSequence, kinds_of
from nixio_conformance.model.shrink import shrink
from nixio_conformance.pytest_plugin import environment
from nixio_conformance.repro import lua, python
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit.case import not_dual_by_default
from nixio_reports.records import Row
from nixio_reports.text import visible

_EPILOG = (
    "Exit codes: 0 no difference, 1 a difference, 2 wrong usage, 3 the implementation or the host could not be "
    "started, 130 interrupted, 143 terminated."
)
#: Sequences of one kind before the next kind follows.
_TURN = 25
_UNITS = {"s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """`10m`, `90s`, `1.5h`, or seconds."""

    name = "duration"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """The duration in seconds."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration: expected 90s, 10m, 1.5h, or a number of seconds")
        return float(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True)
class Choices:
    """What the user chose."""

    seconds: float
    seed: int
    kinds: tuple[str, ...]
    report: Path
    deadline: float


@click.command(epilog=_EPILOG)
@implementation_options()
@click.option(
    "--for",
    "seconds",
    metavar="TIME",
    type=_Duration(),
    default="1m",
    show_default=True,
    help="How long to run: `90s`, `10m`, `1.5h`.",
)
@click.option("--seed", metavar="N", type=int, help="Draw the sequences from this seed.  [default: a random one]")
@click.option(
    "--kind",
    "kinds",
    metavar="KIND",
    type=click.Choice(list(KINDS)),
    multiple=True,
    help="Only sequences about this kind of socket.",
)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default="nixio-report",
    show_default=True,
    help="Where a difference is written.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=CALL,
    show_default=True,
    help="Timeout per call.",
)
@click.option("--without", type=click.Choice(["lab"]), help="Use plain loopback instead of the hermetic network.")
def fuzz(implementation: Target, without: str | None, seed: int | None, **rest: Any) -> None:
    """Compare random calls with a model of sockets.

    Runs until the implementation and the model differ, or until the time is over.

    A difference is printed, and written into the folder --report as a short script and as a row for the table of
    examples.
    """
    choices = Choices(seed=random.SystemRandom().randrange(2**31) if seed is None else seed, **rest)
    try:
        with writable_folder(choices.report), temporary_folder():
            environment.enter({without: f"excluded by --without {without}"} if without else {})
            code = _Fuzz(implementation, choices, Console()).run()
    except CannotStart as error:
        click.echo(f"{implementation.shell_text}: {error}", err=True)
        code = 3
    end(code)


class _Fuzz:
    def __init__(self, target: Target, choices: Choices, console: Console) -> None:
        self._target = target
        self._choices = choices
        self._console = console
        self._start = time.monotonic()

    def run(self) -> int:
        """Run sequences until the time is over or one differs; returns the exit code."""
        session = Session(self._target.starter, self._choices.deadline)
        try:
            session.begin_case(Transcript())
            welcome = session.welcome
            named = f"{welcome.name or self._target.name} {welcome.version}".strip()
            searcher = Searcher(session, None if self._target.in_process else CASE)
            with stopping.step(Stage.REPORT, lambda: self._print_stop(searcher)):
                self._print(f"{named} against the model, seed {self._choices.seed}")
                return self._search(searcher, self._kinds())
        finally:
            session.kill()

    def _kinds(self) -> list[str]:
        """The kinds that this host has; raises `CannotStart` when it has none of them."""
        reasons: dict[str, str] = {}
        for name in self._choices.kinds or tuple(KINDS):
            needs = {kind.capability for kind in kinds_of(OperationSequence(name))}
            needs |= {"dual-stack"} if name.startswith("dual") else set()
            found = [
                f"{need}: {capabilities.current()[need]}" for need in sorted(needs) if capabilities.current()[need]
            ]
            if name.startswith("dual") and not found and (reason := not_dual_by_default()):
                found = [reason]
            reasons[name] = found[0] if found else ""
            if found:
                self._print(f"not run here: {name} ({found[0]})")
        able = [name for name, reason in reasons.items() if not reason]
        if not able:
            raise CannotStart("this host has none of the kinds of socket that were asked for")
        return able

    def _search(self, searcher: Searcher, kinds: list[str]) -> int:
        found = None
        with self._console.status("") as status:
            for turn, kind in enumerate(itertools.cycle(kinds)):
                if not self._has_time():
                    break
                status.update(f"{kind}: {self._progress(searcher)}")
                if found := searcher.search(kind, self._choices.seed * 1000 + turn, _TURN, self._has_time):
                    status.update(f"{kind}: a difference, being shrunk")
                    found = shrink(searcher, found)
                    break
        if found is None:
            self._print(f"no difference in {self._progress(searcher)}")
            return 0
        self._show(found, searcher.session.welcome)
        self._print(f"a difference after {self._progress(searcher)}")
        return 1

    def _print_stop(self, searcher: Searcher) -> None:
        Console(file=standard_output()).print(Text(f"\ninterrupted after {self._progress(searcher)}"))

    def _has_time(self) -> bool:
        return time.monotonic() - self._start < self._choices.seconds

    def _progress(self, searcher: Searcher) -> str:
        seconds = time.monotonic() - self._start
        return f"{searcher.sequences} sequences, {searcher.calls} calls, {seconds:.0f} s"

    def _show(self, found: Counterexample, welcome: messages.Welcome) -> None:
        """Print the difference, and write the script and the row that reproduce it."""
        expected, actual = getattr(found.error, "expected", "an answer"), getattr(found.error, "actual", found.error)
        shown = Row(
            case=f"model.example[{found.sequence.kind}]",
            clause="model.example",
            method="socket",
            level="should",
            kind=found.sequence.kind,
            source="design:model",
            requires="Calls return what a model of sockets allows.",
            outcome="failed",
            message=str(found.error),
            expected=str(expected),
            actual=str(actual),
        )
        steps = found.transcript.steps
        for step in steps:
            self._print(f"  {step.call} -> {step.result}")
        self._print(f"\n{found.error}\n")
        if found.stderr:
            self._print(f"the agent wrote to standard error:\n{found.stderr}\n")
        script = python.write(shown, self._target, found.folder, steps)
        self._write("difference.py", script, f"to reproduce:   {sys.executable} ")
        if lua.applies(self._target, welcome.language):
            script = lua.write(shown, self._target, welcome.name, found.folder, steps)
            self._write("difference.lua", script, "in Lua:         ")
        example = example_row(found.executed, "name-it", str(found.error))
        self._write("difference.toml", example, "as an example:  ")

    def _write(self, name: str, text: str, use: str) -> None:
        """Write a file about the difference, which took long to find: one that cannot be written costs no other."""
        path = self._choices.report / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            click.echo(f"{path} cannot be written: {error.strerror}; it contains:\n{text}", err=True)
        else:
            self._print(f"{use}{path}")

    def _print(self, text: str) -> None:
        self._console.print(Text(visible(text)), soft_wrap=True)
