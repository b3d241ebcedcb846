"""Protocol cases: failures of each kind."""

from __future__ import annotations

import socket

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import CaseSkipped, Violation
from nixio_conformance.agentcheck.exchange import Exchange
from nixio_conformance.driver import messages
from nixio_conformance.driver.outcome import canonical, errno_name
from nixio_conformance.toolkit.names import NO_HOST


@case(
    "failures.system",
    rule='A system error is a failure of kind `system`, with its name ("ECONNREFUSED") or number, preferably both.',
    hint='answer {"reply": "failure", "id": ID, "kind": "system", "name": "ECONNREFUSED", "number": 111, ...}; read '
    "errno before anything else is called",
)
def system(exchange: Exchange) -> None:
    """A refused connection"""
    closed = exchange.peer()
    closed.bind(("127.0.0.1", 0))  # bound, but not listening
    failed = exchange.agent.fails(["system"], exchange.agent.open(), "connect", "127.0.0.1", closed.getsockname()[1])
    name = failed.name or errno_name(failed.number)
    if not name:
        raise Violation("the failure has neither `name` nor `number`")
    if name != "ECONNREFUSED":
        raise Violation(f"a refused connection is ECONNREFUSED, but the reply has {name[:50]}")
    if failed.name and failed.number is not None and canonical(errno_name(failed.number)) != canonical(failed.name):
        raise Violation(f"`number` is {failed.number}, which is {errno_name(failed.number)}, but `name` is {name[:50]}")


@case(
    "failures.would-block",
    rule="EAGAIN and EWOULDBLOCK are a failure of kind `would-block`, and not `system`.",
    hint="check for EAGAIN and EWOULDBLOCK before the other errors (nixio in Lua: false instead of nil)",
)
def would_block(exchange: Exchange) -> None:
    """Nothing to receive on a non-blocking socket"""
    number, _ = exchange.connected()
    exchange.agent.returns("true", number, "setblocking", False)
    exchange.agent.fails(["would-block"], number, "recv", 16)


@case(
    "failures.resolver",
    rule="An error of getaddrinfo is a failure of kind `resolver`; its codes are not errno values.",
    hint="distinguish the resolver's errors from the system's (nixio in Lua: they have negative numbers)",
)
def resolver(exchange: Exchange) -> None:
    """A host name that no resolver knows"""
    exchange.agent.fails(["resolver"], exchange.agent.open(), "connect", NO_HOST, 80)


@case(
    "failures.argument",
    rule="An argument that the implementation refuses is a failure of kind `argument`.",
    hint="map the exception or error that the implementation raises for a bad argument to `argument`, and do not let "
    "it end the agent; `exception` is for errors that no implementation should raise",
)
def argument(exchange: Exchange) -> None:
    """An option at a level that does not exist"""
    exchange.agent.fails(["argument"], exchange.agent.open(), "getopt", "nowhere", "nothing")


@case(
    "failures.factory",
    rule="A failure of the factory is a `failure` like one of a method; the reply has no socket.",
    hint="handle the result and the errors of `socket` like those of `call`",
)
def factory(exchange: Exchange) -> None:
    """A socket of a family that does not exist"""
    reply = exchange.agent.request("socket", args=["moebius", "stream"])
    if isinstance(reply, messages.Unsupported):
        raise CaseSkipped(f"socket: {reply.message}")
    if getattr(reply, "kind", "") not in ("argument", "system"):
        raise Violation("this should be a failure of kind argument (or system)")
    exchange.check_usable()


@case(
    "failures.after-close",
    rule="A closed socket is still held: the implementation refuses calls on it, with `argument` or EBADF.",
    hint="keep a socket in the agent's table after close(), until `forget` or `reset`",
)
def after_close(exchange: Exchange) -> None:
    """A call after close()"""
    number = exchange.agent.open()
    exchange.agent.returns("true", number, "close")
    failed = exchange.agent.fails(["argument", "system"], number, "getsockname")
    if failed.kind == "system" and (failed.name or errno_name(failed.number)) != "EBADF":
        raise Violation("this should be `argument`, or `system` with EBADF")


@case(
    "failures.go-on",
    rule="A failure ends the call, not the agent.",
    hint="catch every error that a call may raise",
)
def go_on(exchange: Exchange) -> None:
    """The socket is usable after a failure"""
    number, port = exchange.datagrams()
    exchange.agent.returns("true", number, "setblocking", False)
    exchange.agent.fails(["would-block"], number, "recv", 16)
    sender = exchange.peer(kind=socket.SOCK_DGRAM)
    sender.sendto(b"here", ("127.0.0.1", port))
    exchange.agent.returns("true", number, "setblocking", True)
    exchange.agent.returns("buffer", number, "recv", 16)
