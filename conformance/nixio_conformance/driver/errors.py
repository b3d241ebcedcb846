"""What can go wrong with an agent, as opposed to with a call: each ends the agent and the case that it was in."""

from __future__ import annotations


class AgentError(Exception):
    """The agent cannot go on. The text is one line that a person can act on."""


class AgentCrashed(AgentError):
    """The agent's process ended during a case."""


class AgentHung(AgentError):
    """A call did not return in time; the process group was killed."""


class AgentBroke(AgentError):
    """The agent broke the protocol: garbage, an answer to nothing, two answers, an answer of the wrong sort."""


class AgentCannot(AgentError):
    """This agent has no way to make a call: the case is skipped because of the agent, and not failed."""


class CannotStart(Exception):
    """The implementation could not be started at all: the run ends with exit code 3."""
