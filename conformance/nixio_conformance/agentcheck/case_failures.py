"""Failures: each kind that there is."""

from __future__ import annotations

import socket

from nixio_conformance.agentcheck.agent import Fault, Skipped
from nixio_conformance.agentcheck.cases import Play, case
from nixio_conformance.driver import messages
from nixio_conformance.driver.outcome import canonical, errno_name
from nixio_conformance.toolkit.names import NO_HOST


@case(
    "failures.system",
    says='The system\'s error is a failure of kind `system`, with its name ("ECONNREFUSED") or number, better both.',
    mend='answer {"reply": "failure", "id": ID, "kind": "system", "name": "ECONNREFUSED", "number": 111, ...}; read '
    "errno before anything else is called",
)
def system(play: Play) -> None:
    """A refused connection"""
    closed = play.peer()
    closed.bind(("127.0.0.1", 0))  # and does not listen
    failed = play.agent.fails(["system"], play.agent.open(), "connect", "127.0.0.1", closed.getsockname()[1])
    name = failed.name or errno_name(failed.number)
    if not name:
        raise Fault("the failure has neither `name` nor `number`")
    if name != "ECONNREFUSED":
        raise Fault(f"a refused connection is ECONNREFUSED, and this says {name[:50]}")
    if failed.name and failed.number is not None and canonical(errno_name(failed.number)) != canonical(failed.name):
        raise Fault(f"`number` is {failed.number}, which is {errno_name(failed.number)}, and `name` is {name[:50]}")


@case(
    "failures.would-block",
    says="EAGAIN and EWOULDBLOCK are a failure of kind `would-block`, and not `system`.",
    mend="look for EAGAIN and EWOULDBLOCK before the other errors (nixio in Lua: false instead of nil)",
)
def would_block(play: Play) -> None:
    """Nothing to receive on a non-blocking socket"""
    number, _ = play.connected()
    play.agent.returns("true", number, "setblocking", False)
    play.agent.fails(["would-block"], number, "recv", 16)


@case(
    "failures.resolver",
    says="What getaddrinfo says is a failure of kind `resolver`; its codes are no errnos.",
    mend="tell the resolver's errors from the system's where the port does (nixio in Lua: its numbers are negative)",
)
def resolver(play: Play) -> None:
    """A host that no resolver knows"""
    play.agent.fails(["resolver"], play.agent.open(), "connect", NO_HOST, 80)


@case(
    "failures.argument",
    says="An argument that the port refuses is a failure of kind `argument`.",
    mend="map the exception or error that the port raises for a bad argument to `argument`, and do not let it end the "
    "agent; `exception` is for what a port should not do",
)
def argument(play: Play) -> None:
    """An option at a level that there is not"""
    play.agent.fails(["argument"], play.agent.open(), "getopt", "nowhere", "nothing")


@case(
    "failures.factory",
    says="The factory fails as a method does: `failure`, and no socket is handed out.",
    mend="handle what `socket` raises or returns as for `call`",
)
def factory(play: Play) -> None:
    """A socket of a family that there is not"""
    reply = play.agent.ask("socket", args=["moebius", "stream"])
    if isinstance(reply, messages.Unsupported):
        raise Skipped(f"socket: {reply.message}")
    if getattr(reply, "kind", "") not in ("argument", "system"):
        raise Fault("this should be a failure of kind argument (or system)")
    play.usable()


@case(
    "failures.after-close",
    says="A closed socket is still held: calls on it are the port's to refuse, as `argument` or EBADF.",
    mend="keep a socket in the agent's table after close(), until `forget` or `reset`",
)
def after_close(play: Play) -> None:
    """A call after close()"""
    number = play.agent.open()
    play.agent.returns("true", number, "close")
    failed = play.agent.fails(["argument", "system"], number, "getsockname")
    if failed.kind == "system" and (failed.name or errno_name(failed.number)) != "EBADF":
        raise Fault("this should be `argument`, or `system` with EBADF")


@case(
    "failures.go-on",
    says="A failure ends the call, and not the agent.",
    mend="catch everything that a call may raise, around the call",
)
def go_on(play: Play) -> None:
    """The socket can be used after a failure"""
    number, port = play.datagrams()
    play.agent.returns("true", number, "setblocking", False)
    play.agent.fails(["would-block"], number, "recv", 16)
    sender = play.peer(kind=socket.SOCK_DGRAM)
    sender.sendto(b"here", ("127.0.0.1", port))
    play.agent.returns("true", number, "setblocking", True)
    play.agent.returns("buffer", number, "recv", 16)
