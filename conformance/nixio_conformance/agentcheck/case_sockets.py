"""Protocol cases: the sockets that an agent holds, and their numbers."""

from __future__ import annotations

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange, buffer, recv_bytes
from nixio_conformance.driver import messages


@case(
    "sockets.numbers",
    rule="The agent chooses a socket's number and does not use it again while the socket is held, closed or not.",
    hint="count upwards; use neither descriptors nor the first free index of a table",
)
def numbers(exchange: Exchange) -> None:
    """Numbers are unique among held sockets"""
    held: list[int] = []
    for turn in range(20):
        held.append(exchange.agent.open())
        if len(set(held)) != len(held):
            raise Violation(f"the sockets have the numbers {held}")
        if turn % 3 == 0:
            exchange.agent.returns("true", held[-1], "close")


@case(
    "sockets.apart",
    rule="A call is made on the socket with the request's number.",
    hint="look up the socket in the agent's table by the request's number in each call",
)
def apart(exchange: Exchange) -> None:
    """Two sockets are not mixed up"""
    (first, one), (second, two) = exchange.connected(), exchange.connected()
    for number, data in ((second, b"two"), (first, b"one")):
        exchange.agent.returns("number", number, "send", buffer(data))
    if (got := (recv_bytes(one, 3), recv_bytes(two, 3))) != (b"one", b"two"):
        raise Violation(f"b'one' and b'two', sent on two sockets, arrived as {got}")


@case(
    "sockets.accepted",
    rule="An accepted socket is a new socket with a number of its own.",
    hint="put accepted sockets into the same table as those of the factory",
)
def accepted(exchange: Exchange) -> None:
    """An accepted socket is usable"""
    listening, port = exchange.listening()
    peer = exchange.peer()
    peer.connect(("127.0.0.1", port))
    found, *_ = exchange.agent.returns("what accept returns", listening, "accept")
    assert isinstance(found, messages.SocketRef)
    if found.socket == listening:
        raise Violation("the accepted socket has the listener's number")
    exchange.agent.returns("number", found.socket, "send", buffer(b"hello"))
    if (got := recv_bytes(peer, 5)) != b"hello":
        raise Violation(f"b'hello', sent on the accepted socket, arrived as {got!r}")
