"""Helpers of the Lua agent's tests: a Lua module whose results a test chooses, and a socket of that module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument

FAKE = Path(__file__).with_name("fake.lua")
#: Interpreters that distinguish integers from floats.
INTEGERS = ("lua5.3", "lua5.4")
INTERPRETERS = ("lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit")
#: Starts a session for a module, by default `fake.lua`, with more arguments for the agent. Lua runs the code `before`
#: before the agent.
Begin = Callable[..., Session]


class Fake:
    """A socket of `fake.lua`; a test chooses what its next call does."""

    def __init__(self, session: Session, socket: ImplSocket) -> None:
        self.session = session
        self.socket = socket

    def call(self, method: str, *arguments: Argument) -> Outcome:
        """Call a method."""
        return self.socket.call(method, *arguments)

    def does(self, what: str, method: str = "bind") -> Outcome:
        """The outcome of a method that does `what`."""
        self.socket.call("will", what)
        return self.socket.call(method)


def open_socket(session: Session, *arguments: Argument) -> ImplSocket:
    """A new socket of the implementation, by default an IPv4 stream."""
    outcome = session.open(*(arguments or ("inet", "stream")))
    assert isinstance(outcome, Returned), outcome
    (socket,) = outcome.values
    assert isinstance(socket, ImplSocket), socket
    return socket


def opened(session: Session) -> Fake:
    """A socket of `fake.lua`."""
    return Fake(session, open_socket(session))
