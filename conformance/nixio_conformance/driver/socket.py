"""The implementation's sockets as checks see them: nixio's methods; each call is recorded and has a deadline."""

from __future__ import annotations

from typing import Protocol

from nixio_conformance.driver import messages
from nixio_conformance.driver.outcome import Outcome, SocketHandle
from nixio_conformance.driver.transcript import Step, Transcript
from nixio_conformance.driver.wire import Argument, to_wire


class Caller(Protocol):
    """The part of `Session` that a socket uses."""

    transcript: Transcript

    def next_id(self) -> int:
        """The number of the next request."""

    def begin(self, request: messages.Request, step: Step) -> Pending:
        """Send a request without waiting for its reply."""

    def wait_until_blocked(self) -> bool:
        """Wait until the pending call returns (False) or is blocked in a system call (True)."""

    def readable(self, seconds: float) -> bool:
        """Whether a reply is available, or arrives within `seconds`."""

    def finish(self, identifier: int, step: Step, seconds: float | None = None) -> Outcome:
        """Wait for the reply to a request and record it."""


class ImplSocket(SocketHandle):
    """A socket of the implementation. Each method makes the call and returns its outcome; none judges it."""

    def __init__(self, session: Caller, number: int, name: str) -> None:
        super().__init__(number, name)
        self._session = session

    def call(self, method: str, *arguments: Argument, seconds: float | None = None) -> Outcome:
        """Call any method by name. `seconds` is the timeout of the call; None means the session's.

        Raises `AgentError` if the agent dies, hangs or breaks the protocol.
        """
        return self.start(method, *arguments).outcome(seconds)

    def start(self, method: str, *arguments: Argument) -> Pending:
        """Begin a call and leave it pending; the session allows one pending call at a time."""
        request = messages.Call(self._session.next_id(), self.number, method, [to_wire(value) for value in arguments])
        step = self._session.transcript.begin("port", self.name, method, arguments)
        return self._session.begin(request, step)

    def release(self) -> None:
        """Drop the agent's last reference to the socket and collect garbage (capability `gc`)."""
        step = self._session.transcript.begin("port", "", "forget", (self,))
        self._session.begin(messages.Forget(self._session.next_id(), self.number), step).outcome()

    # The 18 methods. Arguments that are not given here are left out in the call, too.
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
    """A call that was started; its outcome is read later."""

    def __init__(self, session: Caller, identifier: int, step: Step) -> None:
        self._session = session
        self._identifier = identifier
        self._step = step
        self._outcome: Outcome | None = None

    def blocked(self) -> bool:
        """Wait until the call returns (False) or is blocked in a system call (True)."""
        return self._outcome is None and self._session.wait_until_blocked()

    def done(self, seconds: float = 0.0) -> bool:
        """Whether the call has returned, or returns within `seconds`."""
        return self._outcome is not None or self._session.readable(seconds)

    def outcome(self, seconds: float | None = None) -> Outcome:
        """Wait for the outcome, at most `seconds` (None: the session's timeout); raises `AgentError` as `call` does."""
        if self._outcome is None:
            self._outcome = self._session.finish(self._identifier, self._step, seconds)
        return self._outcome
