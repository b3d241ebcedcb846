"""Protocol cases: `reset`, and the end of the agent."""

from __future__ import annotations

import os
import socket

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange, is_closed
from nixio_conformance.driver import messages
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentCrashed, AgentHung, AgentProtocolError
from nixio_conformance.driver.timeouts import CALL
from nixio_conformance.host import capabilities, observer

_RESET = "`reset` closes every socket that is still open, whatever close() returns, and is answered with no values."


def _reset(exchange: Exchange) -> None:
    reply = exchange.agent.request("reset")
    if not isinstance(reply, messages.Values) or reply.values:
        raise Violation('`reset` is answered with no values: {"reply": "values", "id": ID, "values": []}')


def _held(exchange: Exchange) -> int:
    """Number of open sockets of the agent's process, as the kernel reports it; 0 if unknown."""
    pid = exchange.agent.process.pid
    return 0 if capabilities.current()["descriptors"] or pid == os.getpid() else len(observer.sockets(pid))


@case("reset.closes", rule=_RESET, hint="call close on each socket in the agent's table, the accepted ones too")
def closes(exchange: Exchange) -> None:
    """reset closes open sockets"""
    before = _held(exchange)
    _, peer = exchange.connected()
    listening, port = exchange.listening()
    client = exchange.peer()
    client.connect(("127.0.0.1", port))
    exchange.agent.returns("what accept returns", listening, "accept")
    exchange.datagrams()
    _reset(exchange)
    for what, end in (("a connected", peer), ("an accepted", client)):
        if not is_closed(end):
            raise Violation(f"{what} socket is still open after reset")
    with socket.socket() as late:
        if late.connect_ex(("127.0.0.1", port)) == 0:
            raise Violation("a listening socket is still open after reset")
    if (left := _held(exchange) - before) > 0:
        raise Violation(f"the process has {left} more sockets than before")


@case("reset.forgets", rule="After `reset` no number refers to a socket.", hint="empty the agent's table on reset")
def forgets(exchange: Exchange) -> None:
    """reset drops the sockets' numbers"""
    number = exchange.agent.open()
    _reset(exchange)
    identifier = exchange.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "fileno", "args": []}
    exchange.agent.unsupported(request, identifier)
    exchange.check_usable()


@case("reset.closed", rule=_RESET, hint="ignore failures and errors of close() during reset")
def closed(exchange: Exchange) -> None:
    """reset with closed sockets, and without sockets"""
    first = exchange.agent.open()
    exchange.agent.returns("true", first, "close")
    _, peer = exchange.connected()
    _reset(exchange)
    if not is_closed(peer):
        raise Violation("one of two sockets was closed before reset; the other is still open after it")
    _reset(exchange)
    exchange.check_usable()


@case(
    "end.input",
    rule="At the end of its input the agent exits, with all that it started.",
    hint="leave the loop and exit when reading a line returns end of file; do not read again",
)
def end_of_input(exchange: Exchange) -> None:
    """The process exits at the end of its input, and its sockets are closed"""
    _, peer = exchange.connected()
    _end(exchange)
    if not is_closed(peer):
        raise Violation("a socket is still open", "a process that the agent started still holds the socket")
    exchange.agent.kill()


@case(
    "end.at-once",
    rule="At the end of its input the agent exits, even if it received no request.",
    hint="leave the loop and exit when reading a line returns end of file",
)
def end_at_once(exchange: Exchange) -> None:
    """The process exits when its input ends before the first request"""
    exchange.agent.start()
    _end(exchange)
    exchange.agent.kill()


def _end(exchange: Exchange) -> None:
    """Close the agent's input and require that it exits without writing another line."""
    exchange.agent.process.end_input()
    try:
        exchange.agent.received.append(exchange.agent.process.receive(Deadline(CALL, exchange.agent.process.pid)))
    except AgentCrashed as error:
        if "without ending" in str(error):
            raise Violation(f"{error}, {CALL:.0f} s after the end of its input") from None
        if "exit status" not in str(error):
            raise Violation(f"at the end of its input {error}", "exit by returning from the program") from None
    except AgentHung:
        raise Violation(f"it still runs {CALL:.0f} s after the end of its input") from None
    except AgentProtocolError as error:
        raise Violation(str(error)) from None
    else:
        raise Violation("it wrote a line after the end of its input", "write only replies to standard output")
