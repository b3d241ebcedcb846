"""Calls that wait, signals, and sockets that nobody holds any more."""

from __future__ import annotations

import os
import signal
import sys
import time

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, bytes_of, case, ends
from nixio_conformance.driver import blocked, messages

_WAITS = "A call may block; its reply comes when it returns."
_SIGNALS = "An agent with the capability `signals` handles SIGUSR1 by doing nothing: no signal ends it or disturbs it."


def _begin(play: Play, number: int, method: str, *args: object) -> int:
    """Begin a call and wait until it blocks: its id."""
    process = play.agent.process
    idle = blocked.idle(process.pid)
    identifier = play.agent.next_id()
    play.agent.say({"do": "call", "id": identifier, "socket": number, "method": method, "args": args})
    if not blocked.wait(process.pid, idle, process.waiting):
        play.agent.hear()
    return identifier


@case("pending.recv", says=_WAITS, mend="make the call in the agent's own thread, and reply when it has returned")
def recv(play: Play) -> None:
    """recv is answered when data has come"""
    number, peer = play.connected()
    try:
        identifier = _begin(play, number, "recv", 16)
    except Fault:
        raise Fault("recv returned before anything was sent", "new sockets block; do not set timeouts") from None
    peer.sendall(b"at last")
    (got,) = play.agent.values("buffer", play.agent.hear(identifier), "recv")
    if bytes_of(got) != b"at last":
        raise Fault(f"recv returned {bytes_of(got)!r}")


@case("pending.accept", says=_WAITS, mend="make the call in the agent's own thread, and reply when it has returned")
def accept(play: Play) -> None:
    """accept is answered when somebody has connected"""
    number, port = play.listening()
    try:
        identifier = _begin(play, number, "accept")
    except Fault:
        raise Fault("accept returned before anybody connected", "new sockets block; do not set timeouts") from None
    peer = play.peer()
    peer.connect(("127.0.0.1", port))
    play.agent.values("what accept returns", play.agent.hear(identifier), "accept")


def _interrupt(play: Play) -> None:
    if sys.platform == "win32":
        raise Fault("this system has no SIGUSR1", "leave `signals` out of the capabilities on this system")
    os.kill(play.agent.process.pid, signal.SIGUSR1)


@case(
    "signals.idle",
    needs="signals",
    says=_SIGNALS,
    mend="read the next request again when a signal interrupts that (EINTR); in C: sigaction with a handler that is "
    "empty, without SA_RESTART, and a loop around read()",
)
def idle(play: Play) -> None:
    """SIGUSR1 while the agent waits for a request"""
    blocked.idle(play.agent.process.pid)
    for _ in range(20):
        _interrupt(play)
        time.sleep(0.001)  # so that each comes by itself; nothing depends on it
    play.usable()


@case(
    "signals.busy",
    needs="signals",
    says=_SIGNALS,
    mend="install a handler (ignoring SIGUSR1 would not interrupt the call, and not handling it ends the agent)",
)
def busy(play: Play) -> None:
    """SIGUSR1 while a call waits"""
    number, peer = play.connected()
    identifier = _begin(play, number, "recv", 16)
    _interrupt(play)
    peer.sendall(b"after the signal")
    reply = play.agent.hear(identifier)
    # EINTR to the caller is the port's fault, and the suite's to tell.
    if not isinstance(reply, (messages.Values, messages.Failed)):
        raise Fault("this should be what recv returned, or its failure")
    play.usable()


@case(
    "forget.closes",
    needs="gc",
    says="An agent with the capability `gc` drops its last reference to the socket and has garbage collected.",
    mend="remove the socket from the agent's table, and from variables of the agent that still have it, and collect",
)
def forget(play: Play) -> None:
    """A socket that is forgotten is closed by the port's language"""
    number, peer = play.connected()
    reply = play.agent.ask("forget", socket=number)
    if not isinstance(reply, messages.Values) or reply.values:
        raise Fault("`forget` is answered with no values: []")
    if not ends(peer):
        raise Fault("the socket is still open", "where the port itself does not close it, it is the port's fault")
    identifier = play.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "fileno", "args": []}
    play.agent.unsupported(request, identifier)


@case(
    "forget.nothing",
    needs="gc",
    says="A number that names no socket is no mistake in `forget`: garbage is collected all the same.",
    mend="answer `values` with [] also where there is nothing to forget",
)
def forget_nothing(play: Play) -> None:
    """Forgetting nothing"""
    reply = play.agent.ask("forget", socket=0)
    if not isinstance(reply, messages.Values) or reply.values:
        raise Fault("`forget` is answered with no values: []")
