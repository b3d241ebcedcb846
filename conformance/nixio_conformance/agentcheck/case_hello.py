"""The first exchange."""

from __future__ import annotations

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, case
from nixio_conformance.driver import messages

#: What an agent may say that it can do.
CAPABILITIES = ("gc", "signals", "buffer-types")


@case(
    "hello.fields",
    says="The reply to hello says the version that the agent speaks and names the implementation.",
    mend='answer {"reply": "hello", "id": ..., "protocol": 1, "name": "my-port"}, with the other fields as they apply',
)
def fields(play: Play) -> None:
    """Hello is answered with a version and a name"""
    reply = play.agent.ask("hello", protocol=messages.VERSION)
    if not isinstance(reply, messages.Welcome):
        raise Fault("a second hello should be answered as the first was")
    if reply.protocol != messages.VERSION:
        raise Fault(f"`protocol` is {reply.protocol}; the suite speaks {messages.VERSION}")
    if reply.buffersize <= 0:
        raise Fault(f"`buffersize` is {reply.buffersize}", "send nixio.const.buffersize of the port, 8192 by default")


@case(
    "hello.capabilities",
    says=f"A capability is one of {', '.join(CAPABILITIES)}; an agent that has none says [].",
    mend="correct the word, or leave it out: the suite does not know it, and skips what needs the capability",
)
def capabilities(play: Play) -> None:
    """Capabilities are words that the protocol knows"""
    reply = play.agent.ask("hello", protocol=messages.VERSION)
    assert isinstance(reply, messages.Welcome)
    unknown = [word for word in reply.capabilities if word not in CAPABILITIES]
    if unknown:
        raise Fault(f"the protocol has no capability {', '.join(map(repr, unknown))[:200]}")


@case(
    "hello.version",
    says="An agent answers hello with the version that it speaks, whatever was asked for (or `unavailable`).",
    mend="do not look at the request's `protocol`; send the number that the agent was written for",
)
def version(play: Play) -> None:
    """A version that nobody knows yet is answered with the agent's own"""
    play.agent.start()
    reply = play.agent.ask("hello", protocol=99, seconds=30.0)
    if isinstance(reply, messages.Unavailable):
        play.agent.kill()
    elif not isinstance(reply, messages.Welcome) or reply.protocol == 99:
        raise Fault("this should be a hello with the agent's own version")
