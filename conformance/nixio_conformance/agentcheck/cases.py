"""Cases of the agent protocol: functions, each registered with the rule of the protocol that it checks.

They are not pytest checks: authors of agents run `agent-check` after each edit. It checks one agent in a fixed order,
prints each result at once in the terms of the protocol, and needs neither workers nor a result stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nixio_conformance.agentcheck.exchange import Exchange

_Function = Callable[[Exchange], None]


@dataclass(frozen=True)
class ProtocolCase:
    """One case. `run` raises `Violation` if the agent breaks the rule, `CaseSkipped` if that cannot be determined."""

    id: str
    title: str
    #: The rule of the protocol, as a sentence.
    rule: str
    #: What to change in an agent that breaks it; a `Violation` may have a better hint.
    hint: str
    #: The case is skipped without this capability of the agent, or of this host (`unix`); empty for none.
    needs: str
    run: Callable[[Exchange], None]


#: The first parts of ids, in the order in which an author implements an agent.
GROUPS = ("hello", "requests", "values", "failures", "sockets", "pending", "signals", "forget", "reset", "end")
_CASES: list[ProtocolCase] = []


def case(name: str, *, rule: str, hint: str, needs: str = "") -> Callable[[_Function], _Function]:
    """Register a function as a case; its docstring is the title."""

    def register(function: _Function) -> _Function:
        title = (function.__doc__ or "").strip().rstrip(".")
        _CASES.append(ProtocolCase(name, title, rule, hint, needs, function))
        return function

    return register


def registered() -> list[ProtocolCase]:
    """The cases of the imported modules, in the order of `GROUPS`."""
    return sorted(_CASES, key=lambda row: GROUPS.index(row.id.partition(".")[0]))
