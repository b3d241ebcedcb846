"""What the tests of the Lua agent share: the module that answers as a test asks for, and a socket of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nixio_conformance.driver.outcome import Outcome
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument

FAKE = Path(__file__).with_name("fake.lua")
INTERPRETERS = ("lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit")
#: Starts an agent for a module, `fake.lua` if none is named, with more arguments of the agent's, and says hello.
#: `before` is run by Lua before the agent.
Begin = Callable[..., Session]


class Fake:
    """A socket of `fake.lua`, whose next call does what a test says."""

    def __init__(self, session: Session, socket: ImplSocket) -> None:
        self.session = session
        self.socket = socket

    def call(self, method: str, *arguments: Argument) -> Outcome:
        """Call a method."""
        return self.socket.call(method, *arguments)

    def does(self, what: str, method: str = "bind") -> Outcome:
        """What a method comes to that does `what`."""
        self.socket.call("will", what)
        return self.socket.call(method)


def opened(session: Session) -> Fake:
    """A socket of the fake module."""
    outcome = session.open("inet", "stream")
    socket = getattr(outcome, "values", (None,))[0]
    assert isinstance(socket, ImplSocket), outcome
    return Fake(session, socket)
