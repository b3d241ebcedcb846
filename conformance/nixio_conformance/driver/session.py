"""One agent over many cases: started when needed, asked one request at a time, replaced when it cannot go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nixio_conformance.driver import blocked, messages
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentCannot, AgentError
from nixio_conformance.driver.hello import greet
from nixio_conformance.driver.outcome import Failure, Outcome, Returned, errno_name
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.replies import receive
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import CALL
from nixio_conformance.driver.transcript import Step, Transcript
from nixio_conformance.driver.wire import Argument, from_wire, to_wire


class Session:
    """One agent and what is said to it; a broken agent is replaced when the next case begins."""

    def __init__(
        self,
        start: Callable[[], Channel],
        seconds: float = CALL,
        start_program: Callable[[Sequence[str]], Channel] = AgentProcess,
    ) -> None:
        """`start` makes an agent; it may raise `CannotStart`. `seconds` is the deadline of each call.

        `start_program` starts the program that the first agent says is to be used instead of it.
        """
        self._start = start
        self._start_program = start_program
        self._seconds = seconds
        #: The last request of the cases before: an answer to it or an older one is late.
        self._before = 0
        self._channel: Channel | None = None
        self._welcome: messages.Welcome | None = None
        self._identifier = 0
        self._pending: Pending | None = None
        self._idle = ""
        self.stderr = ""
        self.transcript = Transcript()

    @property
    def welcome(self) -> messages.Welcome:
        """What the implementation said of itself."""
        assert self._welcome is not None, "begin_case() was not called"
        return self._welcome

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._live.pid

    @property
    def remote(self) -> bool:
        """Whether the agent is another process than the one that was started: behind ssh, or below a shell."""
        return self.welcome.pid not in (0, self.pid)

    @property
    def alive(self) -> bool:
        """Whether there is an agent that can be asked."""
        return self._channel is not None

    def begin_case(self, transcript: Transcript) -> None:
        """Start recording into a new transcript; starts an agent where there is none. Raises `CannotStart`."""
        self.transcript = transcript
        self.stderr = ""
        self._before = self._identifier
        if self._channel is not None and self._channel.waiting(0.0):
            self.kill()  # it said something nobody asked for after the last case ended: not this case's business
        if self._channel is None:
            self._channel, self._welcome, self._start = greet(self._start, self._start_program, self.next_id)
            self._pending = None
            self._idle = blocked.idle(self._channel.pid)
        self._live.forget_stderr()

    def end_case(self) -> None:
        """Close the port's sockets. An agent that is still busy, or says more than it should, is replaced.

        Raises `AgentError` when the agent broke the protocol during the case and nobody noticed yet.
        """
        if self._channel is None:
            return
        if self._pending is not None and not self._pending.done():
            self.kill()
            return
        if self._pending is not None:
            self._pending.outcome()  # an answer that nobody asked for yet: it may still be a broken one
        step = Step(0.0, "port", "", "reset", ())
        self.begin(messages.Reset(self.next_id()), step).outcome()

    def kill(self) -> None:
        """End the agent; the next case gets a fresh one."""
        if self._channel is not None:
            self.stderr = self._channel.stderr()
            self._channel.kill()
        self._channel = None
        self._pending = None

    def collect_garbage(self) -> None:
        """Have the port's language collect what nothing refers to (capability `gc`)."""
        step = Step(0.0, "port", "", "forget", ())
        self.begin(messages.Forget(self.next_id(), 0), step).outcome()

    def next_id(self) -> int:
        """The number of the next request."""
        self._identifier += 1
        return self._identifier

    def open(self, *arguments: Argument) -> Outcome:
        """Call the factory `socket(domain, type, protocol=None)`."""
        request = messages.OpenSocket(self.next_id(), [to_wire(value) for value in arguments])
        step = self.transcript.begin("port", "", "socket", arguments)
        return self.begin(request, step).outcome()

    def begin(self, request: messages.Request, step: Step) -> Pending:
        """Send a request and do not wait for its reply. One may be under way at a time."""
        assert self._pending is None, "a call is pending already"
        try:
            self._live.send(messages.encode_request(request), Deadline(self._seconds, self.pid))
        except AgentError as error:
            raise self._died(error, step) from None
        self._pending = Pending(self, request.id, step)
        return self._pending

    def waiting(self, seconds: float) -> bool:
        """Whether a reply is there or comes within that time."""
        return self._live.waiting(seconds)

    def settle(self) -> bool:
        """Wait until the pending call came back (False) or sleeps in the system (True)."""
        return blocked.wait(self.pid, self._idle, self._live.waiting)

    def finish(self, identifier: int, step: Step, seconds: float | None = None) -> Outcome:
        """Wait for a reply and take it down."""
        try:
            reply = receive(self._live, identifier, self._before, self._seconds if seconds is None else seconds)
            outcome = self._outcome(reply)
        except AgentError as error:
            raise self._died(error, step) from None
        self._pending = None
        values = outcome.values if isinstance(outcome, Returned) else ()
        names = [value.name if isinstance(value, ImplSocket) else "" for value in values]
        self.transcript.end(step, str(outcome), values, names)
        return outcome

    def current_stderr(self) -> str:
        """What the agent wrote to standard error during this case."""
        return self._channel.stderr() if self._channel is not None else self.stderr

    @property
    def _live(self) -> Channel:
        if self._channel is None:
            raise AgentBroke("the agent is gone")
        return self._channel

    def _socket(self, number: int) -> ImplSocket:
        return ImplSocket(self, number, self.transcript.name("s"))

    def _outcome(self, reply: messages.Reply) -> Outcome:
        match reply:
            case messages.Values(values=values):
                return Returned(tuple(from_wire(value, self._socket) for value in values))
            case messages.Failed(kind=kind, number=number, name=name, message=message):
                system = errno_name(number) if kind in ("system", "would-block") else ""
                return Failure(kind, clip(name, 100) or system, number, clip(message))
            case messages.Unsupported(message=message, missing=missing):
                if not missing:
                    raise AgentCannot(clip(message))
                return Failure("missing", "", None, clip(message))
        raise AgentBroke(f"the agent answered a call with {type(reply).__name__.lower()!r}")

    def _died(self, error: AgentError, step: Step) -> AgentError:
        if isinstance(error, AgentCannot):
            self._pending = None
            self.transcript.end(step, f"the agent cannot ask this: {error}")
            return error
        self.transcript.end(step, str(error))
        self.kill()
        return type(error)(f"{step.call}: {error}")
