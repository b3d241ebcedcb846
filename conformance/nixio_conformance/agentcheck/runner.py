"""Runs the cases and prints each result: what was sent and received, the rule, what to change in the agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from nixio_conformance.agentcheck import (
    case_ending,
    case_failures,
    case_hello,
    case_pending,
    case_requests,
    case_sockets,
    case_values,
    cases,
)
from nixio_conformance.agentcheck.cases import ProtocolCase
from nixio_conformance.agentcheck.checked_agent import CaseSkipped, CheckedAgent, Violation
from nixio_conformance.agentcheck.exchange import Exchange
from nixio_conformance.driver import alarm
from nixio_conformance.driver.budget import Budget
from nixio_conformance.driver.errors import CaseTimedOut, out_of_resources
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.temporary import fresh_folder
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import CASE
from nixio_conformance.host import capabilities
from nixio_conformance.target.target import Target
from nixio_reports.text import visible

#: The modules that register cases.
MODULES = (case_hello, case_requests, case_values, case_failures, case_sockets, case_pending, case_ending)
#: The maximum number of lines of an exchange that are printed (the last ones), and of characters in each.
_LINES = 4
_CHARACTERS = 240


def chosen(terms: Sequence[str]) -> list[ProtocolCase]:
    """The cases whose ids contain one of these terms; without terms, all cases."""
    return [case for case in cases.registered() if not terms or any(term in case.id for term in terms)]


def run(target: Target, console: Console, terms: Sequence[str] = ()) -> bool:
    """Print the agent's description, and run the cases. Returns True if none failed. Raises `CannotStart`."""
    agent = CheckedAgent(AgentProcess, target.argv)
    try:
        agent.ready()
        hello = agent.welcome
        console.print(
            Text(visible(f"{hello.name or target.name} {hello.version} ({hello.language} on {hello.platform})"))
        )
        counts = run_cases(agent, chosen(terms), console)
    finally:
        agent.kill()
    console.print(Text(f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped"))
    return not counts["FAIL"]


def run_cases(agent: CheckedAgent, some: Sequence[ProtocolCase], console: Console) -> Counter[str]:
    """Run cases and print each result. Returns the number of cases by result. Raises `CannotStart`."""
    return Counter(_run_in_folder(case, agent, console) for case in some)


def _run_in_folder(case: ProtocolCase, agent: CheckedAgent, console: Console) -> str:
    with fresh_folder() as folder:
        return _run_case(case, Exchange(agent, folder), console)


def _run_case(case: ProtocolCase, exchange: Exchange, console: Console) -> str:
    agent = exchange.agent
    agent.budget = Budget()  # the start of an agent has a timeout of its own
    try:
        agent.ready()
        budget = agent.allow(CASE)
        agent.clear_wire()
        _check_needs(case, agent)
        with alarm.watched(budget):
            case.run(exchange)
            if agent.alive:
                agent.expect_silence()
                agent.request("reset")
                agent.expect_silence()
    except CaseSkipped as reason:
        console.print(Text(visible(f"skip  {case.id}: {reason}")), soft_wrap=True)
        _reset(agent)
        return "skip"
    except (Violation, OSError, CaseTimedOut) as error:
        if out_of_resources(error):
            raise
        _print_failure(case, agent, error, console)
        agent.kill()
        return "FAIL"
    finally:
        exchange.close()
    console.print(Text(f"ok    {case.id}: {case.title}"), soft_wrap=True)
    return "ok"


def _check_needs(case: ProtocolCase, agent: CheckedAgent) -> None:
    if not case.needs:
        return
    if case.needs not in capabilities.names():
        if case.needs not in agent.welcome.capabilities:
            raise CaseSkipped(f"the agent does not have the capability `{case.needs}`")
    elif reason := capabilities.current()[case.needs]:
        raise CaseSkipped(reason)


def _reset(agent: CheckedAgent) -> None:
    """Close the agent's sockets before the next case."""
    if agent.alive:
        try:
            agent.request("reset")
        except Violation:
            agent.kill()


def _print_failure(case: ProtocolCase, agent: CheckedAgent, error: Exception, console: Console) -> None:
    what = f"the other end: {error}" if isinstance(error, OSError) else str(error)
    hint = error.hint if isinstance(error, Violation) and error.hint else case.hint
    console.print(Text(f"FAIL  {case.id}: {case.title}"), soft_wrap=True)
    rows = [("wrong", what), ("protocol", case.rule), ("hint", hint)]
    if isinstance(error, Violation) and error.also:
        rows.append(("", error.also))
    if agent.alive and (stderr := agent.process.stderr().strip()):
        rows.append(("stderr", clip(stderr[-1000:])))
    rows[:0] = [("sent", line) for line in _shown(agent.sent)] + [("received", line) for line in _shown(agent.received)]
    for name, text in rows:
        console.print(Text(visible(f"      {name:9} {text}")), soft_wrap=True)


def _shown(lines: list[bytes]) -> list[str]:
    if not lines:
        return ["nothing"]
    return [clip(line.decode("utf-8", "backslashreplace"), _CHARACTERS) for line in lines[-_LINES:]]
