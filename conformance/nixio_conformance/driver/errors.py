"""Errors of an agent, as opposed to failures of a call. Each one ends the agent and the case it occurs in."""

from __future__ import annotations

import errno

from nixio_reports.text import visible

#: Errors of system calls that this machine or this process has no room for. No peer of a socket can cause them.
_RESOURCES = frozenset(
    getattr(errno, name)
    for name in ("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ENOSPC", "EDQUOT")
    if hasattr(errno, name)
)


class AgentError(Exception):
    """The agent cannot continue. The text is one line that a user can act on."""


class AgentCrashed(AgentError):
    """The agent's process ended during a case."""


class AgentHung(AgentError):
    """A call did not return in time; the agent's process group was killed."""


class CaseTimedOut(AgentHung):
    """The case used up its budget of time, bytes or calls; the agent's process group was killed."""


class AgentProtocolError(AgentError):
    """The agent broke the protocol: a line that is not a reply, an unexpected reply, or one of the wrong type."""


class AgentCannot(AgentError):
    """The agent cannot make this call. The case is skipped because of the agent; the agent itself continues."""


class CannotStart(Exception):
    """The implementation could not be started at all: the run ends with exit code 3. The text is safe to print."""

    def __init__(self, text: str) -> None:
        super().__init__(visible(text))


class CannotRestart(CannotStart):
    """No agent starts any more, although the implementation could be started before."""


def out_of_resources(error: BaseException) -> bool:
    """Whether an exception in the suite's own process says that descriptors, memory or space are used up here."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _RESOURCES)
