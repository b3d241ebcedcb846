"""`nixio-conformance smoke`: makes a few calls that show whether an implementation is plugged in correctly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.text import Text

from nixio_conformance.agentcheck import runner, shapes
from nixio_conformance.agentcheck.checked_agent import CheckedAgent
from nixio_conformance.commands.ending import end
from nixio_conformance.commands.target_options import EPILOG, implementation_options
from nixio_conformance.driver import alarm
from nixio_conformance.driver.budget import Budget
from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.temporary import temporary_folder
from nixio_conformance.driver.timeouts import CASE
from nixio_conformance.driver.transcript import Step, Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.netns import namespaces
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_fixtures import Kind, load
from nixio_reports.text import visible

#: The cases of `agent-check` that most agents fail at first.
_OF_AGENTS = (
    "requests.unknown-method",
    "values.null",
    "failures.system",
    "failures.would-block",
    "failures.resolver",
    "failures.after-close",
    "sockets.numbers",
    "reset.closes",
    "end.input",
)


@click.command(epilog=EPILOG)
@implementation_options("in_process")
def smoke(implementation: Target) -> None:
    """Make a few calls and print each.

    They show whether an implementation is plugged in correctly.
    """
    try:
        with temporary_folder():
            namespaces.isolate()
            passed = _run(implementation, Console())
    except CannotStart as error:
        click.echo(f"{implementation.shell_text}: {error}", err=True)
        end(3)
    end(0 if passed else 1)


def _run(target: Target, console: Console) -> bool:
    """Print one line for each step. Returns whether all of them passed. Raises `CannotStart`."""
    session = Session(target.starter)
    program = target.form == "agent"
    fine = True
    try:
        session.begin_case(Transcript())
        _hello(session, target, console)
        for kind in load().select_kinds(("cooked",)):
            if reason := capabilities.current()[kind.capability]:
                console.print(Text(f"skip  {kind.id}: {reason}"))
                continue
            case = Case(session, kind)
            budget = session.allow(None if target.in_process else CASE)
            session.begin_case(case.transcript)
            for title, step in _steps(case, kind):
                if not session.alive:  # the previous step ended it
                    session.begin_case(case.transcript)
                fine &= _try(title, step, budget, console, case.transcript if program else None)
            fine &= _try(f"{kind.id}: close all sockets at the end", session.end_case, budget, console)
            case.close()
    finally:
        session.kill()
    return _as_an_agent(target, console) and fine if program else fine


def _hello(session: Session, target: Target, console: Console) -> None:
    hello = session.welcome
    console.print(
        Text(visible(f"hello {hello.name or target.name} {hello.version} ({hello.language} on {hello.platform})"))
    )
    for name in ("version", "language", "platform"):
        if target.form == "agent" and not getattr(hello, name):
            console.print(Text(f"note  hello has no `{name}`, which reports show"))


def _as_an_agent(target: Target, console: Console) -> bool:
    """Run the cases of `_OF_AGENTS`. Returns whether all of them passed."""
    agent = CheckedAgent(AgentProcess, target.argv)
    try:
        counts = runner.run_cases(agent, [case for case in runner.chosen(()) if case.id in _OF_AGENTS], console)
    finally:
        agent.kill()
    console.print(Text("`nixio-conformance agent-check` runs all cases of the protocol"))
    return not counts["FAIL"]


def _steps(case: Case, kind: Kind) -> Iterator[tuple[str, Callable[[], object]]]:
    def exchange() -> None:
        pair = case.pair()
        expect.count(pair.impl.send(b"\x00ping\xff", 1, 4), 4)
        expect.holds((got := pair.peer.recv(64)) == b"ping", "what the peer received", b"ping", got)
        pair.peer.send(b"pong")
        expect.data(pair.impl.recv(64), b"pong")
        expect.true(pair.impl.close(), "close()")

    def refused() -> None:
        expect.refused_argument(case.socket().getopt("nowhere", "nothing"), "getopt() at an unknown level")

    yield f"{kind.id}: connect, send, recv, close", exchange
    yield f"{kind.id}: a bad argument is a failure of kind `argument`", refused


def _try(
    title: str, step: Callable[[], object], budget: Budget, console: Console, transcript: Transcript | None = None
) -> bool:
    """Make a step and print whether it passed; with the transcript of an agent program, also how to fix the agent."""
    try:
        with alarm.watched(budget):
            step()
    except (expect.Mismatch, AgentError) as error:
        console.print(Text(visible(f"FAIL  {title}\n      {error}")), soft_wrap=True)
        if isinstance(error, expect.Mismatch) and transcript and (hint := _hint(transcript.steps)):
            console.print(Text(visible(f"      fix the agent: {hint}")), soft_wrap=True)
        return False
    console.print(Text(f"ok    {title}"))
    return True


def _hint(steps: list[Step]) -> str:
    """How to fix an agent whose last call had an unexpected result; empty if the agent may be right."""
    last = next((step for step in reversed(steps) if step.actor == "port"), None)
    if last is None:
        return ""
    if last.result.startswith("exception: "):
        return (
            f"{last.call} failed with kind `exception`, which no implementation should need; if an argument was "
            "refused, the kind is `argument`; if the agent itself failed, see its standard error"
        )
    shape = shapes.OF_METHODS.get(last.method)
    returned = last.values or last.result == "()"
    found = shapes.mismatch(shape, last.values) if shape and returned else None
    return f"{last.call}: {found.what}; {found.hint}" if found else ""
