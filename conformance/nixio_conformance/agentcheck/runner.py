"""Plays the cases and tells each: what was sent, what came, what the protocol says, what to change in the agent."""

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
from nixio_conformance.agentcheck.agent import Agent, Fault, Skipped
from nixio_conformance.agentcheck.cases import Case, Play
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.text import clip
from nixio_conformance.host import capabilities
from nixio_conformance.host.workspace import workspace
from nixio_conformance.target.target import Target

#: The modules that register cases.
CHAPTERS = (case_hello, case_requests, case_values, case_failures, case_sockets, case_pending, case_ending)
#: Lines and letters of an exchange that are shown: its end, where it went wrong.
_LINES = 4
_LETTERS = 240


def chosen(words: Sequence[str]) -> list[Case]:
    """The cases that one of these words stands in; all of them without words."""
    return [case for case in cases.registered() if not words or any(word in case.id for word in words)]


def run(target: Target, console: Console, words: Sequence[str] = ()) -> bool:
    """Tell who the agent is, and play the cases; whether no one failed. Raises `CannotStart`."""
    agent = Agent(AgentProcess, target.argv)
    try:
        agent.ready()
        told = agent.welcome
        console.print(Text(f"{told.name or target.name} {told.version} ({told.language} on {told.platform})"))
        counts = play(agent, chosen(words), console)
    finally:
        agent.kill()
    console.print(Text(f"{counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped"))
    return not counts["FAIL"]


def play(agent: Agent, some: Sequence[Case], console: Console) -> Counter[str]:
    """Play cases and tell each; how many came to what. Raises `CannotStart`."""
    with workspace() as folder:
        return Counter(_play(case, Play(agent, folder), console) for case in some)


def _play(case: Case, play: Play, console: Console) -> str:
    agent = play.agent
    try:
        agent.ready()
        agent.forget_wire()
        _needed(case, agent)
        case.play(play)
        if agent.alive:
            agent.silent()
            agent.ask("reset")
            agent.silent()
    except Skipped as reason:
        console.print(Text(f"skip  {case.id}: {reason}"), soft_wrap=True)
        _settle(agent)
        return "skip"
    except (Fault, OSError) as error:
        _tell(case, agent, error, console)
        agent.kill()
        return "FAIL"
    finally:
        play.close()
    console.print(Text(f"ok    {case.id}: {case.title}"), soft_wrap=True)
    return "ok"


def _needed(case: Case, agent: Agent) -> None:
    if not case.needs:
        return
    if case.needs not in capabilities.names():
        if case.needs not in agent.welcome.capabilities:
            raise Skipped(f"the agent does not have the capability `{case.needs}`")
    elif reason := capabilities.current()[case.needs]:
        raise Skipped(reason)


def _settle(agent: Agent) -> None:
    """The next case begins with nothing open."""
    if agent.alive:
        try:
            agent.ask("reset")
        except Fault:
            agent.kill()


def _tell(case: Case, agent: Agent, error: Fault | OSError, console: Console) -> None:
    what = error.what if isinstance(error, Fault) else f"the other end: {error}"
    mend = error.mend if isinstance(error, Fault) and error.mend else case.mend
    console.print(Text(f"FAIL  {case.id}: {case.title}"), soft_wrap=True)
    rows = [("wrong", what), ("protocol", case.says), ("mend", mend)]
    if isinstance(error, Fault) and error.also:
        rows.append(("", error.also))
    if agent.alive and (wrote := agent.process.stderr().strip()):
        rows.append(("stderr", clip(wrote[-1000:])))
    rows[:0] = [("sent", line) for line in _shown(agent.sent)] + [("came", line) for line in _shown(agent.came)]
    for name, text in rows:
        console.print(Text(f"      {name:9} {text}"), soft_wrap=True)


def _shown(lines: list[bytes]) -> list[str]:
    if not lines:
        return ["nothing"]
    return [clip(line.decode("utf-8", "backslashreplace"), _LETTERS) for line in lines[-_LINES:]]
