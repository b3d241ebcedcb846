"""Protocol cases: calls that block, signals, and released sockets."""

from __future__ import annotations

import os
import signal
import sys
import time

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange, bytes_of, is_closed
from nixio_conformance.driver import blocking, messages

_BLOCKS = "A call may block; it is answered when it returns."
_SIGNALS = "An agent with the capability `signals` has a handler for SIGUSR1 that does nothing; the agent continues."


def _start(exchange: Exchange, number: int, method: str, *args: object) -> int:
    """Start a call and wait until it blocks; returns the id of the request."""
    process = exchange.agent.process
    idle = blocking.idle_syscall(process.pid)
    identifier = exchange.agent.next_id()
    exchange.agent.send({"do": "call", "id": identifier, "socket": number, "method": method, "args": args})
    if not blocking.wait_until_blocked(process.pid, idle, process.readable):
        exchange.agent.receive()
    return identifier


@case("pending.recv", rule=_BLOCKS, hint="make the call in the agent's only thread, and reply when it has returned")
def recv(exchange: Exchange) -> None:
    """recv is answered when data arrives"""
    number, peer = exchange.connected()
    try:
        identifier = _start(exchange, number, "recv", 16)
    except Violation:
        raise Violation("recv returned before anything was sent", "new sockets block; do not set timeouts") from None
    peer.sendall(b"at last")
    (got,) = exchange.agent.values("buffer", exchange.agent.receive(identifier), "recv")
    if bytes_of(got) != b"at last":
        raise Violation(f"recv returned {bytes_of(got)!r}")


@case("pending.accept", rule=_BLOCKS, hint="make the call in the agent's only thread, and reply when it has returned")
def accept(exchange: Exchange) -> None:
    """accept is answered when a client connects"""
    number, port = exchange.listening()
    try:
        identifier = _start(exchange, number, "accept")
    except Violation:
        raise Violation("accept returned before a client connected", "new sockets block; do not set timeouts") from None
    peer = exchange.peer()
    peer.connect(("127.0.0.1", port))
    exchange.agent.values("what accept returns", exchange.agent.receive(identifier), "accept")


def _interrupt(exchange: Exchange) -> None:
    if sys.platform == "win32":
        raise Violation("this system has no SIGUSR1", "leave `signals` out of the capabilities on this system")
    os.kill(exchange.agent.process.pid, signal.SIGUSR1)


@case(
    "signals.idle",
    needs="signals",
    rule=_SIGNALS,
    hint="repeat the read of the next request when a signal interrupts it (EINTR); in C: sigaction with an empty "
    "handler, without SA_RESTART, and a loop around read()",
)
def idle(exchange: Exchange) -> None:
    """SIGUSR1 while the agent waits for a request"""
    blocking.idle_syscall(exchange.agent.process.pid)
    for _ in range(20):
        _interrupt(exchange)
        time.sleep(0.001)  # signals sent at once are merged into one; nothing depends on the time
    exchange.check_usable()


@case(
    "signals.busy",
    needs="signals",
    rule=_SIGNALS,
    hint="install a handler: an ignored SIGUSR1 would not interrupt the call, and the default ends the agent",
)
def busy(exchange: Exchange) -> None:
    """SIGUSR1 while a call blocks"""
    number, peer = exchange.connected()
    identifier = _start(exchange, number, "recv", 16)
    _interrupt(exchange)
    peer.sendall(b"after the signal")
    reply = exchange.agent.receive(identifier)
    # EINTR in the reply is a bug of the implementation, which `run` reports.
    if not isinstance(reply, (messages.Values, messages.Failed)):
        raise Violation("this should be the values that recv returned, or its failure")
    exchange.check_usable()


@case(
    "forget.closes",
    needs="gc",
    rule="An agent with the capability `gc` drops its last reference to the socket and collects garbage.",
    hint="remove the socket from the agent's table and from all of its variables, then collect garbage",
)
def release(exchange: Exchange) -> None:
    """The language closes a socket that is released"""
    number, peer = exchange.connected()
    reply = exchange.agent.request("forget", socket=number)
    if not isinstance(reply, messages.Values) or reply.values:
        raise Violation("`forget` must be answered with no values: []")
    if not is_closed(peer):
        raise Violation(
            "the socket is still open",
            "if the implementation does not close a collected socket, the implementation is wrong, not the agent",
        )
    identifier = exchange.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "fileno", "args": []}
    exchange.agent.unsupported(request, identifier)


@case(
    "forget.nothing",
    needs="gc",
    rule="A number without a socket is valid in `forget`: garbage is collected as well.",
    hint="answer `values` with [] also if the number has no socket",
)
def release_nothing(exchange: Exchange) -> None:
    """forget without a socket"""
    reply = exchange.agent.request("forget", socket=0)
    if not isinstance(reply, messages.Values) or reply.values:
        raise Violation("`forget` must be answered with no values: []")
