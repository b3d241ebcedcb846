"""Protocol cases: the handshake."""

from __future__ import annotations

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange
from nixio_conformance.driver import messages

#: The capabilities that the protocol defines.
CAPABILITIES = ("gc", "signals", "buffer-types")


@case(
    "hello.fields",
    rule="The reply to hello has the protocol version that the agent speaks and the name of the implementation.",
    hint='answer {"reply": "hello", "id": ..., "protocol": 1, "name": "my-nixio"}, with the other fields as they apply',
)
def fields(exchange: Exchange) -> None:
    """hello is answered with a version and a name"""
    reply = _second_hello(exchange)
    if reply.protocol != messages.VERSION:
        raise Violation(f"`protocol` is {reply.protocol}; the suite speaks version {messages.VERSION}")


def _second_hello(exchange: Exchange) -> messages.Welcome:
    reply = exchange.agent.request("hello", protocol=messages.VERSION)
    if not isinstance(reply, messages.Welcome):
        raise Violation("a second hello should be answered like the first")
    return reply


@case(
    "hello.capabilities",
    rule=f"A capability is one of {', '.join(CAPABILITIES)}; an agent that has none sends [].",
    hint="correct the name, or leave it out: the suite does not know it, and skips the cases that need the capability",
)
def capabilities(exchange: Exchange) -> None:
    """Capabilities are names that the protocol defines"""
    unknown = [name for name in _second_hello(exchange).capabilities if name not in CAPABILITIES]
    if unknown:
        raise Violation(f"the protocol has no capability {', '.join(map(repr, unknown))[:200]}")


@case(
    "hello.version",
    rule="An agent answers hello with the version that it speaks, whatever the request has (or `unavailable`).",
    hint="do not look at the request's `protocol`; send the version that the agent was written for",
)
def version(exchange: Exchange) -> None:
    """An unknown version is answered with the agent's own"""
    exchange.agent.start()
    reply = exchange.agent.request("hello", protocol=99, seconds=30.0)
    if isinstance(reply, messages.Unavailable):
        exchange.agent.kill()
    elif not isinstance(reply, messages.Welcome) or reply.protocol == 99:
        raise Violation("this should be a hello with the agent's own version")
