"""The end of a case, and the end of the agent."""

from __future__ import annotations

import os
import socket

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, case, ends
from nixio_conformance.driver import messages
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentCrashed, AgentHung
from nixio_conformance.driver.timeouts import CALL
from nixio_conformance.host import capabilities, observer

_RESET = "`reset` closes every socket that is still open, whatever close() says, and is answered with no values."


def _reset(play: Play) -> None:
    reply = play.agent.ask("reset")
    if not isinstance(reply, messages.Values) or reply.values:
        raise Fault('`reset` is answered with no values: {"reply": "values", "id": ID, "values": []}')


def _held(play: Play) -> int:
    """How many sockets the process has, seen from outside; 0 where that cannot be seen."""
    pid = play.agent.process.pid
    return 0 if capabilities.current()["descriptors"] or pid == os.getpid() else len(observer.sockets(pid))


@case("reset.closes", says=_RESET, mend="call close on each socket in the agent's table, the accepted ones too")
def closes(play: Play) -> None:
    """reset closes what is open"""
    before = _held(play)
    _, peer = play.connected()
    listening, port = play.listening()
    client = play.peer()
    client.connect(("127.0.0.1", port))
    play.agent.returns("what accept returns", listening, "accept")
    play.datagrams()
    _reset(play)
    for what, end in (("a connected", peer), ("an accepted", client)):
        if not ends(end):
            raise Fault(f"{what} socket is still open after reset")
    with socket.socket() as late:
        if late.connect_ex(("127.0.0.1", port)) == 0:
            raise Fault("a listening socket is still open after reset")
    if (left := _held(play) - before) > 0:
        raise Fault(f"the process has {left} more sockets than before")


@case("reset.forgets", says="After `reset` no number names a socket.", mend="empty the agent's table on reset")
def forgets(play: Play) -> None:
    """reset forgets the numbers"""
    number = play.agent.open()
    _reset(play)
    identifier = play.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "fileno", "args": []}
    play.agent.unsupported(request, identifier)
    play.usable()


@case("reset.closed", says=_RESET, mend="ignore what close() says or raises during reset")
def closed(play: Play) -> None:
    """reset with sockets that are closed already, and with none"""
    first = play.agent.open()
    play.agent.returns("true", first, "close")
    _, peer = play.connected()
    _reset(play)
    if not ends(peer):
        raise Fault("one socket was closed already, and the other is still open after reset")
    _reset(play)
    play.usable()


@case(
    "end.input",
    says="The end of the input is the end: the agent exits, and nothing of it is left.",
    mend="leave the loop when reading a line gives the end of the file, and exit; do not read again",
)
def end_of_input(play: Play) -> None:
    """The process ends with its input, and releases what it has"""
    _, peer = play.connected()
    _end(play)
    if not ends(peer):
        raise Fault("a socket is still open", "something that the agent started still holds it")
    play.agent.kill()


@case(
    "end.at-once",
    says="The end of the input is the end, also when nothing was asked.",
    mend="leave the loop when reading a line gives the end of the file, and exit",
)
def end_at_once(play: Play) -> None:
    """The process ends when its input has ended before the first request"""
    play.agent.start()
    _end(play)
    play.agent.kill()


def _end(play: Play) -> None:
    """End the input and hold the agent to ending its output without another word."""
    play.agent.process.end_input()
    try:
        play.agent.came.append(play.agent.process.receive(Deadline(CALL, play.agent.process.pid)))
    except AgentCrashed as error:
        if "without ending" in str(error):
            raise Fault(f"{error}, {CALL:.0f} s after the end of its input") from None
        if "exit status" not in str(error):
            raise Fault(f"at the end of its input {error}", "end by returning from the program") from None
    except AgentHung:
        raise Fault(f"it is still there {CALL:.0f} s after the end of its input") from None
    except AgentBroke as error:
        raise Fault(str(error)) from None
    else:
        raise Fault("it wrote a line at its end", "write nothing but replies to standard output")
