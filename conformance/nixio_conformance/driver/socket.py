"""The implementation's sockets as the checks see them: nixio's methods, each call recorded and with a deadline."""

from __future__ import annotations

from typing import Protocol

from nixio_conformance.driver import messages
from nixio_conformance.driver.outcome import Outcome, SocketHandle
from nixio_conformance.driver.transcript import Step, Transcript
from nixio_conformance.driver.wire import Argument, to_wire


class Caller(Protocol):
    """What a socket needs of the session that it belongs to."""

    transcript: Transcript

    def next_id(self) -> int:
        """The number of the next request."""

    def begin(self, request: messages.Request, step: Step) -> Pending:
        """Send a request and do not wait for its reply."""

    def settle(self) -> bool:
        """Wait until the pending call returned (False) or sleeps in the system (True)."""

    def waiting(self, seconds: float) -> bool:
        """Whether a reply is there, or arrives within that time."""

    def finish(self, identifier: int, step: Step, seconds: float | None = None) -> Outcome:
        """Wait for the reply to a request and record it."""


class ImplSocket(SocketHandle):
    """A socket of the implementation. Each method makes the call and returns its outcome; none judges it."""

    def __init__(self, session: Caller, number: int, name: str) -> None:
        super().__init__(number, name)
        self._session = session

    def call(self, method: str, *arguments: Argument, seconds: float | None = None) -> Outcome:
        """Call any method by name. `seconds` is the call's deadline; by default the session's.

        Raises `AgentError` when the agent dies, hangs or breaks the protocol.
        """
        return self.start(method, *arguments).outcome(seconds)

    def start(self, method: str, *arguments: Argument) -> Pending:
        """Begin a call and leave it pending."""
        request = messages.Call(self._session.next_id(), self.number, method, [to_wire(value) for value in arguments])
        step = self._session.transcript.begin("port", self.name, method, arguments)
        return self._session.begin(request, step)

    def forget(self) -> None:
        """Release the implementation's last reference to the socket and collect garbage (capability `gc`)."""
        step = self._session.transcript.begin("port", "", "forget", (self,))
        self._session.begin(messages.Forget(self._session.next_id(), self.number), step).outcome()

    # The 18 methods; arguments left out here are left out in the call.
    def getsockname(self) -> Outcome:
        return self.call("getsockname")

    def getpeername(self) -> Outcome:
        return self.call("getpeername")

    def bind(self, *arguments: Argument) -> Outcome:
        return self.call("bind", *arguments)

    def connect(self, *arguments: Argument) -> Outcome:
        return self.call("connect", *arguments)

    def listen(self, *arguments: Argument) -> Outcome:
        return self.call("listen", *arguments)

    def accept(self) -> Outcome:
        return self.call("accept")

    def sendto(self, *arguments: Argument) -> Outcome:
        return self.call("sendto", *arguments)

    def send(self, *arguments: Argument) -> Outcome:
        return self.call("send", *arguments)

    def write(self, *arguments: Argument) -> Outcome:
        return self.call("write", *arguments)

    def recvfrom(self, *arguments: Argument) -> Outcome:
        return self.call("recvfrom", *arguments)

    def recv(self, *arguments: Argument) -> Outcome:
        return self.call("recv", *arguments)

    def read(self, *arguments: Argument) -> Outcome:
        return self.call("read", *arguments)

    def close(self) -> Outcome:
        return self.call("close")

    def shutdown(self, *arguments: Argument) -> Outcome:
        return self.call("shutdown", *arguments)

    def fileno(self) -> Outcome:
        return self.call("fileno")

    def setblocking(self, *arguments: Argument) -> Outcome:
        return self.call("setblocking", *arguments)

    def setopt(self, *arguments: Argument) -> Outcome:
        return self.call("setopt", *arguments)

    def getopt(self, *arguments: Argument) -> Outcome:
        return self.call("getopt", *arguments)


class Pending:
    """A call that was begun and whose outcome has not been asked for."""

    def __init__(self, session: Caller, identifier: int, step: Step) -> None:
        self._session = session
        self._identifier = identifier
        self._step = step
        self._outcome: Outcome | None = None

    def blocked(self) -> bool:
        """Wait until the call returned (False) or sleeps in the system (True)."""
        return self._outcome is None and self._session.settle()

    def done(self, seconds: float = 0.0) -> bool:
        """Whether the call returned, waiting at most that long for it."""
        return self._outcome is not None or self._session.waiting(seconds)

    def outcome(self, seconds: float | None = None) -> Outcome:
        """The outcome; raises `AgentError` when the call does not return in time (the session's deadline if None)."""
        if self._outcome is None:
            self._outcome = self._session.finish(self._identifier, self._step, seconds)
        return self._outcome
