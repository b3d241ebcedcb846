"""The sockets that an agent holds, and the numbers that it gives them."""

from __future__ import annotations

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, buffer, case, receive
from nixio_conformance.driver import messages


@case(
    "sockets.numbers",
    says="The agent chooses a socket's number and does not use it again while the socket is held, closed or not.",
    mend="count upwards, and use neither descriptors nor the first free place of a table",
)
def numbers(play: Play) -> None:
    """Numbers are not used twice while a socket is held"""
    held: list[int] = []
    for turn in range(20):
        held.append(play.agent.open())
        if len(set(held)) != len(held):
            raise Fault(f"the sockets have the numbers {held}")
        if turn % 3 == 0:
            play.agent.returns("true", held[-1], "close")


@case(
    "sockets.apart",
    says="A call goes to the socket that its number names.",
    mend="look the socket up in the agent's table by the request's number each time",
)
def apart(play: Play) -> None:
    """Two sockets at a time are not mixed up"""
    (first, one), (second, two) = play.connected(), play.connected()
    for number, data in ((second, b"two"), (first, b"one")):
        play.agent.returns("number", number, "send", buffer(data))
    if (got := (receive(one, 3), receive(two, 3))) != (b"one", b"two"):
        raise Fault(f"what was sent on two sockets arrived as {got}")


@case(
    "sockets.accepted",
    says="An accepted socket is a new socket with a number of its own.",
    mend="put what accept returns into the same table as the factory's sockets",
)
def accepted(play: Play) -> None:
    """An accepted socket can be used"""
    listening, port = play.listening()
    peer = play.peer()
    peer.connect(("127.0.0.1", port))
    found, *_ = play.agent.returns("what accept returns", listening, "accept")
    assert isinstance(found, messages.SocketRef)
    if found.socket == listening:
        raise Fault("the accepted socket has the listener's number")
    play.agent.returns("number", found.socket, "send", buffer(b"hello"))
    if (got := receive(peer, 5)) != b"hello":
        raise Fault(f"what was sent on the accepted socket arrived as {got!r}")
